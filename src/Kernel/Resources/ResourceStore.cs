using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// All SQL of the change log. A resource's history is the chain of <c>prior</c> rows that starts at its head.
/// </summary>
internal static class ResourceStore
{
    private const string Columns = """
        c.revision, c.seq, c.kind, c.namespace, c.name, c.op, c.version, c.labels, c.spec, c.spec_hash,
        c.prior_revision, c.prior_seq, c.author, c.reason, c.at, c.changeset, c.digest, c.link
        """;

    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("resource", 1,
            """
            CREATE TABLE resource_log(
                id BIGINT PRIMARY KEY, store_id TEXT NOT NULL, revision BIGINT NOT NULL, floor BIGINT NOT NULL,
                link {blob} NOT NULL)
            """,
            """
            CREATE TABLE resource_changes(
                revision BIGINT NOT NULL, seq BIGINT NOT NULL,
                kind {key} NOT NULL, namespace {key} NOT NULL, name {key} NOT NULL,
                op BIGINT NOT NULL, version BIGINT NOT NULL, labels TEXT NOT NULL,
                spec {blob}, spec_hash {blob} NOT NULL,
                prior_revision BIGINT, prior_seq BIGINT,
                author TEXT NOT NULL, reason TEXT NOT NULL, at BIGINT NOT NULL, changeset {blob} NOT NULL,
                digest {blob} NOT NULL, link {blob} NOT NULL,
                PRIMARY KEY(revision, seq)) {clustered}
            """,
            """
            CREATE TABLE resource_heads(
                kind {key} NOT NULL, namespace {key} NOT NULL, name {key} NOT NULL,
                revision BIGINT NOT NULL, seq BIGINT NOT NULL,
                PRIMARY KEY(kind, namespace, name)) {clustered}
            """,
            "CREATE TABLE resource_contents(hash {blob} PRIMARY KEY, content {blob} NOT NULL)",
            """
            CREATE TABLE resource_changesets(
                id {blob} PRIMARY KEY, fingerprint {blob} NOT NULL, answer TEXT NOT NULL, at BIGINT NOT NULL)
            """,
            "CREATE INDEX resource_changesets_at ON resource_changesets(at)"),
    ];

    public static LogHead? ReadHead(ISqlSession session) => session.One(
        "SELECT store_id, revision, floor, link FROM resource_log WHERE id = 1",
        row => new LogHead(row.Text(0), row.Int64(1), row.Int64(2), row.Blob(3)));

    public static void CreateHead(ISqlSession session, string storeId) => session.Execute(
        "INSERT INTO resource_log(id, store_id, revision, floor, link) VALUES(1, $1, 0, 0, $2) ON CONFLICT(id) DO "
        + "NOTHING",
        storeId, Array.Empty<byte>());

    public static void WriteHead(ISqlSession session, long revision, byte[] link) =>
        session.Enqueue("UPDATE resource_log SET revision = $1, link = $2 WHERE id = 1", revision, link);

    /// <summary>After a restore: another store, from a revision that nobody has seen yet.</summary>
    public static void MoveOn(ISqlSession session, string storeId, long revision) => session.Execute(
        "UPDATE resource_log SET store_id = $1, revision = $2 WHERE id = 1", storeId, revision);

    public static void WriteFloor(ISqlSession session, long floor) =>
        session.Execute("UPDATE resource_log SET floor = $1 WHERE id = 1", floor);

    /// <summary>
    /// Appends a version and makes it the head. The version before it is the row's own to tell, unless nothing lives
    /// under the key: then it may be a deleted one, which is looked up in passing, and only then.
    /// </summary>
    public static void Insert(ISqlSession session, ChangeRow row)
    {
        session.Enqueue(
            """
            INSERT INTO resource_changes(
                revision, seq, kind, namespace, name, op, version, labels, spec, spec_hash,
                author, reason, at, changeset, digest, link, prior_revision, prior_seq)
            VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                coalesce($17, (SELECT revision FROM resource_heads WHERE kind = $3 AND namespace = $4 AND name = $5)),
                coalesce($18, (SELECT seq FROM resource_heads WHERE kind = $3 AND namespace = $4 AND name = $5)))
            """,
            row.Revision, row.Order, row.Key.Kind, row.Key.Namespace, row.Key.Name, (long)row.Operation, row.Version,
            row.Labels, row.Spec, row.SpecHash, row.Author, row.Reason, row.At, row.ChangesetId, row.Digest, row.Link,
            row.Prior?.Revision, row.Prior?.Order);
        session.Enqueue(
            """
            INSERT INTO resource_heads(kind, namespace, name, revision, seq) VALUES($1, $2, $3, $4, $5)
            ON CONFLICT(kind, namespace, name) DO UPDATE SET revision = excluded.revision, seq = excluded.seq
            """,
            row.Key.Kind, row.Key.Namespace, row.Key.Name, row.Revision, row.Order);
    }

    public static void InsertContent(ISqlSession session, byte[] hash, ReadOnlyMemory<byte> content) => session.Enqueue(
        "INSERT INTO resource_contents(hash, content) VALUES($1, $2) ON CONFLICT(hash) DO NOTHING", hash, content);

    public static byte[]? ReadContent(ISqlSession session, byte[] hash) => session.One(
        "SELECT content FROM resource_contents WHERE hash = $1", row => row.Blob(0), hash);

    public static KnownChangeset? FindChangeset(ISqlSession session, Guid id, long notBefore) => session.One(
        "SELECT fingerprint, answer FROM resource_changesets WHERE id = $1 AND at >= $2",
        row => new KnownChangeset(row.Blob(0), row.Text(1)), id, notBefore);

    public static void InsertChangeset(ISqlSession session, Guid id, KnownChangeset known, DateTimeOffset at) =>
        session.Enqueue(
            """
            INSERT INTO resource_changesets(id, fingerprint, answer, at) VALUES($1, $2, $3, $4)
            ON CONFLICT(id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = excluded.answer, at = excluded.at
            """,
            id, known.Fingerprint, known.Answer, at);

    public static int ForgetChangesets(ISqlSession session, long before) =>
        session.Execute("DELETE FROM resource_changesets WHERE at < $1", before);

    /// <summary>The newest version of every resource that is not deleted.</summary>
    public static void ReadLive(ISqlSession session, Action<ChangeRow> read) => session.Query(
        $"""
        SELECT {Columns} FROM resource_heads h
        JOIN resource_changes c ON c.revision = h.revision AND c.seq = h.seq WHERE c.op = 0
        """,
        row => read(Read(row)));

    public static List<ChangeRow> ReadAfter(ISqlSession session, long revision, int order, int limit) => session.List(
        $"""
        SELECT {Columns} FROM resource_changes c
        WHERE c.revision > $1 OR (c.revision = $2 AND c.seq > $3) ORDER BY c.revision, c.seq LIMIT $4
        """,
        Read, revision, revision, order, limit);

    public static List<ChangeRow> ReadChangeset(ISqlSession session, long revision) => session.List(
        $"SELECT {Columns} FROM resource_changes c WHERE c.revision = $1 ORDER BY c.seq", Read, revision);

    /// <summary>Changesets newest first: whole ones, so the limit counts revisions.</summary>
    public static List<ChangeRow> ReadChangesetsBefore(ISqlSession session, long before, int revisions) => session.List(
        $"""
        SELECT {Columns} FROM resource_changes c WHERE c.revision IN (
            SELECT DISTINCT revision FROM resource_changes WHERE revision < $1 ORDER BY revision DESC LIMIT $2)
        ORDER BY c.revision DESC, c.seq
        """,
        Read, before, revisions);

    public static ChangeRow? ReadRow(ISqlSession session, long revision, int order) => session.One(
        $"SELECT {Columns} FROM resource_changes c WHERE c.revision = $1 AND c.seq = $2", Read, revision, order);

    public static (long Revision, int Order)? FindHead(ISqlSession session, ResourceKey key)
    {
        (long, int)? head = null;
        session.Query(
            "SELECT revision, seq FROM resource_heads WHERE kind = $1 AND namespace = $2 AND name = $3",
            row => head = (row.Int64(0), (int)row.Int64(1)), key.Kind, key.Namespace, key.Name);
        return head;
    }

    /// <summary>Heads of a kind in order of namespace and name, deleted ones too.</summary>
    public static List<(ResourceKey Key, long Revision, int Order)> ReadHeads(
        ISqlSession session, string kind, string afterNamespace, string afterName, int limit) => session.List(
        """
        SELECT namespace, name, revision, seq FROM resource_heads
        WHERE kind = $1 AND (namespace, name) > ($2, $3) ORDER BY namespace, name LIMIT $4
        """,
        row => (new ResourceKey(kind, row.Text(0), row.Text(1)), row.Int64(2), (int)row.Int64(3)),
        kind, afterNamespace, afterName, limit);

    /// <summary>
    /// Drops the specs of versions that a newer version at or below the floor has replaced. The rows stay: the audit
    /// chain runs through them. Returns the number of versions dropped.
    /// </summary>
    public static int DropReplaced(ISqlSession session, long from, long floor) => session.Execute(
        """
        UPDATE resource_changes SET spec = NULL, op = op + 2
        WHERE op < 2 AND revision <= $1 AND (revision, seq) IN (
            SELECT prior_revision, prior_seq FROM resource_changes
            WHERE revision > $2 AND revision <= $3 AND prior_revision IS NOT NULL)
        """,
        floor, from, floor);

    /// <summary>The revision of the change that stands so many changes after one; null when there are fewer.</summary>
    public static long? RevisionAfter(ISqlSession session, long revision, long changes) => session.One(
        "SELECT revision FROM resource_changes WHERE revision > $1 ORDER BY revision LIMIT 1 OFFSET $2",
        row => (long?)row.Int64(0), revision, changes);

    /// <summary>
    /// The newest revision that is not younger than a time, at least <paramref name="floor"/>. By halving: no index has
    /// the times, and revisions have gaps after a restore.
    /// </summary>
    public static long LastAt(ISqlSession session, long floor, long head, long at)
    {
        var (low, high) = (floor, head);
        while (low < high)
        {
            var middle = low + (high - low + 1) / 2;
            var found = session.One(
                "SELECT revision, at FROM resource_changes WHERE revision <= $1 ORDER BY revision DESC LIMIT 1",
                row => ((long Revision, long At)?)(row.Int64(0), row.Int64(1)), middle);
            if (found is not { } change || change.Revision <= low || change.At <= at) low = middle;
            else high = change.Revision - 1;
        }
        return low;
    }

    /// <summary>Forgets the heads of resources that were deleted at or below the floor.</summary>
    public static int DropDeletedHeads(ISqlSession session, long floor) => session.Execute(
        """
        DELETE FROM resource_heads WHERE revision <= $1 AND EXISTS (
            SELECT 1 FROM resource_changes c
            WHERE c.revision = resource_heads.revision AND c.seq = resource_heads.seq AND c.op IN (1, 3))
        """,
        floor);

    /// <summary>Drops contents of stored kinds that no kept version names.</summary>
    public static int DropOrphanContents(ISqlSession session) => session.Execute(
        """
        DELETE FROM resource_contents WHERE hash NOT IN (
            SELECT spec_hash FROM resource_changes WHERE op = 0 AND spec IS NULL)
        """);

    private static ChangeRow Read(ISqlRow row) => new()
    {
        Revision = row.Int64(0),
        Order = (int)row.Int64(1),
        Key = new ResourceKey(row.Text(2), row.Text(3), row.Text(4)),
        Operation = (ChangeOperation)(row.Int64(5) & 1),
        Compacted = row.Int64(5) >= 2,
        Version = (int)row.Int64(6),
        Labels = row.Text(7),
        Spec = row.BlobOrNull(8),
        SpecHash = row.Blob(9),
        Prior = row.IsNull(10) ? null : (row.Int64(10), (int)row.Int64(11)),
        Author = row.Text(12),
        Reason = row.Text(13),
        At = row.Time(14),
        ChangesetId = row.Guid(15),
        Digest = row.Blob(16),
        Link = row.Blob(17),
    };
}

/// <summary>Where the log stands.</summary>
internal sealed record LogHead(string StoreId, long Revision, long Floor, byte[] Link);

/// <summary>A changeset that the caller named, its content's fingerprint and the answer it got.</summary>
internal sealed record KnownChangeset(byte[] Fingerprint, string Answer);
