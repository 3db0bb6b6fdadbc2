namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>The statements of one transaction on one connection.</summary>
internal sealed class SqliteSession(SqliteConnection connection, TimeProvider time) : IWriterSession
{
    private bool isReading;

    public StatementException? Refused { get; private set; }

    public Exception? GroupFailure { get; private set; }

    public bool HasChanged { get; private set; }

    public int Execute(string sql, params ReadOnlySpan<SqlValue> parameters)
    {
        var before = connection.TotalChanges;
        Run(sql, null, parameters);
        return connection.TotalChanges - before;
    }

    public void Enqueue(string sql, params ReadOnlySpan<SqlValue> parameters) => Run(sql, null, parameters);

    public void Query(string sql, Action<ISqlRow> read, params ReadOnlySpan<SqlValue> parameters) =>
        Run(sql, read, parameters);

    public long ReadClock() => time.GetUtcNow().ToUnixTimeMilliseconds();

    public void StartWrite()
    {
        HasChanged = false;
    }

    public void Flush()
    {
    }

    /// <summary>Forgets the refusal, whose statements are undone.</summary>
    public void Recover() => Refused = null;

    /// <summary>A new transaction has begun.</summary>
    public void Restart()
    {
        Refused = null;
        GroupFailure = null;
        HasChanged = false;
    }

    private void Run(string sql, Action<ISqlRow>? read, ReadOnlySpan<SqlValue> parameters)
    {
        if (isReading) throw new InvalidOperationException("The session is reading rows; read them to a list first.");
        if (GroupFailure is { } lost) throw lost;
        if (Refused is { } refused) throw refused;
        var statement = Bind(sql, parameters);
        if (!statement.IsReadOnly) HasChanged = true;
        isReading = true;
        try
        {
            while (Step(statement)) read?.Invoke(statement);
        }
        finally
        {
            isReading = false;
            statement.Reset();
        }
    }

    private SqliteStatement Bind(string sql, ReadOnlySpan<SqlValue> parameters)
    {
        try
        {
            return connection.Bind(sql, parameters);
        }
        catch (Exception exception) when (Keep(exception))
        {
            throw;
        }
    }

    private bool Step(SqliteStatement statement)
    {
        try
        {
            return connection.Step(statement);
        }
        catch (Exception exception) when (Keep(exception))
        {
            throw;
        }
    }

    /// <summary>Remembers what the delegate may swallow. Always true.</summary>
    private bool Keep(Exception exception)
    {
        if (exception is StatementException refused && !connection.IsOutsideTransaction) Refused = refused;
        else if (exception is not ArgumentException) GroupFailure = exception;
        return true;
    }
}
