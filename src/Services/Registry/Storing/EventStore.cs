using Groundwork.Kernel.Storage;

namespace Groundwork.Services.Registry.Storing;

/// <summary>
/// The history of services in the store: the same on all nodes, and there after a restart. Written with the changes
/// that it tells of, in the same transaction.
/// </summary>
internal sealed class EventStore(IStorage storage)
{
    /// <summary>Events kept of one service: some days of a calm one, the last waves of a restless one.</summary>
    public const int PerService = 256;

    /// <summary>Events written to a service until its oldest are removed: a deletion for every so many.</summary>
    public const int PruneEvery = 64;

    /// <summary>How long an event stays at most; longer than anybody looks for an instance that is missing.</summary>
    private static readonly TimeSpan Retention = TimeSpan.FromDays(7);

    public static IReadOnlyList<string> Tables { get; } =
    [
        """
        CREATE TABLE registry_events (
            namespace {key} NOT NULL, service_group {key} NOT NULL, service {key} NOT NULL, position BIGINT NOT NULL,
            id {key} NOT NULL, writer {key} NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
            principal TEXT,
            PRIMARY KEY (namespace, service_group, service, position, id, writer)) {clustered}
        """,
        "CREATE INDEX registry_events_at ON registry_events (at)",
    ];

    /// <summary>The last events of a service, newest first.</summary>
    public Task<List<StoredEvent>> ReadAsync(ServiceKey service, CancellationToken cancellationToken) =>
        storage.ReadAsync(
            session => session.List(
                $"""
                SELECT at, position, kind, id, reason, principal, writer FROM registry_events
                WHERE namespace = $1 AND service_group = $2 AND service = $3
                ORDER BY position DESC, at DESC, id DESC, writer DESC LIMIT {PerService}
                """,
                row => new StoredEvent(
                    new RegistryEvent(
                        DateTimeOffset.FromUnixTimeMilliseconds(row.Int64(0)).Ticks,
                        row.Int64(1),
                        InstanceWords.Event(row.Text(2)),
                        service,
                        row.Text(3) is { Length: > 0 } id ? id : null,
                        row.Text(4),
                        row.TextOrNull(5)),
                    row.Text(6)),
                service.Namespace, service.Group, service.Service),
            cancellationToken);

    /// <param name="shift">Added to the index that the event was recorded under.</param>
    public static void Write(ISqlSession session, RegistryEvent happened, long shift, string writer) => session.Enqueue(
        """
        INSERT INTO registry_events
            (namespace, service_group, service, position, id, writer, at, kind, reason, principal)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
        """,
        happened.Service.Namespace, happened.Service.Group, happened.Service.Service, happened.Index + shift,
        happened.Id ?? "", writer, new DateTimeOffset(happened.UtcTicks, TimeSpan.Zero).ToUnixTimeMilliseconds(),
        InstanceWords.Of(happened.Kind), happened.Reason, happened.Principal);

    /// <summary>Removes what is beyond the last <see cref="PerService"/> of a service.</summary>
    public static void Prune(ISqlSession session, ServiceKey service) => session.Enqueue(
        $"""
        DELETE FROM registry_events WHERE namespace = $1 AND service_group = $2 AND service = $3 AND position < (
            SELECT position FROM registry_events WHERE namespace = $1 AND service_group = $2 AND service = $3
            ORDER BY position DESC LIMIT 1 OFFSET {PerService - 1})
        """,
        service.Namespace, service.Group, service.Service);

    /// <summary>Removes what is too old, of whichever service.</summary>
    public static void Purge(ISqlSession session) => session.Enqueue(
        "DELETE FROM registry_events WHERE at < $1", session.ReadClock() - (long)Retention.TotalMilliseconds);
}

/// <summary>An event, and the node that it happened on.</summary>
internal readonly record struct StoredEvent(RegistryEvent Event, string Node);
