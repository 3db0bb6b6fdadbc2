using Groundwork.Wire;
using Npgsql;

namespace Groundwork.Kernel.Storage.Postgres;

/// <summary>A bounded pool of connections; each read runs in one repeatable-read, read-only transaction.</summary>
internal sealed class PostgresReaders : IAsyncDisposable
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastBackoff = TimeSpan.FromMilliseconds(500);

    /// <summary>A read that takes longer has lost its server, or should be several.</summary>
    private const int StatementTimeoutSeconds = 30;

    private readonly ReadQueue queue;
    private readonly NpgsqlDataSource source;
    private readonly string ownConnectionString;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stopping = new();

    public PostgresReaders(PostgresOptions options, TimeProvider time)
    {
        this.time = time;
        queue = new ReadQueue(options.Readers);
        KeepThreadsFree(options.Readers);
        ownConnectionString = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            Pooling = false,
            Timeout = 3,
            IncludeFailedBatchedCommand = true,
            ApplicationName = "groundwork-backup",
        }.ConnectionString;
        source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            MaxPoolSize = options.Readers,
            Timeout = 3,
            CommandTimeout = StatementTimeoutSeconds,
            MaxAutoPrepare = StorageLimits.MaxPreparedStatements,
            AutoPrepareMinUsages = 2,
            IncludeFailedBatchedCommand = true, // Tells whose statement it was that the server refused.
            ApplicationName = "groundwork-reader",
            NoResetOnClose = true, // A read-only transaction leaves nothing behind to be reset.
        });
    }

    public Task<T> ReadAsync<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken) =>
        queue.RunAsync(() => Read(read, cancellationToken), cancellationToken);

    /// <summary>
    /// One read of as long as it takes, on a connection of its own. It is not repeated: what it read may have been sent
    /// on.
    /// </summary>
    public Task<T> ReadAllAsync<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            try
            {
                using var connection = new NpgsqlConnection(ownConnectionString);
                connection.Open();
                return ReadOnce(connection, read, timeoutSeconds: 0);
            }
            catch (Exception exception) when (exception is RetryGroupException or NpgsqlException)
            {
                throw new StorageException(new Fault(ErrorCodes.StorageUnavailable, exception.Message), exception);
            }
        },
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await queue.DisposeAsync();
        await source.DisposeAsync();
    }

    /// <summary>Runs the read, and again while the database is away, up to the limit that writes have.</summary>
    private T Read<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var backoff = FirstBackoff;
        while (true)
        {
            try
            {
                using var connection = Open();
                return ReadOnce(connection, read, StatementTimeoutSeconds);
            }
            catch (RetryGroupException lost)
            {
                source.Clear(); // The other idle connections are most likely lost as well.
                if (time.GetElapsedTime(started) > StorageLimits.MaxUnavailableWait || stopping.IsCancellationRequested)
                {
                    throw new StorageException(
                        new Fault(ErrorCodes.StorageUnavailable, lost.Message) { RetryAfter = TimeSpan.FromSeconds(
                            1) }, lost);
                }

                cancellationToken.WaitHandle.WaitOne(backoff);
                cancellationToken.ThrowIfCancellationRequested();
                backoff = backoff * 2 < LastBackoff ? backoff * 2 : LastBackoff;
            }
        }
    }

    private static T ReadOnce<T>(NpgsqlConnection connection, Func<ISqlSession, T> read, int timeoutSeconds)
    {
        var session = new PostgresSession(connection) { TimeoutSeconds = timeoutSeconds };
        session.Begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        session.StartWrite();
        try
        {
            var result = read(session);
            if (session.GroupFailure is RetryGroupException lost) throw lost; // The delegate swallowed it.
            return result;
        }
        finally
        {
            if (session.WasSent && session.GroupFailure is not RetryGroupException) End(connection);
        }
    }

    /// <summary>
    /// A read blocks its thread, and the event that it waits for may itself need a thread of the pool. Were all of them
    /// in reads, the whole process would stand still until the pool adds one, half a second later; on two cores two
    /// reads are enough. So the pool may always have a thread for every core beside those that read.
    /// </summary>
    private static void KeepThreadsFree(int readers)
    {
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + readers), completions);
    }

    private NpgsqlConnection Open()
    {
        try
        {
            return source.OpenConnection();
        }
        catch (Exception exception)
        {
            throw PostgresFailure.Connecting(exception);
        }
    }

    private static void End(NpgsqlConnection connection)
    {
        try
        {
            using var command = new NpgsqlCommand("ROLLBACK", connection);
            command.ExecuteNonQuery();
        }
        catch (NpgsqlException)
        {
            // The rows are read, and a broken connection does not go back to the pool.
        }
    }
}
