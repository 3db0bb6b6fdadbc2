using System.Buffers;
using System.Text;
using SQLitePCL;

namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>
/// One connection with its prepared statements, used by one thread at a time. It is opened without SQLite's mutexes.
/// </summary>
internal sealed class SqliteConnection : IDisposable
{
    private const int StatusPagesWritten = 9; // SQLITE_DBSTATUS_CACHE_WRITE, which the binding does not name.
    private const int MaxStackBytes = 512;

    // Throws on half a surrogate pair, as PostgreSQL does, instead of writing a replacement character.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly sqlite3 handle;
    private readonly Dictionary<string, SqliteStatement> statements = new(StringComparer.Ordinal);

    private SqliteConnection(sqlite3 handle) => this.handle = handle;

    /// <summary>Rows changed since the connection was opened.</summary>
    public int TotalChanges => raw.sqlite3_total_changes(handle);

    /// <summary>SQLite has rolled the transaction back by itself, or there is none.</summary>
    public bool IsOutsideTransaction => raw.sqlite3_get_autocommit(handle) != 0;

    public static SqliteConnection Open(string path, bool readOnly, TimeSpan busyTimeout)
    {
        var flags = raw.SQLITE_OPEN_NOMUTEX
            | (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        var code = raw.sqlite3_open_v2(path, out var handle, flags, null);
        if (code != raw.SQLITE_OK)
        {
            var failure = SqliteFailure.From(code, handle);
            raw.sqlite3_close_v2(handle);
            throw failure;
        }

        raw.sqlite3_extended_result_codes(handle, 1);
        raw.sqlite3_busy_timeout(handle, (int)busyTimeout.TotalMilliseconds);
        return new SqliteConnection(handle);
    }

    /// <summary>
    /// Runs a statement without parameters that is not worth keeping, and returns the first column of its only row.
    /// </summary>
    public string? Pragma(string sql)
    {
        Check(raw.sqlite3_prepare_v2(handle, sql, out var statement));
        using (statement)
        {
            var code = raw.sqlite3_step(statement);
            if (code is not (raw.SQLITE_ROW or raw.SQLITE_DONE)) throw SqliteFailure.From(code, handle);
            return code == raw.SQLITE_ROW ? raw.sqlite3_column_text(statement, 0).utf8_to_string() : null;
        }
    }

    /// <summary>Prepares the statement or finds it prepared, and binds the parameters.</summary>
    public SqliteStatement Bind(string sql, ReadOnlySpan<SqlValue> parameters)
    {
        if (!statements.TryGetValue(sql, out var statement))
        {
            if (statements.Count >= StorageLimits.MaxPreparedStatements) DropStatements();
            Check(raw.sqlite3_prepare_v3(handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var prepared));
            statement = new SqliteStatement(prepared, sql);
            statements.Add(sql, statement);
        }

        var numbers = statement.ParameterNumbers;
        for (var index = 1; index < numbers.Length; index++)
        {
            var number = numbers[index];
            if (number > parameters.Length)
                throw new ArgumentException($"${number} of the statement has no value: {sql}", nameof(parameters));
            Check(Bind(statement.Handle, index, parameters[number - 1]));
        }

        return statement;
    }

    /// <summary>One step; true with a row.</summary>
    public bool Step(SqliteStatement statement)
    {
        var code = raw.sqlite3_step(statement.Handle);
        return code == raw.SQLITE_ROW
            || (code == raw.SQLITE_DONE ? false : throw SqliteFailure.From(code, handle));
    }

    /// <summary>Runs a statement without parameters to its end.</summary>
    public void Run(string sql)
    {
        var statement = Bind(sql, []);
        try
        {
            while (Step(statement))
            {
            }
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>Pages that this connection wrote to the write-ahead log since it was last asked.</summary>
    public int TakePagesWritten()
    {
        raw.sqlite3_db_status(handle, StatusPagesWritten, out var pages, out _, 1);
        return pages;
    }

    /// <summary>
    /// Copies the log to the database file as far as readers allow, and with <paramref name="restart"/> waits for them.
    /// Frames in the log and how many of them are copied; -1 where it could not tell.
    /// </summary>
    public (int LogFrames, int Checkpointed) Checkpoint(bool restart)
    {
        // A checkpoint that cannot finish is no failure: the log keeps what is not copied, and the next one goes on.
        raw.sqlite3_wal_checkpoint_v2(
            handle,
            "main",
            restart ? raw.SQLITE_CHECKPOINT_RESTART : raw.SQLITE_CHECKPOINT_PASSIVE,
            out var logFrames,
            out var checkpointed);
        return (logFrames, checkpointed);
    }

    public void SetBusyTimeout(TimeSpan timeout) => raw.sqlite3_busy_timeout(handle, (int)timeout.TotalMilliseconds);

    public void Dispose()
    {
        DropStatements();
        raw.sqlite3_close_v2(handle);
        handle.Dispose();
    }

    private static int Bind(sqlite3_stmt statement, int index, SqlValue value)
    {
        switch (value.Type)
        {
            case SqlType.Int64:
                return raw.sqlite3_bind_int64(statement, index, value.Int64);
            case SqlType.Blob:
                return raw.sqlite3_bind_blob(statement, index, value.Blob.Span);
            case SqlType.Text:
                return BindText(statement, index, value.Text);
            default:
                return raw.sqlite3_bind_null(statement, index);
        }
    }

    private static int BindText(sqlite3_stmt statement, int index, string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("A text parameter holds a NUL character.", nameof(text));
        if (text.Length == 0) return raw.sqlite3_bind_text(statement, index, ""); // An empty span would bind NULL.
        var maxBytes = Utf8.GetMaxByteCount(text.Length);
        if (maxBytes <= MaxStackBytes)
        {
            Span<byte> small = stackalloc byte[MaxStackBytes];
            return raw.sqlite3_bind_text(statement, index, small[..Utf8.GetBytes(text, small)]);
        }

        var rented = ArrayPool<byte>.Shared.Rent(maxBytes);
        try
        {
            return raw.sqlite3_bind_text(statement, index, rented.AsSpan(0, Utf8.GetBytes(text, rented)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void DropStatements()
    {
        foreach (var statement in statements.Values) statement.Handle.Dispose();
        statements.Clear();
    }

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK) throw SqliteFailure.From(code, handle);
    }
}
