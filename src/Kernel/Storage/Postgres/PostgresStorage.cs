using Groundwork.Kernel.Storage.Backup;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Storage.Postgres;

/// <summary>
/// The engine for more than one node: each node has one writer connection that takes the store's lock per group, a
/// bounded pool of readers, and a listener.
/// </summary>
public sealed class PostgresStorage : IStorage, IStorageContent
{
    // Two nodes that open an empty database at once would both create the tables, which IF NOT EXISTS does not prevent.
    private static readonly string[] Preparation =
    [
        "SELECT pg_advisory_xact_lock(7402019)",
        "CREATE TABLE IF NOT EXISTS storage_head (id BIGINT PRIMARY KEY)",
        "INSERT INTO storage_head (id) VALUES (1) ON CONFLICT DO NOTHING",
        "CREATE TABLE IF NOT EXISTS storage_groups (writer BYTEA PRIMARY KEY, number BIGINT NOT NULL, at BIGINT NOT "
        + "NULL)",
        SqlDialect.Postgres.Translate(MigrationStore.CreateTable),
    ];

    /// <summary>
    /// Markers of writers that ended are kept this long; a running writer renews its own with each group.
    /// </summary>
    private static readonly TimeSpan MarkerRetention = TimeSpan.FromDays(7);

    private readonly GroupWriter writer;
    private readonly PostgresReaders readers;
    private PostgresWriter? connection; // Set when the writer's thread has opened it.
    private PostgresListener? listener; // Set by OpenAsync.

    private PostgresStorage(PostgresOptions options, TimeProvider time, ILogger log)
    {
        writer = new GroupWriter(
            () =>
            {
                connection = new PostgresWriter(options, time, log);
                connection.Prepare(Preparation, time.GetUtcNow() - MarkerRetention);
                return connection;
            },
            time,
            log);
        readers = new PostgresReaders(options, time);
    }

    public event Action? CommittedElsewhere;

    SqlDialect IStorageContent.Dialect => SqlDialect.Postgres;

    public string Engine => $"postgresql {connection?.ServerVersion}";

    /// <summary>Connects, and makes the storage's own tables when there are none.</summary>
    /// <exception cref="StorageException"><c>storage_unavailable</c>.</exception>
    public static async Task<PostgresStorage> OpenAsync(
        PostgresOptions options, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var log = logs.CreateLogger<PostgresStorage>();
        var storage = new PostgresStorage(options, time, log);
        await storage.writer.StartAsync();
        storage.listener = new PostgresListener(
            options,
            storage.connection!.Id, // Opened by StartAsync.
            () => storage.CommittedElsewhere?.Invoke(),
            time,
            log);
        return storage;
    }

    public void Attach(IWriteGroupObserver observer) => writer.Attach(observer);

    public Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancellationToken)
    {
        MigrationStore.Check(migrations);
        return writer.WriteAsync(
            session => MigrationStore.Run(session, SqlDialect.Postgres, migrations),
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
        readers.ReadAllAsync(read, cancellationToken);

    Task<T> IStorageContent.ReplaceAsync<T>(Func<ISqlSession, T> write, CancellationToken cancellationToken) =>
        writer.WriteAsync(write, WriteScope.Savepoint, isExclusive: true, cancellationToken);

    /// <summary>Finishes the writes and reads that were taken, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        await readers.DisposeAsync();
        if (listener is not null) await listener.DisposeAsync();
    }
}
