using System.Text.Json;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Consumers;

/// <summary>Who consumes whom, as all nodes have heard it. Times are the database's.</summary>
internal sealed class ConsumerStore(IStorage storage)
{
    /// <summary>Consumers of one service, and services of one consumer, that one answer shows.</summary>
    public const int MaxRows = 10_000;

    /// <summary>Calls between services that are read at once: a graph of more is no picture of anything.</summary>
    public const int MaxEdges = 20_000;

    public static IReadOnlyList<string> Tables { get; } =
    [
        """
        CREATE TABLE registry_consumers (
            namespace {key} NOT NULL, service_group {key} NOT NULL, service {key} NOT NULL, consumer {key} NOT NULL,
            how {key} NOT NULL, last_seen BIGINT NOT NULL, node TEXT NOT NULL, breakers TEXT,
            PRIMARY KEY (namespace, service_group, service, consumer, how)) {clustered}
        """,
        "CREATE INDEX registry_consumers_consumer ON registry_consumers (consumer)",
        "CREATE INDEX registry_consumers_seen ON registry_consumers (last_seen)",
    ];

    public Task WriteAsync(
        IReadOnlyList<HeardConsumer> heard, string node, CancellationToken cancellationToken) => storage.WriteAsync(
        session =>
        {
            var clock = session.ReadClock();
            foreach (var one in heard)
            {
                var service = one.Link.Service;
                session.Enqueue(
                    """
                    INSERT INTO registry_consumers
                        (namespace, service_group, service, consumer, how, last_seen, node, breakers)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                    ON CONFLICT (namespace, service_group, service, consumer, how) DO UPDATE SET
                        last_seen = excluded.last_seen, node = excluded.node, breakers = excluded.breakers
                    WHERE registry_consumers.last_seen <= excluded.last_seen
                    """,
                    service.Namespace, service.Group, service.Service, one.Link.Consumer, one.Link.How,
                    clock - (long)one.Age.TotalMilliseconds, node,
                    one.Breakers.Count == 0
                        ? null
                        : JsonSerializer.Serialize(one.Breakers, WireJson.Strict.IReadOnlyListBreakerDocument));
            }
            return true;
        },
        cancellationToken);

    /// <summary>Forgets who was not heard of for so long.</summary>
    public Task PurgeAsync(TimeSpan silence, CancellationToken cancellationToken) => storage.WriteAsync(
        session => session.Execute(
            "DELETE FROM registry_consumers WHERE last_seen < $1",
            session.ReadClock() - (long)silence.TotalMilliseconds),
        cancellationToken);

    public Task<List<ConsumerRow>> OfServiceAsync(
        ServiceKey service, TimeSpan silence, CancellationToken cancellationToken) => storage.ReadAsync(
        session => session.List(
            $"""
            SELECT namespace, service_group, service, consumer, how, last_seen, node, breakers FROM registry_consumers
            WHERE namespace = $1 AND service_group = $2 AND service = $3 AND last_seen >= $4
            ORDER BY consumer, how LIMIT {MaxRows}
            """,
            Read,
            service.Namespace, service.Group, service.Service,
            session.ReadClock() - (long)silence.TotalMilliseconds),
        cancellationToken);

    /// <summary>What the instances of a service consume.</summary>
    public Task<List<ConsumerRow>> OfConsumerAsync(
        ServiceKey consumer, TimeSpan silence, CancellationToken cancellationToken) => storage.ReadAsync(
        session => session.List(
            $"""
            SELECT namespace, service_group, service, consumer, how, last_seen, node, breakers FROM registry_consumers
            WHERE consumer > $1 AND consumer < $2 AND last_seen >= $3
            ORDER BY namespace, service_group, service, consumer, how LIMIT {MaxRows}
            """,
            Read,
            $"{consumer}/", $"{consumer}0", // 0 comes right after / in ASCII, which the column compares by.
            session.ReadClock() - (long)silence.TotalMilliseconds),
        cancellationToken);

    /// <summary>All calls, by service and not by instance.</summary>
    /// <param name="breakerSilence">Breakers of rows that were not refreshed for so long do not count.</param>
    /// <param name="except">The node whose breakers do not count: it knows better itself.</param>
    public Task<List<ConsumerEdge>> EdgesAsync(
        TimeSpan silence, TimeSpan breakerSilence, string except, CancellationToken cancellationToken) =>
        storage.ReadAsync(
            session =>
            {
                var clock = session.ReadClock();
                // What is left of a consumer when all but slashes is trimmed from its end is its service and a slash.
                return session.List(
                    $"""
                    SELECT namespace, service_group, service,
                        rtrim(consumer, replace(consumer, '/', '')) AS consuming, how, MAX(last_seen) AS seen,
                        COUNT(CASE WHEN breakers IS NOT NULL AND last_seen >= $1 AND node <> $2 THEN 1 END)
                    FROM registry_consumers WHERE last_seen >= $3
                    GROUP BY namespace, service_group, service, consuming, how
                    ORDER BY seen DESC LIMIT {MaxEdges}
                    """,
                    row => new ConsumerEdge(
                        new ConsumerLink(
                            new ServiceKey(row.Text(0), row.Text(1), row.Text(2)), row.Text(3), row.Text(4)),
                        DateTimeOffset.FromUnixTimeMilliseconds(row.Int64(5)),
                        (int)row.Int64(6)),
                    clock - (long)breakerSilence.TotalMilliseconds, except,
                    clock - (long)silence.TotalMilliseconds);
            },
            cancellationToken);

    private static ConsumerRow Read(ISqlRow row) => new(
        new ConsumerLink(
            new ServiceKey(row.Text(0), row.Text(1), row.Text(2)), row.Text(3), row.Text(4)),
        DateTimeOffset.FromUnixTimeMilliseconds(row.Int64(5)),
        row.Text(6),
        row.TextOrNull(7) is { } breakers
            ? JsonSerializer.Deserialize(breakers, WireJson.Lenient.IReadOnlyListBreakerDocument) ?? []
            : []);
}

/// <summary>That somebody consumes a service, in one way.</summary>
/// <param name="Consumer">An instance as <see cref="InstanceKey"/> writes it, or <c>gateway/</c> and a node.</param>
/// <param name="How"><c>sdk</c>, <c>watch</c> or <c>gateway</c>.</param>
internal readonly record struct ConsumerLink(ServiceKey Service, string Consumer, string How);

/// <summary>What this node has heard of a consumer since it last wrote.</summary>
/// <param name="Age">Since it was last heard of.</param>
internal sealed record HeardConsumer(ConsumerLink Link, TimeSpan Age, IReadOnlyList<BreakerDocument> Breakers);

/// <summary>A consumer as the store has it.</summary>
internal sealed record ConsumerRow(
    ConsumerLink Link, DateTimeOffset LastSeen, string Node, IReadOnlyList<BreakerDocument> Breakers);

/// <summary>That instances of a service consume another, in one way.</summary>
/// <param name="Link">Its consumer is the service with a slash after it, without an instance.</param>
/// <param name="OpenBreakers">Consuming instances with breakers that are not closed.</param>
internal sealed record ConsumerEdge(ConsumerLink Link, DateTimeOffset LastSeen, int OpenBreakers);
