using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using ClusterLeases = Groundwork.Kernel.Cluster.Leases;

namespace Groundwork.Services.Registry.Probing;

/// <summary>
/// What the prober found, in rows of their own beside the instances': a registration does not take them back, and only
/// the holder of the prober's lease writes them.
/// </summary>
internal sealed class ProbeStore(IStorage storage)
{
    public static IReadOnlyList<string> Tables { get; } =
    [
        """
        CREATE TABLE registry_probes (
            namespace {key} NOT NULL, service_group {key} NOT NULL, service {key} NOT NULL, id {key} NOT NULL,
            position BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT, since BIGINT NOT NULL,
            PRIMARY KEY (namespace, service_group, service, id)) {clustered}
        """,
        "CREATE INDEX registry_probes_position ON registry_probes (position)",
    ];

    /// <summary>Writes results under the prober's lease.</summary>
    /// <exception cref="LeaseLostException">Another node probes now; nothing was written.</exception>
    public Task WriteAsync(
        FencingToken token, IReadOnlyList<ProbeResult> results, CancellationToken cancellationToken) =>
        storage.WriteAsync(
            session =>
            {
                ClusterLeases.Check(session, token);
                foreach (var result in results)
                {
                    var position = session.One(
                        """
                        UPDATE registry_sequence SET position = position + 1, reserved = CASE
                            WHEN reserved < position + 1 + $1 THEN position + 1 + $1 ELSE reserved END
                        WHERE id = 1 RETURNING position
                        """,
                        row => row.Int64(0),
                        Storing.RegistryStore.Reserve);
                    var service = result.Key.Service;
                    session.Enqueue(
                        """
                        INSERT INTO registry_probes
                            (namespace, service_group, service, id, position, state, reason, since)
                        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                        ON CONFLICT (namespace, service_group, service, id) DO UPDATE SET
                            position = excluded.position, state = excluded.state, reason = excluded.reason,
                            since = excluded.since
                        """,
                        service.Namespace, service.Group, service.Service, result.Key.Id, position,
                        InstanceWords.Of(result.Check.State), result.Check.Reason,
                        result.Check.Since.ToUnixTimeMilliseconds());
                }
                return true;
            },
            cancellationToken);

    /// <summary>What was found after a position, in order.</summary>
    public static List<ProbeResult> Read(ISqlSession session, long after, long upTo) => session.List(
        """
        SELECT namespace, service_group, service, id, state, reason, since FROM registry_probes
        WHERE position > $1 AND position <= $2 ORDER BY position
        """,
        row => new ProbeResult(
            new InstanceKey(new ServiceKey(row.Text(0), row.Text(1), row.Text(2)), row.Text(3)),
            new Check(
                Policies.EffectiveInstance.ProbeCheck,
                InstanceWords.Check(row.Text(4)) ?? CheckState.Warning,
                row.TextOrNull(5),
                DateTimeOffset.FromUnixTimeMilliseconds(row.Int64(6)),
                ProbeResult.Source)),
        after,
        upTo);

    /// <summary>An instance is deregistered; the next of its name begins without a verdict.</summary>
    public static void Remove(ISqlSession session, InstanceKey key) => session.Enqueue(
        "DELETE FROM registry_probes WHERE namespace = $1 AND service_group = $2 AND service = $3 AND id = $4",
        key.Service.Namespace, key.Service.Group, key.Service.Service, key.Id);
}

/// <summary>What the prober has come to believe of an instance.</summary>
internal sealed record ProbeResult(InstanceKey Key, Check Check)
{
    /// <summary>Who looks, as checks name it.</summary>
    public const string Source = "prober";
}
