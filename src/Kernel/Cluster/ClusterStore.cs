using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Cluster;

/// <summary>All SQL of the cluster: nodes, named leases, shared counters. Times are the database's clock.</summary>
internal static class ClusterStore
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("cluster", 1,
            """
            CREATE TABLE cluster_nodes(
                name {key} PRIMARY KEY, incarnation BIGINT NOT NULL, lease_until BIGINT NOT NULL, about TEXT NOT NULL)
            """,
            """
            CREATE TABLE cluster_leases(
                name {key} PRIMARY KEY, holder TEXT NOT NULL, token BIGINT NOT NULL, lease_until BIGINT NOT NULL)
            """,
            // One row per node: what it used of its hottest keys. Worthless after a crash of the database, so not
            // logged there.
            "CREATE {unlogged} TABLE cluster_counters(node {key} PRIMARY KEY, at BIGINT NOT NULL, used TEXT NOT NULL)"),
    ];

    /// <summary>
    /// The incarnation of a process that begins under a name: the database's time, and more than any before it.
    /// </summary>
    public static long NextIncarnation(ISqlSession session, string name)
    {
        var last = session.One("SELECT incarnation FROM cluster_nodes WHERE name = $1", row => row.Int64(0), name);
        return Math.Max(session.ReadClock(), last + 1);
    }

    /// <summary>Extends a node's lease; false when a newer incarnation of the same name has taken it.</summary>
    public static bool RenewNode(ISqlSession session, NodeRow node, long leaseMilliseconds)
    {
        var until = session.ReadClock() + leaseMilliseconds;
        return session.Execute(
            """
            INSERT INTO cluster_nodes(name, incarnation, lease_until, about) VALUES($1, $2, $3, $4)
            ON CONFLICT(name) DO UPDATE SET
                incarnation = excluded.incarnation, lease_until = excluded.lease_until, about = excluded.about
            WHERE cluster_nodes.incarnation <= excluded.incarnation
            """,
            node.Name, node.Incarnation, until, node.About) == 1;
    }

    public static void EndNode(ISqlSession session, string name, long incarnation) => session.Execute(
        "UPDATE cluster_nodes SET lease_until = $1 WHERE name = $2 AND incarnation = $3",
        session.ReadClock(), name, incarnation);

    /// <summary>Forgets nodes that are long gone, and what they counted.</summary>
    public static void ForgetNodes(ISqlSession session, long deadBefore)
    {
        session.Enqueue("DELETE FROM cluster_nodes WHERE lease_until < $1", deadBefore);
        session.Enqueue(
            """
            DELETE FROM cluster_counters WHERE at < $1 AND NOT EXISTS (
                SELECT 1 FROM cluster_nodes WHERE cluster_nodes.name = cluster_counters.node)
            """,
            deadBefore);
    }

    public static List<NodeRow> ReadNodes(ISqlSession session) => session.List(
        "SELECT name, incarnation, about, lease_until FROM cluster_nodes ORDER BY name",
        row => new NodeRow(row.Text(0), row.Int64(1), row.Text(2), row.Int64(3)));

    /// <summary>
    /// Takes a lease that is free, expired or already ours, always with a greater token: a process that was restarted
    /// outranks the one before it of the same name. Null: another holds it.
    /// </summary>
    public static long? Acquire(ISqlSession session, string name, string holder, long leaseMilliseconds)
    {
        var now = session.ReadClock();
        return session.One(
            """
            INSERT INTO cluster_leases(name, holder, token, lease_until) VALUES($1, $2, 1, $3)
            ON CONFLICT(name) DO UPDATE SET
                token = cluster_leases.token + 1, holder = excluded.holder, lease_until = excluded.lease_until
            WHERE cluster_leases.lease_until <= $4 OR cluster_leases.holder = excluded.holder
            RETURNING token
            """,
            row => (long?)row.Int64(0), name, holder, now + leaseMilliseconds, now);
    }

    /// <summary>
    /// Extends a lease that is still held under this token, even when late: nobody else has taken it.
    /// </summary>
    public static bool Renew(ISqlSession session, FencingToken token, string holder, long leaseMilliseconds) =>
        session.Execute(
            "UPDATE cluster_leases SET lease_until = $1 WHERE name = $2 AND holder = $3 AND token = $4",
            session.ReadClock() + leaseMilliseconds, token.Lease, holder, token.Token) == 1;

    public static void Release(ISqlSession session, FencingToken token, string holder) => session.Execute(
        "UPDATE cluster_leases SET lease_until = 0 WHERE name = $1 AND holder = $2 AND token = $3",
        token.Lease, holder, token.Token);

    /// <summary>The token in force; 0 for a lease nobody has ever held.</summary>
    public static long ReadToken(ISqlSession session, string name) => session.One(
        "SELECT token FROM cluster_leases WHERE name = $1", row => row.Int64(0), name);

    public static List<LeaseRow> ReadLeases(ISqlSession session) => session.List(
        "SELECT name, holder, token, lease_until FROM cluster_leases ORDER BY name",
        row => new LeaseRow(row.Text(0), row.Text(1), row.Int64(2), row.Int64(3)));

    /// <summary>Writes what this node used and reads what the others did, in one round.</summary>
    public static List<CounterRow> ExchangeCounters(ISqlSession session, string node, string used)
    {
        session.Enqueue(
            """
            INSERT INTO cluster_counters(node, at, used) VALUES($1, $2, $3)
            ON CONFLICT(node) DO UPDATE SET at = excluded.at, used = excluded.used
            """,
            node, session.ReadClock(), used);
        return session.List(
            "SELECT node, at, used FROM cluster_counters WHERE node <> $1",
            row => new CounterRow(row.Text(0), row.Int64(1), row.Text(2)), node);
    }
}

/// <summary>A node as the others see it.</summary>
/// <param name="Incarnation">Start time in Unix milliseconds of the database's clock; a restart under the same name
/// outranks the old process.</param>
/// <param name="About">JSON for people: addresses, version, modules.</param>
/// <param name="LeaseUntil">Unix milliseconds of the database's clock.</param>
internal sealed record NodeRow(string Name, long Incarnation, string About, long LeaseUntil = 0);

/// <summary>A named lease.</summary>
internal sealed record LeaseRow(string Name, string Holder, long Token, long LeaseUntil);

/// <summary>What a node used of its hottest keys.</summary>
internal sealed record CounterRow(string Node, long At, string Used);
