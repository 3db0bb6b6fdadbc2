using Groundwork.Kernel.Storage.Backup;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>
/// The embedded engine: one file in WAL mode, written and checkpointed by one thread, read by a bounded pool of
/// read-only connections.
/// </summary>
public sealed class SqliteStorage : IStorage, IStorageContent
{
    private readonly TimeProvider time;
    private readonly GroupWriter writer;
    private readonly SqliteReaders readers;
    private SqliteWriter? connection; // Set when the writer's thread has opened it.

    private SqliteStorage(SqliteOptions options, TimeProvider time, ILogger log)
    {
        Options = options;
        this.time = time;
        writer = new GroupWriter(() => connection = new SqliteWriter(options, time, log), time, log);
        readers = new SqliteReaders(options, time);
    }

    event Action? IStorage.CommittedElsewhere
    {
        add { } // There is one node.
        remove { }
    }

    SqlDialect IStorageContent.Dialect => SqlDialect.Sqlite;

    public SqliteOptions Options { get; }

    public string Engine => $"sqlite {SqliteLibrary.Version}";

    /// <summary>What durability rests on, read back from the connection that writes.</summary>
    public SqliteWriterSettings WriterSettings => connection!.Settings; // Open from OpenAsync on.

    /// <summary>Pages of 4 KiB that went to the log since the start.</summary>
    public long PagesWritten => connection!.PagesWritten; // Open from OpenAsync on.

    /// <summary>Opens the file, makes it when there is none, and recovers it when the last process died.</summary>
    /// <exception cref="StorageException">
    /// <c>storage_unavailable</c>, <c>storage_damaged</c> or <c>storage_full</c>.
    /// </exception>
    public static async Task<SqliteStorage> OpenAsync(
        SqliteOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        _ = SqliteLibrary.Version;
        SqliteCopy.RemoveLeftOvers(options.Path);
        cancellationToken.ThrowIfCancellationRequested();
        var storage = new SqliteStorage(options, time, logs.CreateLogger<SqliteStorage>());
        await storage.writer.StartAsync();
        try
        {
            await storage.writer.WriteAsync(
                session => session.Execute(SqlDialect.Sqlite.Translate(MigrationStore.CreateTable)),
                WriteScope.Savepoint,
                isExclusive: true,
                cancellationToken);
        }
        catch
        {
            await storage.DisposeAsync();
            throw;
        }

        return storage;
    }

    public void Attach(IWriteGroupObserver observer) => writer.Attach(observer);

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        MigrationStore.Check(migrations);
        return writer.WriteAsync(
            session => MigrationStore.Run(session, SqlDialect.Sqlite, migrations),
            WriteScope.Savepoint,
            isExclusive: true,
            cancellationToken);
    }

    public Task<T> ReadAsync<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken) =>
        readers.ReadAsync(read, cancellationToken);

    public Task<T> WriteAsync<T>(
        Func<ISqlSession, T> write, CancellationToken cancellationToken, WriteScope scope = WriteScope.Savepoint) =>
        writer.WriteAsync(write, scope, isExclusive: false, cancellationToken);

    Task<T> IStorageContent.ReadAllAsync<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken) =>
        Task.Run(() => SqliteCopy.Read(Options.Path, time, read), cancellationToken);

    Task<T> IStorageContent.ReplaceAsync<T>(Func<ISqlSession, T> write, CancellationToken cancellationToken) =>
        writer.WriteAsync(write, WriteScope.Savepoint, isExclusive: true, cancellationToken);

    /// <summary>Finishes the writes and reads that were taken, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        // The writer last: the connection that closes last copies the log and removes it.
        await readers.DisposeAsync();
        await writer.DisposeAsync();
    }
}
