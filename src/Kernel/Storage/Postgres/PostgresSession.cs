using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Groundwork.Kernel.Storage.Postgres;

/// <summary>
/// The statements of one transaction on one connection. Those that return nothing are kept back and sent together with
/// the next one that does, in one round trip; the server runs them in order and skips the rest after a refusal.
/// </summary>
internal sealed class PostgresSession(NpgsqlConnection connection) : IWriterSession
{
    /// <summary>Statements kept back at most, which bounds their memory.</summary>
    private const int MaxPending = 1_024;

    // PostgreSQL refuses half a surrogate pair, and Npgsql finds out in the middle of a message; better here.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<Pending> pending = [];
    private readonly List<Pending> sent = []; // The last batch, to find whose statement was refused.
    private int write; // Number of the write at hand; commands carry it to find whose refusal it was.
    // Where in pending the savepoint of this write stands; -1 when it was sent or is not set.
    private int savepoint = -1;
    private bool lockIsPending; // The one pending statement that returns a row.
    private bool isReading;

    /// <summary>Seconds a statement may take; 0 is no limit.</summary>
    public int TimeoutSeconds { get; set; }

    public StatementException? Refused { get; private set; }

    public Exception? GroupFailure { get; private set; }

    public bool HasChanged { get; private set; }

    /// <summary>The transaction is open on the server, because something was sent.</summary>
    public bool WasSent { get; private set; }

    public void Begin(string begin, string? lockStatement = null)
    {
        pending.Clear();
        Refused = null;
        GroupFailure = null;
        WasSent = false;
        savepoint = -1;
        Keep(begin, []);
        lockIsPending = lockStatement is not null;
        if (lockStatement is not null) Keep(lockStatement, []);
    }

    public void StartWrite()
    {
        write++;
        HasChanged = false;
    }

    public int Execute(string sql, params ReadOnlySpan<SqlValue> parameters)
    {
        Check();
        HasChanged = true;
        var command = Keep(sql, parameters);
        Send(isCommit: false);
        return Math.Max(0, command.RecordsAffected); // -1 is a statement that has no rows.
    }

    public void Enqueue(string sql, params ReadOnlySpan<SqlValue> parameters)
    {
        Check();
        HasChanged = true;
        Keep(sql, parameters);
        // A statement that returns rows would stand before those of the next query.
        if (pending.Count >= MaxPending || !ReturnsNothing(sql)) Send(isCommit: false);
    }

    public void Query(string sql, Action<ISqlRow> read, params ReadOnlySpan<SqlValue> parameters)
    {
        Check();
        if (!sql.AsSpan().TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase)) HasChanged = true;
        Keep(sql, parameters);
        isReading = true;
        try
        {
            Read(read);
        }
        finally
        {
            isReading = false;
        }
    }

    public long ReadClock()
    {
        long now = 0;
        Query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", row => now = row.Int64(0));
        return now;
    }

    public void Flush()
    {
        Check();
        if (pending.Count > 0) Send(isCommit: false);
    }

    public void SetSavepoint()
    {
        savepoint = pending.Count;
        Keep("SAVEPOINT write", []);
    }

    public void ReleaseSavepoint()
    {
        savepoint = -1;
        Keep("RELEASE SAVEPOINT write", []);
    }

    public void UndoToSavepoint()
    {
        Refused = null;
        if (savepoint >= 0)
        {
            // Nothing of this write was sent yet: it is enough to forget it.
            pending.RemoveRange(savepoint + 1, pending.Count - savepoint - 1);
            return;
        }

        pending.Clear(); // What was kept since the last sending is of this write alone.
        Keep("ROLLBACK TO SAVEPOINT write", []);
    }

    /// <summary>Sends the rest and the end of the transaction in one round trip.</summary>
    public void Commit(string end)
    {
        Check();
        Keep(end, []);
        Send(isCommit: true);
    }

    /// <summary>Adds a statement that belongs to the commit.</summary>
    public void Add(string sql, params ReadOnlySpan<SqlValue> parameters) => Keep(sql, parameters);

    private static bool ReturnsNothing(string sql)
    {
        var start = sql.AsSpan().TrimStart();
        var isChange = start.StartsWith("INSERT", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("UPDATE", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("DELETE", StringComparison.OrdinalIgnoreCase);
        return isChange && !sql.Contains("RETURNING", StringComparison.OrdinalIgnoreCase);
    }

    private static NpgsqlParameter Parameter(SqlValue value) => value.Type switch
    {
        SqlType.Int64 => new NpgsqlParameter<long> { TypedValue = value.Int64, NpgsqlDbType = NpgsqlDbType.Bigint },
        SqlType.Text =>
            new NpgsqlParameter<string> { TypedValue = Checked(value.Text), NpgsqlDbType = NpgsqlDbType.Text },
        SqlType.Blob => new NpgsqlParameter<ReadOnlyMemory<byte>>
        {
            TypedValue = value.Blob, NpgsqlDbType = NpgsqlDbType.Bytea,
        },
        _ => new NpgsqlParameter { Value = DBNull.Value },
    };

    private static string Checked(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("A text parameter holds a NUL character.", nameof(text));
        _ = Utf8.GetByteCount(text);
        return text;
    }

    private void Check()
    {
        if (isReading) throw new InvalidOperationException("The session is reading rows; read them to a list first.");
        if (GroupFailure is { } lost) throw lost;
        if (Refused is { } refused) throw refused;
    }

    private NpgsqlBatchCommand Keep(string sql, ReadOnlySpan<SqlValue> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(Parameter(parameter));
        pending.Add(new Pending(command, write));
        return command;
    }

    private void Send(bool isCommit)
    {
        try
        {
            using var batch = TakeBatch();
            batch.ExecuteNonQuery();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw Remember(exception, isCommit);
        }
    }

    private void Read(Action<ISqlRow> read)
    {
        NpgsqlDataReader? reader = null;
        var row = default(PostgresRow);
        try
        {
            var skip = lockIsPending;
            using var batch = TakeBatch();
            reader = batch.ExecuteReader();
            if (skip) reader.NextResult();
            row = new PostgresRow(reader);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            reader?.Dispose();
            throw Remember(exception, isCommit: false);
        }

        using (reader)
        {
            while (Advance(reader)) read(row);
        }
    }

    private bool Advance(NpgsqlDataReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw Remember(exception, isCommit: false);
        }
    }

    private NpgsqlBatch TakeBatch()
    {
        var batch = new NpgsqlBatch(connection) { Timeout = TimeoutSeconds };
        foreach (var command in pending) batch.BatchCommands.Add(command.Command);
        sent.Clear();
        sent.AddRange(pending);
        pending.Clear();
        savepoint = -1;
        lockIsPending = false;
        WasSent = true;
        return batch;
    }

    /// <summary>Keeps what the delegate may swallow, and returns what is to be thrown.</summary>
    private Exception Remember(Exception exception, bool isCommit)
    {
        var failure = PostgresFailure.From(exception, isCommit);
        if (failure is StatementException refused)
        {
            var culprit = (exception as NpgsqlException)?.BatchCommand;
            var owner = sent.Find(command => command.Command == culprit)?.Write ?? -1;
            if (owner == write)
            {
                Refused = refused;
                return refused;
            }

            failure = new SpoiledGroupException(refused);
        }

        GroupFailure = failure;
        return failure;
    }

    private sealed record Pending(NpgsqlBatchCommand Command, int Write);
}
