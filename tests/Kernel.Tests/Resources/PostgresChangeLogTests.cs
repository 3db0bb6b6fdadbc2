using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Resources;

/// <summary>The change log on PostgreSQL, and what only two nodes can show.</summary>
public sealed class PostgresChangeLogTests(PostgresServer server) : ChangeLogContract, IAsyncLifetime
{
    private string connectionString = "";

    public async ValueTask InitializeAsync() => connectionString = await server.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override async Task<IStorage> OpenStorageAsync() => await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = connectionString }, TimeProvider.System, NullLoggerFactory.Instance,
        CancellationToken.None);

    [Fact]
    public async Task A_change_on_one_node_is_watched_on_the_other()
    {
        await using var one = await OpenAsync();
        await using var two = await OpenAsync();
        Assert.Equal(one.Changes.StoreId, two.Changes.StoreId);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        var watched = WatchAsync(two, 20, enough.Token);
        for (var number = 0; number < 20; number++) await (number % 2 == 0 ? one : two).PutAsync("a", $"{number}");
        Assert.Equal(Enumerable.Range(1, 20).Select(number => (long)number), await watched);
        Assert.Equal("19", two.TextOf("a"));
    }

    [Fact]
    public async Task Two_nodes_with_eight_writers_and_killed_connections_leave_no_gap_and_lose_nothing()
    {
        await using var one = await OpenAsync();
        await using var two = await OpenAsync();
        var each = LongRun.Count(usual: 25, whole: 500);
        using var enough = new CancellationTokenSource(TimeSpan.FromMinutes(5), TimeProvider.System);
        var watches = new[] { WatchAsync(one, 8 * each, enough.Token), WatchAsync(two, 8 * each, enough.Token) };
        using var writing = new CancellationTokenSource();
        var killing = KillConnectionsAsync(writing.Token);
        var acknowledged = await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            var node = writer % 2 == 0 ? one : two;
            var revisions = new List<long>();
            for (var number = 0; number < each; number++)
            {
                var outcome = await node.CommitAsync(OpenLog.Toy($"w{writer}", new Toy($"{number}")));
                Assert.True(outcome.Succeeded, outcome.Fault?.ToString());
                revisions.Add(outcome.Value.Revision);
            }
            return revisions;
        }));
        await writing.CancelAsync();
        Assert.True(await killing > 0, "no connection was killed");
        var expected = Enumerable.Range(1, 8 * each).Select(number => (long)number).ToList();
        Assert.Equal(expected, acknowledged.SelectMany(revisions => revisions).Order());
        foreach (var watch in watches) Assert.Equal(expected, await watch);
    }

    private async Task<int> KillConnectionsAsync(CancellationToken stop)
    {
        var random = LongRun.Random();
        var killed = 0;
        while (!stop.IsCancellationRequested)
        {
            var count = await server.QueryAsync(
                "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE datname = "
                + $"'{new Npgsql.NpgsqlConnectionStringBuilder(connectionString).Database}' ORDER BY random() LIMIT "
                + "1) one");
            killed += Convert.ToInt32(count, System.Globalization.CultureInfo.InvariantCulture);
            await Task.Delay(
                TimeSpan.FromMilliseconds(random.Next(20, 120)), TimeProvider.System, CancellationToken.None);
        }
        return killed;
    }

    [Fact]
    public async Task A_stalled_holder_of_a_lease_cannot_write_late()
    {
        await using var one = await OpenAsync();
        await using var two = await OpenAsync();
        Task<long?> AcquireAsync(OpenLog node, string holder) => node.Storage.WriteAsync(
            session => ClusterStore.Acquire(session, "work", holder, leaseMilliseconds: 300), CancellationToken.None);
        var first = await AcquireAsync(one, "one");
        Assert.Null(await AcquireAsync(two, "two"));
        // Node one does not renew, as if it were stopped; by the database's clock its lease ends.
        long? second = null;
        await Eventually.TrueAsync(
            async () => (second = await AcquireAsync(two, "two")) is not null, "the lease passes on");
        Assert.True(second > first);
        Changeset Under(long? token) => new(OpenLog.Admin, [OpenLog.Toy("a", new Toy($"{token}"))])
        {
            Fence = new FencingToken("work", token!.Value), // Both were acquired.
        };
        Assert.Equal(ErrorCodes.LeaseLost, (await one.Changes.CommitAsync(Under(first), CancellationToken.None))
            .Fault?.Error);
        Assert.True((await two.Changes.CommitAsync(Under(second), CancellationToken.None)).Succeeded);
        Assert.Equal($"{second}", two.TextOf("a"));
    }

    [Fact]
    public async Task A_node_whose_database_is_gone_answers_from_memory_and_refuses_writes_until_it_is_back()
    {
        await using var own = new PostgresServer();
        await own.StartAsync();
        connectionString = await own.CreateDatabaseAsync();
        await using var log = await OpenAsync();
        await log.PutAsync("a", "before");
        await own.CrashAsync();
        Assert.Equal("before", log.TextOf("a"));
        Assert.Equal(ErrorCodes.StorageUnavailable, (await log.CommitAsync(OpenLog.Toy("a", new Toy("lost"))))
            .Fault?.Error);
        await own.StartAsync();
        await Eventually.TrueAsync(
            async () =>
                (await log.CommitAsync(OpenLog.Toy("a", new Toy("after")))).Succeeded, "writes are taken again");
        Assert.Equal("after", log.TextOf("a"));
    }
}
