using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>The connection that alone writes and checkpoints. Used by the writer's thread only.</summary>
internal sealed partial class SqliteWriter : IWriterConnection
{
    /// <summary>Another process, such as a person's shell, may hold the lock this long.</summary>
    private static readonly TimeSpan BusyTimeout = StorageLimits.MaxUnavailableWait;

    /// <summary>How long a restart of the log waits for readers; writes wait with it.</summary>
    private static readonly TimeSpan RestartTimeout = TimeSpan.FromMilliseconds(100);

    private readonly SqliteConnection connection;
    private readonly SqliteSession session;
    private readonly SqliteOptions options;
    private readonly ILogger log;
    private long pagesInLog; // Written since the last checkpoint.
    private long pagesWritten;
    private bool checkpointNow; // A full disk: room is in the log that a checkpoint makes reusable.

    public SqliteWriter(SqliteOptions options, TimeProvider time, ILogger log)
    {
        this.options = options;
        this.log = log;
        CreateFile(options.Path);
        connection = SqliteConnection.Open(options.Path, readOnly: false, BusyTimeout);
        try
        {
            Settings = Configure();
            session = new SqliteSession(connection, time);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>As read back from this connection, after it set them.</summary>
    public SqliteWriterSettings Settings { get; }

    /// <summary>To the log, since the start. Read by any thread.</summary>
    public long PagesWritten => Interlocked.Read(ref pagesWritten);

    public IWriterSession Begin(bool isExclusive)
    {
        session.Restart();
        connection.Run("BEGIN IMMEDIATE");
        return session;
    }

    public void SetSavepoint() => connection.Run("SAVEPOINT write");

    public void ReleaseSavepoint() => connection.Run("RELEASE write");

    public void UndoToSavepoint()
    {
        connection.Run("ROLLBACK TO write");
        session.Recover();
    }

    public void Commit()
    {
        try
        {
            connection.Run("COMMIT");
        }
        catch (StorageException)
        {
            checkpointNow = true;
            throw;
        }
    }

    public void RollBack()
    {
        if (connection.IsOutsideTransaction) return;
        try
        {
            connection.Run("ROLLBACK");
        }
        catch (Exception exception) when (exception is StorageException or StatementException)
        {
            LogRollBackFailed(log, exception);
        }
    }

    /// <summary>A commit of SQLite that fails is known to have failed.</summary>
    public bool Resolve() => false;

    public TimeSpan Settle(bool writesWait)
    {
        var written = connection.TakePagesWritten();
        pagesInLog += written;
        Interlocked.Add(ref pagesWritten, written);
        if (pagesInLog >= options.CheckpointPages || checkpointNow || session.GroupFailure is not null) Checkpoint();
        return Timeout.InfiniteTimeSpan;
    }

    public void Dispose() => connection.Dispose();

    public static void CreateFile(string path)
    {
        if (File.Exists(path)) return;
        var creation = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        // The log and its index take the mode of the file.
        if (!OperatingSystem.IsWindows()) creation.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.Open(path, creation).Dispose();
    }

    private SqliteWriterSettings Configure()
    {
        connection.Pragma("PRAGMA page_size=4096");
        var journal = connection.Pragma("PRAGMA journal_mode=WAL");
        connection.Pragma($"PRAGMA synchronous={(options.WithoutSync ? "OFF" : "FULL")}");
        connection.Pragma("PRAGMA wal_autocheckpoint=0");
        connection.Pragma("PRAGMA temp_store=MEMORY");
        connection.Pragma("PRAGMA cache_size=-65536"); // 64 MiB: the pages that changes touch again and again.
        if (options.MaxPages > 0) connection.Pragma($"PRAGMA max_page_count={options.MaxPages}");
        var settings = new SqliteWriterSettings(
            journal ?? "",
            connection.Pragma("PRAGMA synchronous") ?? "",
            connection.Pragma("PRAGMA wal_autocheckpoint") ?? "");
        return settings.JournalMode == "wal"
            ? settings
            : throw new StorageException(new Wire.Fault(
                Wire.ErrorCodes.StorageUnavailable,
                $"The file system of {options.Path} does not allow a write-ahead log (journal mode {journal})."));
    }

    private void Checkpoint()
    {
        checkpointNow = false;
        pagesInLog = 0;
        var (frames, _) = connection.Checkpoint(restart: false);
        if (frames < options.RestartPages) return;

        // Readers that overlap for ever would let the log grow for ever: wait until those that stand in it are gone.
        // Those that come meanwhile read the database file, which is complete by now.
        connection.SetBusyTimeout(RestartTimeout);
        var (left, checkpointed) = connection.Checkpoint(restart: true);
        connection.SetBusyTimeout(BusyTimeout);
        LogRestarted(log, left, checkpointed);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A transaction could not be rolled back.")]
    private static partial void LogRollBackFailed(ILogger log, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Long reads let the write-ahead log grow to {Frames} pages; {Checkpointed} are copied.")]
    private static partial void LogRestarted(ILogger log, int frames, int checkpointed);
}

/// <summary>The settings that durability rests on, as the writer's connection reports them.</summary>
/// <param name="JournalMode"><c>wal</c>.</param>
/// <param name="Synchronous"><c>2</c> is FULL.</param>
/// <param name="WalAutoCheckpoint"><c>0</c>: the writer checkpoints by itself.</param>
public sealed record SqliteWriterSettings(string JournalMode, string Synchronous, string WalAutoCheckpoint);
