using Groundwork.Kernel.Storage;

namespace Groundwork.Services.KeyValue;

/// <summary>
/// The rows of the table. Each is a key as of one revision, until the revision that replaced it; what is now has no
/// such end. All of it runs inside somebody's transaction.
/// </summary>
internal static class RowStore
{
    /// <summary>Stands where nothing has replaced a row.</summary>
    private const long Never = long.MaxValue;

    /// <summary>The revision of an empty table, as clients of etcd know it.</summary>
    private const long FirstRevision = 1;

    /// <summary>A restored store goes on at the next multiple: above whatever the lost days have shown.</summary>
    private const long RestoreStep = 1L << 32;

    private const string Columns =
        "r.key, r.value, r.created, r.revision, r.version, r.lease, r.flags, r.lock_index, l.session";

    private const string Source = "keyvalue_rows r LEFT JOIN keyvalue_leases l ON l.id = r.lease";

    public static IReadOnlyList<string> Tables { get; } =
    [
        """
        CREATE TABLE keyvalue_head (
            id {id} PRIMARY KEY, revision BIGINT NOT NULL, compacted BIGINT NOT NULL, compacted_at BIGINT NOT NULL,
            purged BIGINT NOT NULL, forgotten BIGINT NOT NULL, sessions BIGINT NOT NULL, swept_at BIGINT NOT NULL,
            epoch BIGINT NOT NULL)
        """,
        """
        CREATE TABLE keyvalue_rows (
            revision BIGINT NOT NULL, sub BIGINT NOT NULL, key {blob} NOT NULL, superseded BIGINT NOT NULL,
            removed BIGINT NOT NULL, created BIGINT NOT NULL, version BIGINT NOT NULL, lease BIGINT NOT NULL,
            flags BIGINT NOT NULL, lock_index BIGINT NOT NULL, value {blob} NOT NULL,
            PRIMARY KEY (revision, sub))
        """,
        "CREATE INDEX keyvalue_rows_live ON keyvalue_rows (superseded, key)",
        "CREATE INDEX keyvalue_rows_key ON keyvalue_rows (key, revision)",
        "CREATE INDEX keyvalue_rows_lease ON keyvalue_rows (lease) WHERE lease <> 0",
    ];

    /// <summary>Makes the first row, or goes on above everything that a restored store may have shown.</summary>
    /// <param name="epoch">Grows when the store was restored from a backup.</param>
    public static void Begin(ISqlSession session, long epoch)
    {
        session.Execute(
            """
            INSERT INTO keyvalue_head (
                id, revision, compacted, compacted_at, purged, forgotten, sessions, swept_at, epoch)
            VALUES (1, $1, 0, 0, 0, 0, 1, 0, $2) ON CONFLICT (id) DO NOTHING
            """,
            FirstRevision,
            epoch);
        var (revision, sessions, known) = session.One(
            "SELECT revision, sessions, epoch FROM keyvalue_head WHERE id = 1",
            row => (row.Int64(0), row.Int64(1), row.Int64(2)));
        if (epoch <= known) return;
        session.Execute(
            "UPDATE keyvalue_head SET revision = $1, sessions = $2, epoch = $3 WHERE id = 1",
            (revision / RestoreStep + 1) * RestoreStep,
            (sessions / RestoreStep + 1) * RestoreStep,
            epoch);
    }

    public static KeyHead ReadHead(ISqlSession session) => session.One(
        "SELECT revision, compacted, purged, forgotten, sessions FROM keyvalue_head WHERE id = 1",
        row => new KeyHead(row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4)));

    public static void WriteHead(ISqlSession session, long revision, long sessions) => session.Enqueue(
        "UPDATE keyvalue_head SET revision = $1, sessions = $2 WHERE id = 1", revision, sessions);

    /// <summary>The keys of a range in their order.</summary>
    /// <param name="revision">As of then; null for now.</param>
    public static List<KeyEntry> List(ISqlSession session, KeyRange range, long? revision, int limit)
    {
        var (where, values) = Select(range, revision);
        return session.List(
            $"SELECT {Columns} FROM {Source} WHERE {where} ORDER BY r.key LIMIT {Place(values)}",
            ReadEntry,
            [.. values, limit]);
    }

    public static long Count(ISqlSession session, KeyRange range, long? revision)
    {
        var (where, values) = Select(range, revision);
        return session.One($"SELECT COUNT(*) FROM keyvalue_rows r WHERE {where}", row => row.Int64(0), [.. values]);
    }

    /// <summary>Bytes of the values that are now in a range.</summary>
    public static long CountBytes(ISqlSession session, KeyRange range, long? revision)
    {
        var (where, values) = Select(range, revision);
        return session.One(
            $"SELECT SUM(LENGTH(r.value)) FROM keyvalue_rows r WHERE {where}", row => row.Int64OrNull(0) ?? 0,
            [.. values]);
    }

    /// <summary>The last revision, of those that are still known, that changed something there; 0 for none.</summary>
    public static long LastChange(ISqlSession session, KeyRange range)
    {
        var (where, values) = Where(range);
        return session.One(
            $"SELECT MAX(r.revision) FROM keyvalue_rows r WHERE {where}", row => row.Int64OrNull(0) ?? 0, [.. values]);
    }

    /// <summary>
    /// The changes there from a revision on, in order, whole revisions only.
    /// </summary>
    /// <returns>The changes, and true when there may be more.</returns>
    public static (List<KeyChange> Changes, bool More) Changes(
        ISqlSession session, KeyRange range, long from, int limit)
    {
        var (where, values) = Where(range);
        var start = Place(values);
        var found = session.List(
            $"""
            SELECT {Columns}, r.removed FROM {Source} WHERE {where} AND r.revision >= {start}
            ORDER BY r.revision, r.sub LIMIT {limit + 1}
            """,
            ReadChange,
            [.. values, from]);
        if (found.Count <= limit) return (found, false);
        var last = found[^1].Entry.Revision;
        if (found[0].Entry.Revision != last)
        {
            found.RemoveAll(change => change.Entry.Revision == last);
            return (found, true);
        }
        // One revision alone has more than that: a lease that held them, or a range that was deleted.
        return (session.List(
            $"SELECT {Columns}, r.removed FROM {Source} WHERE {where} AND r.revision = {start} ORDER BY r.sub",
            ReadChange,
            [.. values, last]), true);
    }

    /// <summary>The keys that changed after a revision, in order.</summary>
    public static List<(long Revision, byte[] Key)> ChangedKeys(ISqlSession session, long after, int limit) =>
        session.List(
            $"SELECT revision, key FROM keyvalue_rows WHERE revision > $1 ORDER BY revision, sub LIMIT {limit}",
            row => (row.Int64(0), row.Blob(1)),
            after);

    /// <summary>The key as it was until a revision; null when it was not, or that is no longer known.</summary>
    public static KeyEntry? Before(ISqlSession session, byte[] key, long revision) => session.One(
        $"""
        SELECT {Columns} FROM {Source} WHERE r.superseded = $1 AND r.key = $2 AND r.revision < $1 AND r.removed = 0
        """,
        ReadEntry,
        revision,
        key);

    /// <summary>The keys that a lease holds, in their order.</summary>
    public static List<KeyEntry> OfLease(ISqlSession session, long lease) => session.List(
        $"""
        SELECT {Columns} FROM {Source}
        WHERE r.lease = $1 AND r.lease <> 0 AND r.superseded = {Never} ORDER BY r.key
        """,
        ReadEntry,
        lease);

    /// <summary>Writes a key as of a revision in place of what it was.</summary>
    /// <param name="sub">Its place among the changes of the revision.</param>
    public static void Put(ISqlSession session, KeyEntry entry, int sub)
    {
        Supersede(session, entry.Key, entry.Revision);
        session.Enqueue(
            $"""
            INSERT INTO keyvalue_rows (revision, sub, key, superseded, removed, created, version, lease, flags,
                lock_index, value)
            VALUES ($1, $2, $3, {Never}, 0, $4, $5, $6, $7, $8, $9)
            """,
            entry.Revision, sub, entry.Key, entry.Created, entry.Version, entry.Lease, entry.Flags, entry.LockIndex,
            entry.Value);
    }

    /// <summary>Ends a key at a revision. The row that says so is itself no longer what is.</summary>
    public static void Remove(ISqlSession session, byte[] key, long revision, int sub)
    {
        Supersede(session, key, revision);
        session.Enqueue(
            """
            INSERT INTO keyvalue_rows (revision, sub, key, superseded, removed, created, version, lease, flags,
                lock_index, value)
            VALUES ($1, $2, $3, $1, 1, 0, 0, 0, 0, 0, $4)
            """,
            revision, sub, key, Array.Empty<byte>());
    }

    /// <summary>Moves the floor up; what is below can no longer be read.</summary>
    public static void Compact(ISqlSession session, long revision, long now) => session.Execute(
        "UPDATE keyvalue_head SET compacted = $1, compacted_at = $2 WHERE id = 1 AND compacted < $1", revision, now);

    /// <summary>Removes some of the rows that a compaction before the time given left behind.</summary>
    /// <returns>True when there may be more.</returns>
    public static bool Purge(ISqlSession session, long compactedBefore, int limit)
    {
        var (compacted, at, purged) = session.One(
            "SELECT compacted, compacted_at, purged FROM keyvalue_head WHERE id = 1",
            row => (row.Int64(0), row.Int64(1), row.Int64(2)));
        if (compacted <= purged || at >= compactedBefore) return false;
        var rows = session.List(
            $"""
            SELECT revision, sub, removed FROM keyvalue_rows WHERE superseded <= $1
            ORDER BY superseded, key LIMIT {limit}
            """,
            row => (Revision: row.Int64(0), Sub: row.Int64(1), IsRemoval: row.Int64(2) != 0),
            compacted);
        foreach (var row in rows)
            session.Enqueue("DELETE FROM keyvalue_rows WHERE revision = $1 AND sub = $2", row.Revision, row.Sub);
        if (rows.Where(row => row.IsRemoval).Select(row => row.Revision).DefaultIfEmpty().Max() is var last and > 0)
            session.Enqueue("UPDATE keyvalue_head SET forgotten = $1 WHERE id = 1 AND forgotten < $1", last);
        if (rows.Count == limit) return true;
        session.Enqueue("UPDATE keyvalue_head SET purged = $1 WHERE id = 1", compacted);
        return false;
    }

    private static void Supersede(ISqlSession session, byte[] key, long revision) => session.Enqueue(
        $"UPDATE keyvalue_rows SET superseded = $1 WHERE superseded = {Never} AND key = $2", revision, key);

    private static (string Sql, List<SqlValue> Values) Select(KeyRange range, long? revision)
    {
        var (where, values) = Where(range);
        if (revision is not { } at) return ($"r.superseded = {Never} AND {where}", values);
        var place = Place(values);
        values.Add(at);
        return ($"{where} AND r.revision <= {place} AND r.superseded > {place} AND r.removed = 0", values);
    }

    private static (string Sql, List<SqlValue> Values) Where(KeyRange range) => range switch
    {
        { IsSingle: true } => ("r.key = $1", [range.From]),
        { Below: { } below } => ("r.key >= $1 AND r.key < $2", [range.From, below]),
        _ => ("r.key >= $1", [range.From]),
    };

    private static string Place(List<SqlValue> values) => $"${values.Count + 1}";

    private static KeyEntry ReadEntry(ISqlRow row) => new(
        row.Blob(0), row.Blob(1), row.Int64(2), row.Int64(3), row.Int64(4), row.Int64(5), row.Int64(6), row.Int64(7),
        row.TextOrNull(8));

    private static KeyChange ReadChange(ISqlRow row) => new(ReadEntry(row), row.Int64(9) != 0);
}
