using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// What one small acknowledged write costs: one row of 100 bytes, synced. The peer writes the same rows alone, one sync
/// each, which is what a store without group commit does. PostgreSQL joins when <c>BENCH_POSTGRES</c> names
/// a database.
/// </summary>
internal sealed class StoreScenario : Scenario
{
    private const string PostgresVariable = "BENCH_POSTGRES";
    private const string Insert = "INSERT INTO bench_rows (id, writer, content) VALUES ($1, $2, $3)";

    private static readonly Migration[] Tables =
    [
        new("bench", 1,
            "CREATE TABLE bench_rows (id {id} PRIMARY KEY, writer BIGINT NOT NULL, content {blob} NOT NULL)"),
    ];

    private static readonly byte[] Content = new byte[100];

    public override string Name => "store";

    public override string Question => "How many small writes are on disk per second, and what does one cost?";

    public override IReadOnlyList<Contender> Contenders
    {
        get
        {
            var contenders = new List<Contender>
            {
                new("SQLite, grouped, no savepoint", _ => StartAsync(OpenSqliteAsync, WriteScope.Group)),
                new("SQLite, grouped, savepoint", _ => StartAsync(OpenSqliteAsync, WriteScope.Savepoint)),
            };
            if (Environment.GetEnvironmentVariable(PostgresVariable) is { } connection)
            {
                contenders.Add(new(
                    "PostgreSQL, grouped, no savepoint", _ =>
                        StartAsync(() => OpenPostgresAsync(connection), WriteScope.Group)));
                contenders.Add(new(
                    "PostgreSQL, grouped, savepoint", _ =>
                        StartAsync(() => OpenPostgresAsync(connection), WriteScope.Savepoint)));
            }

            contenders.Add(new("SQLite, one sync per write", _ => StartOneByOneAsync()));
            return contenders;
        }
    }

    private static async Task<Running> StartAsync(Func<Task<(IStorage, Func<Task>)>> open, WriteScope scope)
    {
        var (storage, end) = await open();
        await storage.MigrateAsync(Tables, CancellationToken.None);
        var next = await storage.ReadAsync(
            session =>
                session.One(
                    "SELECT coalesce(max(id), 0) FROM bench_rows", row => row.Int64(0)), CancellationToken.None);
        return new Running(
            (worker, cancellation) =>
            {
                var id = Interlocked.Increment(ref next);
                return storage.WriteAsync(
                    session =>
                    {
                        session.Enqueue(Insert, id, worker, Content);
                        return id;
                    },
                    cancellation,
                    scope);
            },
            Server: null,
            async () =>
            {
                if (storage is SqliteStorage sqlite)
                {
                    var writes = Interlocked.Read(ref next);
                    Console.Error.WriteLine(
                        $"  {sqlite.Engine} {sqlite.WriterSettings}; "
                        + $"{sqlite.PagesWritten * 4096 / Math.Max(1, writes)} bytes to the log per write");
                }

                await end();
            });
    }

    /// <summary>
    /// The same store, but each write waits for the one before it, so that every group has one member.
    /// </summary>
    private static async Task<Running> StartOneByOneAsync()
    {
        var running = await StartAsync(OpenSqliteAsync, WriteScope.Group);
        var turn = new SemaphoreSlim(1);
        return running with
        {
            Operation = async (worker, cancellation) =>
            {
                await turn.WaitAsync(cancellation);
                try
                {
                    await running.Operation(worker, cancellation);
                }
                finally
                {
                    turn.Release();
                }
            },
        };
    }

    private static async Task<(IStorage Storage, Func<Task> End)> OpenSqliteAsync()
    {
        var directory = Directory.CreateTempSubdirectory("groundwork-bench-");
        var storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = Path.Combine(directory.FullName, "store.db") },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            CancellationToken.None);
        return (storage, async () =>
        {
            await storage.DisposeAsync();
            directory.Delete(recursive: true);
        });
    }

    private static async Task<(IStorage Storage, Func<Task> End)> OpenPostgresAsync(string connection)
    {
        var storage = await PostgresStorage.OpenAsync(
            new PostgresOptions { ConnectionString = connection },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            CancellationToken.None);
        return (storage, async () => await storage.DisposeAsync());
    }
}
