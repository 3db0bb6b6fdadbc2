namespace Groundwork.Kernel.Storage;

/// <summary>
/// One connection inside one transaction, used by one thread. Statements are written once for both engines: parameters
/// are <c>$1</c>, <c>$2</c>, …, and the SQL keeps to what SQLite 3.35 and PostgreSQL 13 share (upsert, RETURNING,
/// recursive CTEs; no STRICT, no <c>-&gt;&gt;</c>). Column types in migrations: BIGINT, TEXT and those of
/// <see cref="Migration"/>. A text holds no NUL character and no half of a surrogate pair.
/// </summary>
public interface ISqlSession
{
    /// <summary>Runs a statement now and returns the number of rows it changed.</summary>
    int Execute(string sql, params ReadOnlySpan<SqlValue> parameters);

    /// <summary>
    /// Runs a statement whose row count nobody needs. PostgreSQL sends it together with its neighbours, at the latest
    /// with the next <see cref="Execute"/>, <see cref="Query"/> or the commit; order is kept.
    /// </summary>
    void Enqueue(string sql, params ReadOnlySpan<SqlValue> parameters);

    /// <summary>
    /// Calls <paramref name="read"/> for each row in turn. The session takes no other statement until the last row is
    /// read.
    /// </summary>
    void Query(string sql, Action<ISqlRow> read, params ReadOnlySpan<SqlValue> parameters);

    /// <summary>
    /// The database's clock in Unix milliseconds: the server's for PostgreSQL, the host's for SQLite. Leases are judged
    /// by it.
    /// </summary>
    long ReadClock();
}

public static class SqlSessionQueries
{
    /// <summary>All rows, in order.</summary>
    public static List<T> List<T>(
        this ISqlSession session, string sql, Func<ISqlRow, T> read, params ReadOnlySpan<SqlValue> parameters)
    {
        var rows = new List<T>();
        session.Query(sql, row => rows.Add(read(row)), parameters);
        return rows;
    }

    /// <summary>The only row, or the default when there is none.</summary>
    public static T? One<T>(
        this ISqlSession session, string sql, Func<ISqlRow, T> read, params ReadOnlySpan<SqlValue> parameters)
    {
        T? found = default;
        session.Query(sql, row => found = read(row), parameters);
        return found;
    }
}
