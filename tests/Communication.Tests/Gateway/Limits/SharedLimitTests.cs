using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Limits;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Groundwork.Communication.Tests.Gateway.Limits;

/// <summary>Two gateways over one database hold one limit together.</summary>
public abstract class SharedLimitContract
{
    private const int Limit = 200;

    /// <summary>Longer than any test, so that nothing comes back meanwhile.</summary>
    private const int Seconds = 3_600;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_gateways_let_pass_no_more_than_the_limit_and_what_is_used_within_one_exchange()
    {
        await using var storage = await OpenAsync();
        await using var a = await GatewayNode.StartAsync(storage, "a", new WindowSpec(Limit, Seconds), shared: true);
        await using var b = await GatewayNode.StartAsync(storage, "b", new WindowSpec(Limit, Seconds), shared: true);
        await KnowEachOtherAsync(a, b);

        // Both are asked evenly, and at a rate that is measured, since the overshoot is stated by it.
        var began = TimeProvider.System.GetTimestamp();
        var (passed, asked) = (0, 0);
        var refused = (A: false, B: false);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        while (!(refused.A && refused.B))
        {
            await pace.WaitForNextTickAsync(Cancel);
            asked += 2;
            Assert.InRange(asked, 0, 20 * Limit);
            if (await a.AskAsync()) passed++;
            else refused.A = true;
            if (await b.AskAsync()) passed++;
            else refused.B = true;
        }
        var rate = asked / 2 / TimeProvider.System.GetElapsedTime(began).TotalSeconds; // Of each node.

        // Numbers are exchanged every 0.2 s; twice that, since an exchange takes its time on a loaded machine.
        var bound = 2 * rate * SharedCounters.ExchangeEvery.TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{passed} of {Limit} passed at {rate:0}/s of each node; stated +{bound:0}");
        Assert.InRange(passed, Limit * 9 / 10, Limit + (int)(2 * bound) + 1);
        Assert.True(passed < 2 * Limit, "each node counted by itself");
        Assert.False(await a.AskAsync());
        // Each has heard of the other's, and says so.
        Assert.InRange(a.FromOthers, 1, passed);
        Assert.InRange(b.FromOthers, 1, passed);
    }

    [Fact]
    public async Task A_limit_that_is_not_shared_is_each_node_s_own()
    {
        await using var storage = await OpenAsync();
        await using var a = await GatewayNode.StartAsync(storage, "a", new WindowSpec(20, Seconds), shared: false);
        await using var b = await GatewayNode.StartAsync(storage, "b", new WindowSpec(20, Seconds), shared: false);
        await KnowEachOtherAsync(a, b);
        var passed = 0;
        for (var request = 0; request < 30; request++)
        {
            if (await a.AskAsync()) passed++;
            if (await b.AskAsync()) passed++;
        }
        Assert.Equal(40, passed);
        Assert.Equal((0, 0), (a.FromOthers, b.FromOthers));
    }

    [Fact]
    public async Task One_that_comes_later_knows_what_was_used_before()
    {
        await using var storage = await OpenAsync();
        await using var a = await GatewayNode.StartAsync(storage, "a", new WindowSpec(20, Seconds), shared: true);
        await using var b = await GatewayNode.StartAsync(storage, "b", new WindowSpec(20, Seconds), shared: true);
        await KnowEachOtherAsync(a, b);
        for (var request = 0; request < 20; request++) Assert.True(await a.AskAsync());
        // Told together with the requests, so that who has heard of it has heard of them.
        Assert.True(a.Counters.TryUse("mark", 1, TimeSpan.FromHours(1)));
        await Eventually.TrueAsync(
            () => b.Counters.Use("mark", TimeSpan.FromHours(1)).History > 0, "b has heard of what a used");
        Assert.False(await b.AskAsync());
    }

    private protected abstract Task<IStorage> OpenStorageAsync();

    private async Task<IStorage> OpenAsync()
    {
        var storage = await OpenStorageAsync();
        await storage.MigrateAsync([.. NodeLeases.Migrations], Cancel);
        return storage;
    }

    private static Task KnowEachOtherAsync(params GatewayNode[] nodes) => Eventually.TrueAsync(
        () => nodes.All(node => node.Nodes.Live.Count == nodes.Length), "the nodes know each other");

    /// <summary>One gateway with its part of the cluster.</summary>
    private sealed class GatewayNode(NodeLeases nodes, SharedCounters counters, TestEdge edge, WebInstance instance)
        : IAsyncDisposable
    {
        public NodeLeases Nodes => nodes;

        public SharedCounters Counters => counters;

        public static async Task<GatewayNode> StartAsync(IStorage storage, string name, WindowSpec window, bool shared)
        {
            var nodes = await NodeLeases.StartAsync(
                storage, name, "{}", TimeProvider.System, NullLoggerFactory.Instance, Cancel);
            var counters = new SharedCounters(storage, nodes, TimeProvider.System, NullLoggerFactory.Instance);
            var instance = await WebInstance.NamedAsync("ok");
            var edge = await TestEdge.StartAsync(shared: counters);
            edge.RouteAll(spec => spec with
            {
                Limits = [new LimitSpec("all", Window: window, Shared: shared)],
            }).Instances(instance.Address);
            return new GatewayNode(nodes, counters, edge, instance);
        }

        /// <summary>What the limit of its only route has heard of.</summary>
        public long FromOthers
        {
            get
            {
                var step = edge.Module.Engine.Routes.Current.Routes.Single().Steps.OfType<LimitStep>().Single();
                return step.Table.Read(step.Now, 1).FromOthers;
            }
        }

        public async Task<bool> AskAsync()
        {
            using var answer = await edge.Client.GetAsync("/", Cancel);
            return answer.IsSuccessStatusCode;
        }

        public async ValueTask DisposeAsync()
        {
            await edge.DisposeAsync();
            await instance.DisposeAsync();
            await counters.DisposeAsync();
            await nodes.DisposeAsync();
        }
    }
}

public sealed class SqliteSharedLimitTests : SharedLimitContract, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private protected override async Task<IStorage> OpenStorageAsync() => await SqliteStorage.OpenAsync(
        new SqliteOptions { Path = directory.Combine("store.db") }, TimeProvider.System, NullLoggerFactory.Instance,
        TestContext.Current.CancellationToken);
}

public sealed class PostgresSharedLimitTests(PostgresServer server) : SharedLimitContract
{
    private protected override async Task<IStorage> OpenStorageAsync() => await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = await server.CreateDatabaseAsync() },
        TimeProvider.System, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
}
