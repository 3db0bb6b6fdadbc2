using Groundwork.Kernel.Storage;

namespace Groundwork.Services.KeyValue.Leases;

/// <summary>
/// The rows of leases and sessions, and of keys that a session has just lost. Inside somebody's transaction.
/// </summary>
internal static class LeaseStore
{
    private const string Columns =
        "id, ttl, principal, expires_at, session, name, node, deletes, lock_delay, session_index";

    public static IReadOnlyList<string> Tables { get; } =
    [
        """
        CREATE TABLE keyvalue_leases (
            id {id} PRIMARY KEY, ttl BIGINT NOT NULL, principal TEXT NOT NULL, expires_at BIGINT NOT NULL,
            session {key}, name TEXT NOT NULL, node TEXT NOT NULL, deletes BIGINT NOT NULL, lock_delay BIGINT NOT NULL,
            session_index BIGINT NOT NULL)
        """,
        "CREATE UNIQUE INDEX keyvalue_leases_session ON keyvalue_leases (session)",
        "CREATE INDEX keyvalue_leases_expires_at ON keyvalue_leases (expires_at)",
        "CREATE TABLE keyvalue_lock_delays (key {blob} NOT NULL PRIMARY KEY, until BIGINT NOT NULL)",
    ];

    public static Lease? Find(ISqlSession session, long id) =>
        session.One($"SELECT {Columns} FROM keyvalue_leases WHERE id = $1", Read, id);

    public static Lease? FindSession(ISqlSession session, string id) =>
        session.One($"SELECT {Columns} FROM keyvalue_leases WHERE session = $1", Read, id);

    public static List<Lease> List(ISqlSession session, bool sessions) => session.List(
        $"SELECT {Columns} FROM keyvalue_leases WHERE session IS {(sessions ? "NOT NULL" : "NULL")} ORDER BY id",
        Read);

    /// <summary>The ids of all leases that are no sessions.</summary>
    public static HashSet<long> Ids(ISqlSession session) => [.. session.List(
        "SELECT id FROM keyvalue_leases WHERE session IS NULL", row => row.Int64(0))];

    public static long Count(ISqlSession session) =>
        session.One("SELECT COUNT(*) FROM keyvalue_leases", row => row.Int64(0));

    public static void Put(ISqlSession session, Lease lease) => session.Enqueue(
        $"""
        INSERT INTO keyvalue_leases ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        lease.Id, (long)lease.Ttl.TotalMilliseconds, lease.Principal, lease.ExpiresAt, lease.Session, lease.Name,
        lease.Node, lease.DeletesKeys, (long)lease.LockDelay.TotalMilliseconds, lease.Index);

    public static void SetEnd(ISqlSession session, Lease lease) =>
        session.Enqueue("UPDATE keyvalue_leases SET expires_at = $1 WHERE id = $2", lease.ExpiresAt, lease.Id);

    public static void Remove(ISqlSession session, long id) =>
        session.Enqueue("DELETE FROM keyvalue_leases WHERE id = $1", id);

    /// <summary>Those that are over, the first to end first.</summary>
    public static List<Lease> Due(ISqlSession session, long now, int limit) => session.List(
        $"SELECT {Columns} FROM keyvalue_leases WHERE expires_at <= $1 ORDER BY expires_at LIMIT {limit}", Read, now);

    /// <summary>When somebody last looked for leases that are over, and when the next one is; null for none.</summary>
    public static (long SweptAt, long? NextEnd) Sweep(ISqlSession session)
    {
        var swept = session.One("SELECT swept_at FROM keyvalue_head WHERE id = 1", row => row.Int64(0));
        var next = session.One(
            "SELECT MIN(expires_at) FROM keyvalue_leases WHERE expires_at < $1", row => row.Int64OrNull(0),
            Lease.Never);
        return (swept, next);
    }

    public static void SetSwept(ISqlSession session, long now) =>
        session.Enqueue("UPDATE keyvalue_head SET swept_at = $1 WHERE id = 1", now);

    /// <summary>Gives every lease that ends by itself at least its whole time from now.</summary>
    public static int ExtendAll(ISqlSession session, long now) => session.Execute(
        "UPDATE keyvalue_leases SET expires_at = $1 + ttl WHERE expires_at < $1 + ttl", now);

    /// <summary>Nobody may acquire the key until then.</summary>
    public static void Delay(ISqlSession session, byte[] key, long until) => session.Enqueue(
        """
        INSERT INTO keyvalue_lock_delays (key, until) VALUES ($1, $2)
        ON CONFLICT (key) DO UPDATE SET until = excluded.until
        """,
        key,
        until);

    public static long? DelayOf(ISqlSession session, byte[] key) => session.One(
        "SELECT until FROM keyvalue_lock_delays WHERE key = $1", row => (long?)row.Int64(0), key);

    public static void ForgetDelays(ISqlSession session, long now) =>
        session.Enqueue("DELETE FROM keyvalue_lock_delays WHERE until <= $1", now);

    private static Lease Read(ISqlRow row) => new(
        row.Int64(0), TimeSpan.FromMilliseconds(row.Int64(1)), row.Text(2), row.Int64(3))
    {
        Session = row.TextOrNull(4),
        Name = row.Text(5),
        Node = row.Text(6),
        DeletesKeys = row.Int64(7) != 0,
        LockDelay = TimeSpan.FromMilliseconds(row.Int64(8)),
        Index = row.Int64(9),
    };
}
