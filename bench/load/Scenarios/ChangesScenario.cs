using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Load.Peers;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// What an acknowledged change costs in process, all of it: authorise, validate, decide against head, digest and link,
/// history, fsync, snapshot published. Beside it the same storage with one bare insert a write, which is the floor
/// under it.
/// </summary>
internal sealed class ChangesScenario : Scenario
{
    private const int SpecBytes = 500;

    /// <summary>
    /// Resources that the writers change in turn: more than any cache line's worth, fewer than a kind may have.
    /// </summary>
    private const int Resources = 10_000;

    public override string Name => "changes";

    public override string Question => "How many acknowledged changes a second, in process, synchronous=FULL?";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("change log, SQLite", StartOnSqliteAsync),
        .. PostgresDatabase.Server is null
            ? Array.Empty<Contender>()
            : [new("change log, PostgreSQL", StartOnPostgresAsync)],
        new("bare grouped inserts, SQLite", StartBareAsync),
    ];

    private static async Task<Running> StartOnSqliteAsync(LoadOptions options)
    {
        var directory = Directory.CreateTempSubdirectory("groundwork-load-");
        var storage = await OpenAsync(directory);
        return await StartLogAsync(options, storage, async () =>
        {
            Console.Error.WriteLine($"  {storage.Engine}, {storage.WriterSettings}");
            await storage.DisposeAsync();
            directory.Delete(recursive: true);
        });
    }

    private static async Task<Running> StartOnPostgresAsync(LoadOptions options)
    {
        var database = await PostgresDatabase.CreateAsync();
        var storage = await PostgresStorage.OpenAsync(
            new PostgresOptions { ConnectionString = database.ConnectionString },
            TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        return await StartLogAsync(options, storage, async () =>
        {
            await storage.DisposeAsync();
            await database.DisposeAsync();
        });
    }

    private static async Task<Running> StartLogAsync(LoadOptions options, IStorage storage, Func<Task> end)
    {
        var log = await BenchLog.OpenAsync(storage, RootKey.Generate());
        var author = new Principal("operator:load", [BuiltInRoles.Administrator]);
        var counters = new int[options.Workers];
        return new Running(
            async (worker, cancellation) =>
            {
                var number = counters[worker]++;
                var key = new ResourceKey(
                    "bench", Names.DefaultNamespace, $"r{(number * options.Workers + worker) % Resources}");
                var change = new Change(ChangeOperation.Put, key, Spec(worker, number));
                var outcome = await log.CommitAsync(new Changeset(author, [change]) { Reason = "load" }, cancellation);
                if (!outcome.Succeeded) throw new InvalidDataException(outcome.Fault.ToString());
            },
            null,
            async () =>
            {
                await log.DisposeAsync();
                await end();
            });
    }

    private static async Task<Running> StartBareAsync(LoadOptions options)
    {
        var directory = Directory.CreateTempSubdirectory("groundwork-load-");
        var storage = await OpenAsync(directory);
        await storage.MigrateAsync(
            [new Migration("bare", 1, "CREATE TABLE bare_rows(id {id} PRIMARY KEY, spec {blob} NOT NULL)")],
                CancellationToken.None);
        var last = 0L;
        var counters = new int[options.Workers];
        return new Running(
            (worker, cancellation) =>
            {
                var spec = Spec(worker, counters[worker]++);
                var id = Interlocked.Increment(ref last);
                return storage.WriteAsync(
                    session =>
                    {
                        session.Enqueue("INSERT INTO bare_rows VALUES($1, $2)", id, spec);
                        return true;
                    },
                    cancellation,
                    WriteScope.Group);
            },
            null,
            async () =>
            {
                await storage.DisposeAsync();
                directory.Delete(recursive: true);
            });
    }

    private static Task<SqliteStorage> OpenAsync(DirectoryInfo directory) => SqliteStorage.OpenAsync(
        new SqliteOptions { Path = Path.Combine(directory.FullName, "store.db") },
        TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);

    private static byte[] Spec(int worker, int number)
    {
        var head = $$"""{"text":"{{worker}} {{number}} """;
        return Encoding.UTF8.GetBytes(head + new string('x', SpecBytes - head.Length - 2) + "\"}");
    }
}
