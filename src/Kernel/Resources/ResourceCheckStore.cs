using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Resources;

/// <summary>SQL that compares what is shown with what the change rows say; the chain vouches for those.</summary>
internal static class ResourceCheckStore
{
    /// <summary>
    /// Resources up to a revision whose head is not their newest change: rolled back, taken out or put in behind the
    /// log. A resource changes at most once in a revision, so its newest revision names its newest change.
    /// </summary>
    public static List<ResourceKey> FindWrongHeads(ISqlSession session, long revision, int limit) => session.List(
        """
        SELECT c.kind, c.namespace, c.name FROM
            (SELECT kind, namespace, name, MAX(revision) AS revision FROM resource_changes
             WHERE revision <= $1 GROUP BY kind, namespace, name) n
            JOIN resource_changes c
                ON c.revision = n.revision AND c.kind = n.kind AND c.namespace = n.namespace AND c.name = n.name
            LEFT JOIN resource_heads h ON h.kind = c.kind AND h.namespace = c.namespace AND h.name = c.name
        WHERE (h.revision IS NULL AND c.op IN (0, 2))
            OR h.revision < c.revision
            OR (h.revision = c.revision AND h.seq <> c.seq)
        UNION
        SELECT h.kind, h.namespace, h.name FROM resource_heads h
            LEFT JOIN resource_changes c ON c.revision = h.revision AND c.seq = h.seq
                AND c.kind = h.kind AND c.namespace = h.namespace AND c.name = h.name
        WHERE c.revision IS NULL
        LIMIT $2
        """,
        row => new ResourceKey(row.Text(0), row.Text(1), row.Text(2)), revision, limit);

    /// <summary>Contents of stored kinds, in order of their hash, after one.</summary>
    public static List<(byte[] Hash, byte[] Content)> ReadContents(ISqlSession session, byte[] after, int limit) =>
        session.List(
        "SELECT hash, content FROM resource_contents WHERE hash > $1 ORDER BY hash LIMIT $2",
        row => (row.Blob(0), row.Blob(1)), after, limit);
}
