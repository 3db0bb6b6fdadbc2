using System.Text.Json;
using Groundwork.Kernel.Storage;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Services.Registry.Probing;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Storing;

/// <summary>
/// The registry's tables. Every row has a place in one store-wide sequence, taken under the store's writer lock, so
/// that a reader who has seen a place has seen everything before it.
/// </summary>
/// <param name="isShared">True when other nodes may write to the store.</param>
internal sealed class RegistryStore(IStorage storage, string nodeName, bool isShared)
{
    /// <summary>
    /// Numbers that nodes may have shown to callers beyond what is written. A start begins above them; so many changes
    /// do not happen in the second or the outage that a node may write behind.
    /// </summary>
    public const long Reserve = 1 << 20;

    /// <summary>A restored store goes on here, as its revisions do: above whatever the lost days have shown.</summary>
    private const long RestoreStep = 1L << 32;

    /// <summary>Rows of one transaction: it holds the store's writer lock for some tens of milliseconds.</summary>
    public const int MaxRowsPerWrite = 2000;

    /// <summary>Rows of one read of what others wrote.</summary>
    private const int MaxRowsPerRead = 5000;

    /// <summary>How long a removed instance's row stays, so that nodes that poll can see it go.</summary>
    private static readonly TimeSpan RemovalRetention = TimeSpan.FromMinutes(10);

    private const string Columns =
        "namespace, service_group, service, id, position, owner, writer, incarnation, reason, principal, document, "
        + "cause";

    public static IReadOnlyList<Migration> Migrations { get; } = [First(), Second()];

    private static Migration First() => new(
        "registry",
        1,
        """
        CREATE TABLE registry_sequence (
            id {id} PRIMARY KEY, position BIGINT NOT NULL, reserved BIGINT NOT NULL, floor BIGINT NOT NULL,
            epoch BIGINT NOT NULL)
        """,
        """
        CREATE TABLE registry_services (
            namespace {key} NOT NULL, service_group {key} NOT NULL, service {key} NOT NULL,
            position BIGINT NOT NULL, empty_reason TEXT,
            PRIMARY KEY (namespace, service_group, service)) {clustered}
        """,
        "CREATE INDEX registry_services_position ON registry_services (position)",
        """
        CREATE TABLE registry_instances (
            namespace {key} NOT NULL, service_group {key} NOT NULL, service {key} NOT NULL, id {key} NOT NULL,
            position BIGINT NOT NULL, owner TEXT NOT NULL, writer TEXT NOT NULL, incarnation BIGINT NOT NULL,
            removed BIGINT NOT NULL, removed_at BIGINT, reason TEXT, principal TEXT, document TEXT NOT NULL,
            cause TEXT NOT NULL,
            PRIMARY KEY (namespace, service_group, service, id))
        """,
        "CREATE INDEX registry_instances_position ON registry_instances (position)",
        """
        CREATE TABLE registry_nodes (name {key} NOT NULL PRIMARY KEY, seen BIGINT NOT NULL) {clustered}
        """);

    private static Migration Second() => new(
        "registry",
        2,
        [
            .. EventStore.Tables,
            .. ProbeStore.Tables,
            .. ConsumerStore.Tables,
            "ALTER TABLE registry_nodes ADD COLUMN behind TEXT",
        ]);

    /// <summary>True when other nodes may write to the store.</summary>
    public bool IsShared => isShared;

    /// <summary>Other nodes' commits, when the store can tell.</summary>
    public event Action? CommittedElsewhere
    {
        add => storage.CommittedElsewhere += value;
        remove => storage.CommittedElsewhere -= value;
    }

    /// <summary>Begins above every number that any node may have shown.</summary>
    /// <param name="epoch">Grows when the store was restored from a backup.</param>
    /// <returns>The number to go on from.</returns>
    public Task<long> BeginAsync(long epoch, CancellationToken cancellationToken) => storage.WriteAsync(
        session =>
        {
            session.Execute(
                """
                INSERT INTO registry_sequence (id, position, reserved, floor, epoch) VALUES (1, 0, 0, 0, $1)
                ON CONFLICT (id) DO NOTHING
                """,
                epoch);
            var (reserved, known) = session.One(
                "SELECT reserved, epoch FROM registry_sequence WHERE id = 1", row => (row.Int64(0), row.Int64(1)));
            var position = epoch > known ? (reserved / RestoreStep + 1) * RestoreStep : reserved;
            session.Execute(
                "UPDATE registry_sequence SET position = $1, reserved = $2, epoch = $3 WHERE id = 1",
                position,
                position + Reserve,
                Math.Max(epoch, known));
            return position;
        },
        cancellationToken);

    /// <summary>Everything there is.</summary>
    public Task<StoredChanges> LoadAsync(CancellationToken cancellationToken) => storage.ReadAsync(
        session =>
        {
            var position = session.One("SELECT position FROM registry_sequence WHERE id = 1", row => row.Int64(0));
            return new StoredChanges(
                position,
                Complete: true,
                session.List(
                    "SELECT namespace, service_group, service, position, empty_reason FROM registry_services",
                        ReadService),
                session.List($"SELECT {Columns}, removed FROM registry_instances WHERE removed = 0", ReadInstance))
            {
                Probes = ProbeStore.Read(session, after: 0, upTo: position),
            };
        },
        cancellationToken);

    /// <summary>What was written after a position; everything when some of it is no longer known.</summary>
    public async Task<StoredChanges> ChangesAsync(long after, CancellationToken cancellationToken)
    {
        var changes = await storage.ReadAsync(session => ReadChanges(session, after), cancellationToken);
        return changes ?? await LoadAsync(cancellationToken);
    }

    /// <summary>
    /// What was removed lately, and the position up to which some of what was removed is no longer known.
    /// </summary>
    public Task<(List<Instance> Removed, long Floor)> RemovedAsync(CancellationToken cancellationToken) =>
        storage.ReadAsync(
            session => (
                session.List(
                    $"SELECT {Columns}, 0 FROM registry_instances WHERE removed = 1",
                    row => ReadInstance(row).Instance!), // Not null: the row is read as if it were not removed.
                session.One("SELECT floor FROM registry_sequence WHERE id = 1", row => row.Int64(0))),
            cancellationToken);

    /// <summary>Writes a batch in one transaction.</summary>
    public Task<WrittenBatch> WriteAsync(WriteBatch batch, CancellationToken cancellationToken) =>
        storage.WriteAsync(session => Write(session, batch), cancellationToken);

    /// <summary>Removes rows of instances that were removed long ago.</summary>
    /// <returns>How many went.</returns>
    public Task<int> PurgeAsync(CancellationToken cancellationToken) => storage.WriteAsync(
        session =>
        {
            EventStore.Purge(session);
            var before = session.ReadClock() - (long)RemovalRetention.TotalMilliseconds;
            var floor = session.One(
                "SELECT MAX(position) FROM registry_instances WHERE removed = 1 AND removed_at < $1",
                row => row.Int64OrNull(0),
                before);
            if (floor is null) return 0;
            session.Execute("UPDATE registry_sequence SET floor = $1 WHERE id = 1 AND floor < $1", floor);
            return session.Execute("DELETE FROM registry_instances WHERE removed = 1 AND removed_at < $1", before);
        },
        cancellationToken);

    /// <summary>Says that the watchers on this node were sent everything up to there.</summary>
    /// <param name="behind">The names of those that were not, for who waits for them.</param>
    public Task SetSeenAsync(long position, string? behind, CancellationToken cancellationToken) => storage.WriteAsync(
        session => session.Execute(
            """
            INSERT INTO registry_nodes (name, seen, behind) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, behind = excluded.behind
            """,
            nodeName,
            position,
            behind),
        cancellationToken);

    /// <summary>What the watchers on each node have been sent.</summary>
    public Task<Dictionary<string, SeenByNode>> SeenAsync(CancellationToken cancellationToken) => storage.ReadAsync(
        session => session.List(
                "SELECT name, seen, behind FROM registry_nodes",
                row => (Name: row.Text(0), Seen: new SeenByNode(row.Int64(1), WatcherNames.Read(row.TextOrNull(2)))))
            .ToDictionary(row => row.Name, row => row.Seen, StringComparer.Ordinal),
        cancellationToken);

    private static StoredChanges? ReadChanges(ISqlSession session, long after)
    {
        var (position, floor) = session.One(
            "SELECT position, floor FROM registry_sequence WHERE id = 1", row => (row.Int64(0), row.Int64(1)));
        if (position <= after) return new StoredChanges(after, Complete: false, [], []);
        if (floor > after) return null;
        var instances = session.List(
            $"SELECT {Columns}, removed FROM registry_instances WHERE position > $1 ORDER BY position LIMIT "
            + $"{MaxRowsPerRead}",
            ReadInstance,
            after);
        var upTo = instances.Count == MaxRowsPerRead ? instances[^1].Position : position;
        var services = session.List(
            """
            SELECT namespace, service_group, service, position, empty_reason FROM registry_services
            WHERE position > $1 AND position <= $2 ORDER BY position
            """,
            ReadService,
            after,
            upTo);
        return new StoredChanges(upTo, Complete: false, services, instances)
        {
            Probes = ProbeStore.Read(session, after, upTo),
        };
    }

    private WrittenBatch Write(ISqlSession session, WriteBatch batch)
    {
        // A statement that changes nothing and yet locks the row, in both engines.
        var (before, reserved) = session.One(
            "UPDATE registry_sequence SET position = position WHERE id = 1 RETURNING position, reserved",
            row => (row.Int64(0), row.Int64(1)));
        // Alone, this node's numbers are the store's. When another was quicker, all of the batch moves up behind it.
        var shift = batch.Lowest > before ? 0 : before + 1 - batch.Lowest;
        var position = Math.Max(before, batch.Highest + shift);
        if (position + Reserve / 2 > reserved) reserved = position + Reserve;
        session.Enqueue(
            "UPDATE registry_sequence SET position = $1, reserved = $2 WHERE id = 1", position, reserved);
        var removedAt = session.ReadClock();
        foreach (var row in batch.Instances) WriteInstance(session, row, row.Number + shift, removedAt);
        foreach (var row in batch.Services) WriteService(session, row, shift);
        foreach (var happened in batch.Events) EventStore.Write(session, happened, shift, nodeName);
        foreach (var service in batch.Pruned) EventStore.Prune(session, service);
        return new WrittenBatch(shift, position, ReadApplied(session, batch, before));
    }

    private void WriteInstance(ISqlSession session, InstanceWrite row, long position, long removedAt)
    {
        var service = row.Key.Service;
        switch (row.Kind)
        {
            case PendingKind.Registration:
                session.Enqueue(
                    Upsert + "WHERE registry_instances.incarnation <= excluded.incarnation OR "
                        + "registry_instances.removed = 1",
                    service.Namespace, service.Group, service.Service, row.Key.Id, position, row.Owner, nodeName,
                    row.Incarnation, row.Reason, row.Principal, row.Document, row.Cause);
                break;
            case PendingKind.Change:
                // Only over what this node has seen: what another wrote meanwhile is merged first, then written again.
                session.Enqueue(
                    Upsert + "WHERE registry_instances.removed = 0 AND registry_instances.position <= $13",
                    service.Namespace, service.Group, service.Service, row.Key.Id, position, row.Owner, nodeName,
                    row.Incarnation, row.Reason, row.Principal, row.Document, row.Cause, row.KnownPosition);
                break;
            default:
                // An expiry is void once another node has taken the instance over.
                session.Enqueue(
                    """
                    UPDATE registry_instances
                    SET position = $5, writer = $6, removed = 1, removed_at = $7, reason = $8, principal = $9
                    WHERE namespace = $1 AND service_group = $2 AND service = $3 AND id = $4
                        AND removed = 0 AND incarnation <= $10 AND ($11 = 0 OR owner = $6)
                    """,
                    service.Namespace, service.Group, service.Service, row.Key.Id, position, nodeName, removedAt,
                    row.Reason, row.Principal, row.Incarnation, row.Kind == PendingKind.Expiry);
                if (!row.Ephemeral) ProbeStore.Remove(session, row.Key);
                break;
        }
    }

    private const string Upsert =
        """
        INSERT INTO registry_instances (namespace, service_group, service, id, position, owner, writer, incarnation,
            reason, principal, document, cause, removed, removed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, NULL)
        ON CONFLICT (namespace, service_group, service, id) DO UPDATE SET
            position = excluded.position, owner = excluded.owner, writer = excluded.writer,
            incarnation = excluded.incarnation, reason = excluded.reason, principal = excluded.principal,
            document = excluded.document, cause = excluded.cause, removed = 0, removed_at = NULL

        """;

    private static void WriteService(ISqlSession session, ServiceWrite row, long shift)
    {
        var key = row.Key;
        if (row.Number == PendingService.Forgotten)
            session.Enqueue(
                "DELETE FROM registry_services WHERE namespace = $1 AND service_group = $2 AND service = $3",
                key.Namespace, key.Group, key.Service);
        else
            session.Enqueue(
                """
                INSERT INTO registry_services (namespace, service_group, service, position, empty_reason)
                VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (namespace, service_group, service) DO UPDATE SET
                    position = excluded.position, empty_reason = excluded.empty_reason
                """,
                key.Namespace, key.Group, key.Service, row.Number + shift, row.EmptyReason);
    }

    /// <summary>The instances of the batch whose rows are now ours; null when every one must be.</summary>
    private HashSet<InstanceKey>? ReadApplied(ISqlSession session, WriteBatch batch, long before)
    {
        if (!IsShared || !batch.HasConditions) return null;
        var applied = new HashSet<InstanceKey>();
        session.Query(
            "SELECT namespace, service_group, service, id FROM registry_instances WHERE position > $1 AND writer = $2",
            row => applied.Add(new InstanceKey(new ServiceKey(row.Text(0), row.Text(1), row.Text(2)), row.Text(3))),
            before,
            nodeName);
        return applied;
    }

    private static StoredService ReadService(ISqlRow row) => new(
        new ServiceKey(row.Text(0), row.Text(1), row.Text(2)), row.Int64(3), row.TextOrNull(4));

    private static StoredInstance ReadInstance(ISqlRow row)
    {
        var key = new InstanceKey(new ServiceKey(row.Text(0), row.Text(1), row.Text(2)), row.Text(3));
        var removed = row.Int64(12) != 0;
        return new StoredInstance(
            key,
            row.Int64(4),
            row.Text(5),
            row.Text(6),
            row.Int64(7),
            row.TextOrNull(8),
            row.TextOrNull(9),
            removed ? null : ReadDocument(row.Text(10), row.Text(11)));
    }

    private static Instance ReadDocument(string json, string cause)
    {
        var document = JsonSerializer.Deserialize(json, WireJson.Lenient.InstanceDocument)
            ?? throw new InvalidDataException("A stored instance is null.");
        return InstanceDocuments.Read(
            document, Enum.TryParse<HealthCause>(cause, out var known) ? known : HealthCause.Instance);
    }
}
