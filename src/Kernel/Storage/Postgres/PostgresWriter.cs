using System.Security.Cryptography;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Groundwork.Kernel.Storage.Postgres;

/// <summary>
/// The connection that writes: it holds the store's lock for each group, leaves the group's number in a row of its own,
/// and by that number finds out after a broken connection whether the group was committed. Used by the writer's thread
/// only.
/// </summary>
internal sealed partial class PostgresWriter : IWriterConnection
{
    public const string Channel = "groundwork";

    private const string Lock = "SELECT id FROM storage_head WHERE id = 1 FOR UPDATE";

    /// <summary>
    /// What the server does about a writer that stalls inside its transaction, stopped or cut off, and holds the lock
    /// for all nodes: it ends it after 5 s. A group's own statements take milliseconds.
    /// </summary>
    private const string StallLimits =
        "-c lock_timeout=5000 -c idle_in_transaction_session_timeout=5000 "
        + "-c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c tcp_user_timeout=5000";

    /// <summary>A statement of a group that takes longer has lost its server.</summary>
    private const int StatementTimeoutSeconds = 10;

    /// <summary>At most so often; a commit in between is told with the next. Hearers are promised 200 ms.</summary>
    private static readonly TimeSpan NotifyInterval = TimeSpan.FromMilliseconds(10);

    private readonly byte[] id = RandomNumberGenerator.GetBytes(16);
    private readonly string connectionString;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private NpgsqlConnection? connection;
    private PostgresSession? session;
    private long number; // Of the last group begun; the marker's content.
    private long notifiedAt;
    private bool mustNotify;

    public PostgresWriter(PostgresOptions options, TimeProvider time, ILogger log)
    {
        this.time = time;
        this.log = log;
        connectionString = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            Pooling = false,
            Timeout = 3, // Seconds to connect, within the limit of a waiting write.
            CommandTimeout = StatementTimeoutSeconds,
            MaxAutoPrepare = StorageLimits.MaxPreparedStatements,
            AutoPrepareMinUsages = 2,
            IncludeFailedBatchedCommand = true, // Tells whose statement it was that the server refused.
            ApplicationName = ApplicationName,
            Options = $"{new NpgsqlConnectionStringBuilder(options.ConnectionString).Options} {StallLimits}".Trim(),
        }.ConnectionString;
    }

    /// <summary>Names this writer to the listener of the same node, and its sessions to the server.</summary>
    public string Id => Convert.ToHexStringLower(id);

    public string ServerVersion { get; private set; } = "";

    private string ApplicationName => $"groundwork-writer-{Id}"; // Shorter than the server's 63 characters.

    /// <summary>
    /// Makes the tables that storage itself needs, and forgets markers from before <paramref name="oldest"/>.
    /// </summary>
    public void Prepare(IEnumerable<string> statements, DateTimeOffset oldest)
    {
        try
        {
            Connect();
            Run("BEGIN");
            foreach (var statement in statements) Run(statement);
            Run("DELETE FROM storage_groups WHERE at < $1", oldest.ToUnixTimeMilliseconds());
            Run("COMMIT");
        }
        catch (Exception exception) when (IsLost(exception))
        {
            Disconnect();
            if (exception is StorageException) throw;
            throw new StorageException(new Fault(ErrorCodes.StorageUnavailable, exception.Message), exception);
        }
    }

    public IWriterSession Begin(bool isExclusive)
    {
        var open = Connect();
        number++;
        open.TimeoutSeconds = isExclusive ? 0 : StatementTimeoutSeconds;
        open.Begin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", Lock);
        if (isExclusive) open.Add("SET LOCAL idle_in_transaction_session_timeout = 0");
        return open;
    }

    public void SetSavepoint() => session!.SetSavepoint(); // These four come between Begin and the transaction's end.

    public void ReleaseSavepoint() => session!.ReleaseSavepoint();

    public void UndoToSavepoint() => session!.UndoToSavepoint();

    public void Commit()
    {
        session!.Add(
            """
            INSERT INTO storage_groups (writer, number, at) VALUES ($1, $2, $3)
            ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at
            """,
            id,
            number,
            time.GetUtcNow());
        session.Commit("COMMIT");
        mustNotify = true;
    }

    public void RollBack()
    {
        if (session is null || connection is null) return;
        if (session.GroupFailure is RetryGroupException || connection.State != System.Data.ConnectionState.Open)
        {
            Disconnect();
            return;
        }

        if (!session.WasSent) return;
        try
        {
            using var command = new NpgsqlCommand("ROLLBACK", connection);
            command.ExecuteNonQuery();
        }
        catch (Exception exception) when (IsLost(exception))
        {
            Disconnect(); // The server rolls back what has no connection.
        }
    }

    public bool Resolve()
    {
        Disconnect();
        try
        {
            Connect();
            // The old session may still be committing. End it, then wait for the lock, which it holds to its end.
            Run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> "
                + "pg_backend_pid()",
                ApplicationName);
            Run("BEGIN");
            Run(Lock);
            var last = Run("SELECT number FROM storage_groups WHERE writer = $1", id);
            Run("COMMIT");
            return last is long committed && committed == number;
        }
        catch (Exception exception) when (IsLost(exception))
        {
            Disconnect();
            throw new RetryGroupException(exception.Message, isInDoubt: true, exception);
        }
    }

    public TimeSpan Settle(bool writesWait)
    {
        if (!mustNotify) return Timeout.InfiniteTimeSpan;
        var elapsed = time.GetElapsedTime(notifiedAt);
        if (notifiedAt != 0 && elapsed < NotifyInterval) return NotifyInterval - elapsed;
        try
        {
            Connect();
            // After the commit and outside it: inside, all of the server's commits would queue for the notification
            // lock. Nothing is lost with a notification, so nobody waits for its sync.
            Run($"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{Channel}', $1)", Id);
            notifiedAt = time.GetTimestamp();
            mustNotify = false;
            return Timeout.InfiniteTimeSpan;
        }
        catch (Exception exception) when (IsLost(exception))
        {
            LogNotifyFailed(log, exception);
            Disconnect();
            notifiedAt = time.GetTimestamp();
            return StorageLimits.MaxUnavailableWait; // The next group reconnects; else try again by and by.
        }
    }

    public void Dispose() => Disconnect();

    private static bool IsLost(Exception exception) => exception is NpgsqlException or RetryGroupException
        or StorageException or IOException or TimeoutException or InvalidOperationException;

    private PostgresSession Connect()
    {
        if (session is not null && connection?.State == System.Data.ConnectionState.Open) return session;
        Disconnect();
        try
        {
            connection = new NpgsqlConnection(connectionString);
            connection.Open();
            session = new PostgresSession(connection);
            ServerVersion = connection.ServerVersion;
            // An acknowledged write is on disk: a server that is set to answer earlier is told to wait. Stronger
            // settings stay.
            Run(
                """
                SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
                """);
            if (Run("SELECT current_setting('fsync')") is "off") LogNoSync(log);
            return session;
        }
        catch (Exception exception) when (exception is not RetryGroupException)
        {
            Disconnect();
            throw PostgresFailure.Connecting(exception);
        }
    }

    private object? Run(string sql, params ReadOnlySpan<object> parameters)
    {
        using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return command.ExecuteScalar();
    }

    private void Disconnect()
    {
        try
        {
            connection?.Dispose();
        }
        catch (Exception exception) when (IsLost(exception))
        {
            LogDisconnect(log, exception); // It is lost one way or the other.
        }

        connection = null;
        session = null;
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "PostgreSQL runs with fsync=off: a crash of its host loses acknowledged writes.")]
    private static partial void LogNoSync(ILogger log);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "Other nodes were not notified of a commit; they will poll.")]
    private static partial void LogNotifyFailed(ILogger log, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Closing a connection failed.")]
    private static partial void LogDisconnect(ILogger log, Exception exception);
}
