using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Groundwork.Kernel.Tests.Storage.Postgres;

/// <summary>The contract on PostgreSQL, and what only several nodes can show.</summary>
public sealed class PostgresStorageTests(PostgresServer server) : BackupContract
{
    private string connectionString = "";

    protected override Task<IStorage> OpenAsync() => OpenNodeAsync();

    protected override async Task<IStorage> OpenEmptyAsync() => await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = await server.CreateDatabaseAsync() },
        TimeProvider.System,
        NullLoggerFactory.Instance,
        Cancel);

    private async Task<IStorage> OpenNodeAsync() => await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = connectionString }, TimeProvider.System, NullLoggerFactory.Instance,
            Cancel);

    public override async ValueTask InitializeAsync()
    {
        connectionString = await server.CreateDatabaseAsync();
        await base.InitializeAsync();
    }

    [Fact]
    public async Task Two_nodes_that_start_at_once_migrate_once()
    {
        connectionString = await server.CreateDatabaseAsync();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var node = await OpenNodeAsync();
            await node.MigrateAsync(Migrations, Cancel);
            await node.WriteAsync(session => session.Execute("INSERT INTO sample_log (position, writer, item) " +
                "SELECT coalesce(max(position), 0) + 1, 0, 0 FROM sample_log"), Cancel);
        }));
        await using var after = await OpenNodeAsync();
        var (steps, rows) = await after.ReadAsync(
            session => (
                session.One("SELECT count(*) FROM storage_migrations", row => row.Int64(0)),
                session.One("SELECT max(position) FROM sample_log", row => row.Int64(0))),
            Cancel);
        Assert.Equal((2, 4), (steps, rows));
    }

    [Fact]
    public async Task Writers_of_two_nodes_take_turns_and_leave_no_gap()
    {
        await using var other = await OpenNodeAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            var node = writer % 2 == 0 ? Storage : other;
            for (var i = 0; i < 25; i++)
            {
                await node.WriteAsync(
                    session =>
                    {
                        var next = session.One(
                            "SELECT coalesce(max(position), 0) + 1 FROM sample_log", row => row.Int64(0));
                        session.Enqueue(
                            "INSERT INTO sample_log (position, writer, item) VALUES ($1, $2, $3)", next, writer, i);
                        return next;
                    },
                    Cancel);
            }
        }));
        var positions = await other.ReadAsync(
            session => session.List("SELECT position FROM sample_log ORDER BY position", row => row.Int64(0)), Cancel);
        Assert.Equal(Enumerable.Range(1, 200).Select(number => (long)number), positions);
    }

    [Fact]
    public async Task A_commit_of_another_node_is_heard_and_the_nodes_own_is_not()
    {
        await using var other = await OpenNodeAsync();
        var heardHere = 0;
        var heardThere = 0;
        Storage.CommittedElsewhere += () => Interlocked.Increment(ref heardHere);
        other.CommittedElsewhere += () => Interlocked.Increment(ref heardThere);
        // Both have said so once when they began to listen, now or before we subscribed.
        await Eventually.TrueAsync(
            async () => (long)(await server.QueryAsync(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'groundwork-listener' AND state = "
                + "'idle' "
                + "AND query LIKE 'LISTEN%' AND datname = "
                + $"'{new Npgsql.NpgsqlConnectionStringBuilder(connectionString).Database}'"))!
                == 2,
            "both listen");
        await Eventually.TrueAsync(
            async () =>
            {
                var before = Volatile.Read(ref heardThere);
                await Storage.WriteAsync(_ => 0, Cancel);
                return Volatile.Read(ref heardThere) > before;
            },
            "the other node hears a commit");
        var own = Volatile.Read(ref heardHere);
        for (var i = 0; i < 20; i++) await Storage.WriteAsync(_ => 0, Cancel);
        await other.WriteAsync(_ => 0, Cancel);
        await Eventually.TrueAsync(() => Volatile.Read(ref heardHere) > own, "this node hears the other");
        Assert.InRange(Volatile.Read(ref heardHere) - own, 1, 2);
    }

    [Fact]
    public async Task A_restart_of_the_server_under_load_loses_nothing_and_needs_nobody()
    {
        await using var own = new PostgresServer();
        connectionString = await own.CreateDatabaseAsync();
        await using var node = await OpenNodeAsync();
        await node.MigrateAsync(Migrations, Cancel);
        var load = new CountedLoad(node, writers: 8);
        foreach (var stop in new Func<Task>[] { own.RestartAsync, own.CrashAsync, own.KillAsync })
        {
            await load.WaitForMoreAsync(50);
            await stop();
            await own.StartAsync();
            await load.WaitForMoreAsync(50);
        }

        await load.StopAsync();
        await load.CheckAsync(node, Cancel);
    }

    [Fact]
    public async Task A_database_that_stays_away_fails_writes_and_reads_and_comes_back()
    {
        await using var own = new PostgresServer();
        connectionString = await own.CreateDatabaseAsync();
        await using var node = await OpenNodeAsync();
        await node.MigrateAsync(Migrations, Cancel);
        await node.WriteAsync(session => Insert(session, "before"), Cancel);
        await own.StopAsync();
        var started = TimeProvider.System.GetTimestamp();
        var write = Assert.ThrowsAsync<StorageException>(
            () => node.WriteAsync(session => Insert(session, "lost"), Cancel));
        var read = Assert.ThrowsAsync<StorageException>(
            () => node.ReadAsync(session => session.One("SELECT 1", row => row.Int64(0)), Cancel));
        Assert.Equal(ErrorCodes.StorageUnavailable, (await write).Fault.Error);
        Assert.Equal(ErrorCodes.StorageUnavailable, (await read).Fault.Error);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 4.5, 20);
        await own.StartAsync();
        await node.WriteAsync(session => Insert(session, "after"), Cancel);
        var names = await node.ReadAsync(
            session => session.List("SELECT name FROM sample_rows ORDER BY name", row => row.Text(0)), Cancel);
        Assert.Equal(["after", "before"], names);
    }

    [Fact]
    public async Task Sessions_that_are_killed_at_random_lose_no_answered_write_and_repeat_none()
    {
        var random = LongRun.Random();
        await using var other = await OpenNodeAsync();
        var loads = new[] { new CountedLoad(Storage, writers: 4), new CountedLoad(other, writers: 4, firstWriter: 4) };
        var database = new Npgsql.NpgsqlConnectionStringBuilder(connectionString).Database;
        for (var round = 0; round < LongRun.Count(usual: 20, whole: 300); round++)
        {
            foreach (var load in loads) await load.WaitForMoreAsync(random.Next(1, 10));
            await server.ExecuteAsync(
                $"""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = '{database}' AND pid <> pg_backend_pid() AND application_name LIKE 'groundwork%'
                    AND (application_name LIKE '%writer%' OR random() < 0.3) AND random() < 0.7
                """);
        }

        foreach (var load in loads) await load.StopAsync();
        foreach (var load in loads) await load.CheckAsync(other, Cancel);
    }

    [Theory]
    [InlineData("the answer to a commit")]
    [InlineData("a request")]
    public async Task A_connection_cut_at_the_commit_is_resolved_before_the_writes_are_answered(string lost)
    {
        await using var proxy = new CuttingProxy(server.Port);
        connectionString = new Npgsql.NpgsqlConnectionStringBuilder(
            connectionString) { Port = proxy.Port }.ConnectionString;
        await using var node = await OpenNodeAsync();
        var load = new CountedLoad(node, writers: 8);
        var rounds = LongRun.Count(usual: 20, whole: 300);
        for (var round = 1; round <= rounds; round++)
        {
            if (lost == "a request") proxy.CutNextRequest();
            else proxy.CutNextCommit();
            await Eventually.TrueAsync(() => proxy.Cuts == round, "the connection is cut");
            await load.WaitForMoreAsync(9);
        }

        await load.StopAsync();
        await load.CheckAsync(Storage, Cancel);
    }
}
