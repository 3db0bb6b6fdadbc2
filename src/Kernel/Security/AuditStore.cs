using Groundwork.Kernel.Storage;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Security;

/// <summary>SQL of the chain of audit events.</summary>
internal static class AuditStore
{
    private const string Columns =
        "seq, at, node, principal, action, target, outcome, count, address, detail, digest, link";

    /// <summary>
    /// Appends rows to the one chain of the store. Its end is read here, under the writer's lock, because other nodes
    /// append to it too.
    /// </summary>
    public static long Append(ISqlSession session, IReadOnlyList<AuditRow> rows, AuditChain chain)
    {
        var (sequence, link) = ReadEnd(session);
        Span<byte> message = stackalloc byte[AuditRow.MessageBytes];
        foreach (var row in rows)
        {
            var digest = row.Digest();
            AuditRow.Message(++sequence, digest, message);
            var next = new byte[AuditChain.LinkBytes];
            chain.Link(link, message, next);
            link = next;
            session.Enqueue(
                """
                INSERT INTO security_audit(
                    seq, at, node, principal, action, target, outcome, count, address, detail, digest, link)
                VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                """,
                sequence, row.At, row.Node, row.Principal, row.Action, row.Target, row.Outcome, row.Count, row.Address,
                row.Detail, digest, link);
        }
        return sequence;
    }

    /// <summary>The last row's place and link; 0 and nothing when there is none.</summary>
    public static (long Sequence, byte[] Link) ReadEnd(ISqlSession session)
    {
        var end = (0L, Array.Empty<byte>());
        session.Query(
            "SELECT seq, link FROM security_audit ORDER BY seq DESC LIMIT 1", row => end = (row.Int64(0), row.Blob(1)));
        return end;
    }

    public static List<LinkedAuditRow> ReadAfter(ISqlSession session, long sequence, int limit) => session.List(
        $"SELECT {Columns} FROM security_audit WHERE seq > $1 ORDER BY seq LIMIT $2",
        row => new LinkedAuditRow(row.Int64(0), ReadRow(row), row.Blob(10), row.Blob(11)), sequence, limit);

    /// <summary>Newest first, older than a sequence.</summary>
    public static List<AuditEntry> ReadBefore(ISqlSession session, long before, AuditFilter filter, int limit)
    {
        List<SqlValue> parameters = [before, limit];
        var conditions = Condition("principal =", filter.Principal, parameters)
            + Condition("action =", filter.Action, parameters)
            + Condition("at >=", filter.Since, parameters)
            + Condition("at <", filter.Until, parameters)
            + (filter.Outcome == AuditFilter.Refused
                ? Condition("outcome <>", AuditLog.Ok, parameters)
                : Condition("outcome =", filter.Outcome, parameters));
        if (filter.Target is { } target)
        {
            // The sign that takes the meaning from the others is a letter that is one in no engine's settings.
            parameters.Add($"%{target.Replace("!", "!!").Replace("%", "!%").Replace("_", "!_")}%");
            conditions += $" AND lower(target) LIKE lower(${parameters.Count}) ESCAPE '!'";
        }
        return session.List(
            $"SELECT {Columns} FROM security_audit WHERE seq < $1{conditions} ORDER BY seq DESC LIMIT $2",
            row =>
            {
                var read = ReadRow(row);
                return new AuditEntry(
                    row.Int64(0), read.At, read.Principal, read.Action, read.Target, read.Outcome, read.Count,
                    read.Address, read.Detail);
            },
            [.. parameters]);
    }

    /// <summary>The target and detail of the newest event of an action on a node; null when there is none.</summary>
    public static (string Target, string? Detail)? FindLast(ISqlSession session, string action, string node)
    {
        (string, string?)? last = null;
        session.Query(
            "SELECT target, detail FROM security_audit WHERE action = $1 AND node = $2 ORDER BY seq DESC LIMIT 1",
            row => last = (row.Text(0), row.TextOrNull(1)), action, node);
        return last;
    }

    private static string Condition(string comparison, string? value, List<SqlValue> parameters) =>
        value is null ? "" : Condition(comparison, (SqlValue)value, parameters);

    private static string Condition(string comparison, DateTimeOffset? value, List<SqlValue> parameters) =>
        value is { } time ? Condition(comparison, (SqlValue)time, parameters) : "";

    private static string Condition(string comparison, SqlValue value, List<SqlValue> parameters)
    {
        parameters.Add(value);
        return $" AND {comparison} ${parameters.Count}";
    }

    private static AuditRow ReadRow(ISqlRow row) => new(
        row.Time(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.Text(6), row.Int64(7), row.TextOrNull(8),
        row.TextOrNull(9));
}
