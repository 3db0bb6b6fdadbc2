using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Leases;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Groundwork.Services.Tests.Registry;

/// <summary>Two nodes over one store; one class per engine runs it.</summary>
public abstract class TwoNodeContract : IAsyncLifetime
{
    private readonly ManualTimeProvider time = new();
    private readonly HashSet<string> live = ["a", "b"];
    private StoredNode a = null!; // Started before every test.
    private StoredNode b = null!;

    private protected StoredNode A => a;

    private protected StoredNode B => b;

    /// <summary>Opens the store for two nodes: one connection of a store of their own, or the same for both.</summary>
    private protected abstract Task<(IStorage A, IStorage B)> OpenAsync();

    public virtual async ValueTask InitializeAsync()
    {
        var (storageA, storageB) = await OpenAsync();
        var patient = new RegistryOptions { DrainPatience = TimeSpan.FromMinutes(1) };
        a = await StoredNode.StartAsync(storageA, time, "a", live, patient);
        b = await StoredNode.StartAsync(storageB, time, "b", live, patient);
    }

    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task Change_on_one_node_is_seen_on_the_other_under_the_same_index()
    {
        a.Register("x");
        await ConvergeAsync();
        Assert.Equal(["x"], b.Ids());
        Assert.Equal(a.View().Index, b.View().Index);
        a.Registry.Deregister(LeasedRegistry.Key("x"), null, "test");
        await ConvergeAsync();
        Assert.Empty(b.Ids());
        Assert.Equal(a.View().Index, b.View().Index);
        Assert.Equal("the last instance, x: deregistered", b.View().EmptyReason);
    }

    [Fact]
    public async Task Changes_at_once_on_both_converge_and_no_index_goes_back()
    {
        var random = LongRun.Random();
        for (var round = 0; round < LongRun.Count(60, 2000); round++)
        {
            var (before, beforeOther) = (IndexOf(a), IndexOf(b));
            foreach (var node in new[] { a, b })
            {
                for (var change = random.Next(4); change > 0; change--)
                {
                    var id = $"i{random.Next(4)}";
                    switch (random.Next(4))
                    {
                        case 0: node.Registry.Deregister(LeasedRegistry.Key(id), null, "test"); break;
                        case 1: node.Registry.Drain(LeasedRegistry.Key(id), "test"); break;
                        default: node.Register(LeasedRegistry.Document(id) with { Weight = random.Next(3) }); break;
                    }
                    if (random.Next(3) == 0) await node.SyncAsync();
                    Assert.True(IndexOf(a) >= before && IndexOf(b) >= beforeOther, "an index went back");
                    (before, beforeOther) = (IndexOf(a), IndexOf(b));
                }
            }
            time.Advance(TimeSpan.FromMilliseconds(1));
            await ConvergeAsync();
            Assert.Equal(Describe(a), Describe(b));
            Assert.Equal(IndexOf(a), IndexOf(b));
        }
    }

    [Fact]
    public async Task Instance_that_renews_elsewhere_does_not_expire_here()
    {
        a.Register("x");
        a.Register("y");
        await ConvergeAsync();
        for (var round = 0; round < 12; round++)
        {
            a.Registry.Renew(LeasedRegistry.Key("x"), null);
            a.Registry.Renew(LeasedRegistry.Key("y"), null);
            await PassAsync(5);
        }
        Assert.Equal(["x", "y"], b.Ids());
        Assert.Equal(HealthState.Healthy, b.HealthOf("x").State);
    }

    [Fact]
    public async Task Client_that_moves_to_the_other_node_is_taken_over_without_a_change_of_index()
    {
        a.Register("x");
        a.Register("y");
        await ConvergeAsync();
        await PassAsync(10);
        var index = a.View().Index;
        for (var round = 0; round < 12; round++)
        {
            foreach (var id in new[] { "x", "y" }) Assert.Null(b.Registry.Renew(LeasedRegistry.Key(id), null));
            await PassAsync(5);
        }
        Assert.Equal(["x", "y"], a.Ids());
        Assert.Equal("b", a.Registry.FindInstance(LeasedRegistry.Key("x"))?.Owner);
        Assert.Equal(index, a.View().Index);
    }

    [Fact]
    public async Task Client_that_alternates_between_nodes_stays_and_is_not_written_with_every_renewal()
    {
        a.Register("x");
        a.Register("y");
        await ConvergeAsync();
        var changes = 0;
        for (var round = 0; round < 60; round++)
        {
            var owner = a.Registry.FindInstance(LeasedRegistry.Key("x"))?.Owner;
            var node = round % 2 == 0 ? b : a;
            foreach (var id in new[] { "x", "y" }) Assert.Null(node.Registry.Renew(LeasedRegistry.Key(id), null));
            await PassAsync(5);
            if (a.Registry.FindInstance(LeasedRegistry.Key("x"))?.Owner != owner) changes++;
        }
        Assert.Equal(["x", "y"], a.Ids());
        Assert.InRange(changes, 1, 25);
    }

    [Fact]
    public async Task Instances_of_a_dead_node_are_adopted_as_suspect_with_a_full_lease()
    {
        await PassAsync(40); // Past the grace of the start.
        a.Register("x");
        a.Register("y");
        b.Register("z");
        await ConvergeAsync();
        live.Remove("a");
        await PassAsync(1.2, b);
        Assert.Equal(HealthCause.Adoption, b.HealthOf("x").Cause);
        Assert.Equal(3, b.View().Callable.Length);
        for (var round = 0; round < 2; round++)
        {
            b.Registry.Renew(LeasedRegistry.Key("z"), null);
            await PassAsync(5, b);
            b.Registry.Renew(LeasedRegistry.Key("x"), null);
        }
        Assert.Equal(HealthState.Healthy, b.HealthOf("x").State);
        Assert.Contains("y", b.Ids());
        b.Registry.Renew(LeasedRegistry.Key("z"), null);
        await PassAsync(5, b);
        Assert.Equal(["x", "z"], b.Ids());
    }

    [Fact]
    public async Task Expiry_is_void_when_another_node_has_taken_the_instance_over()
    {
        a.Register("w");
        a.Register("x");
        a.Register("y");
        await ConvergeAsync();
        await PassAsync(10);
        // The client of x has moved to b; a has not read that yet when the lease runs out there.
        foreach (var id in new[] { "w", "y" }) a.Registry.Renew(LeasedRegistry.Key(id), null);
        b.Registry.Renew(LeasedRegistry.Key("x"), null);
        await b.SyncAsync();
        for (var passed = 0.0; passed < 6; passed += 0.2)
        {
            time.Advance(TimerWheel.SlotWidth);
            a.Expiry.Tick();
            b.Expiry.Tick();
        }
        Assert.Equal(["w", "y"], a.Ids());
        await ConvergeAsync();
        Assert.Equal(["w", "x", "y"], a.Ids());
        Assert.Equal(["w", "x", "y"], b.Ids());
        Assert.Equal(a.View().Index, b.View().Index);
    }

    [Fact]
    public async Task Drain_on_one_node_is_not_taken_back_by_a_change_on_the_other()
    {
        a.Register(LeasedRegistry.Document("x") with { Incarnation = 1 });
        a.Register("y");
        a.Register("z");
        await ConvergeAsync();
        b.Registry.Drain(LeasedRegistry.Key("x"), "test");
        for (var failed = 0; failed < 3; failed++)
            a.Registry.ReportOutcome(LeasedRegistry.Key("x"), CallOutcome.ConnectFailed);
        time.Advance(TimerWheel.SlotWidth);
        a.Expiry.Tick();
        await b.SyncAsync();
        await a.SyncAsync();
        await ConvergeAsync();
        Assert.All([a, b], node => Assert.Equal(InstanceStatus.Draining, node.View().Instances[0].Status));
        Assert.Equal(Describe(a), Describe(b));
    }

    [Fact]
    public async Task Drain_waits_for_watchers_of_the_other_node()
    {
        a.Register("x");
        a.Register("y");
        await ConvergeAsync();
        using var stop = new CancellationTokenSource();
        var session = b.Registry.Watches.Open([LeasedRegistry.Orders], "test");
        Assert.NotNull(session);
        var loops = new[] { a, b }.Select(node => node.Sync.RunAsync(stop.Token)).ToArray();
        var drain = a.Registrations
            .DrainAsync(
                LeasedRegistry.Key("x"), "test", null, TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken)
            .AsTask();
        await EventuallyAsync(() => b.View().Callable.Length == 1, "b has the drain");
        Assert.False(drain.IsCompleted, "nobody on b has been told");
        // Who is waited for is known here, though it is connected there.
        await Eventually.TrueAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(20));
                return (await a.Store.SeenAsync(default)).GetValueOrDefault("b").Behind is ["test"];
            },
            "b names whom it waits for");
        var service = b.Registry.FindService(LeasedRegistry.Orders);
        session.Sent(service!, b.View().Index);
        await EventuallyAsync(() => drain.IsCompleted, "the drain is over");
        Assert.True((await drain).Succeeded);
        await stop.CancelAsync();
        foreach (var loop in loops) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
    }

    [Fact]
    public async Task Node_that_was_away_past_the_known_removals_reads_everything_anew()
    {
        a.Register("x");
        a.Register("y");
        await ConvergeAsync();
        a.Registry.Deregister(LeasedRegistry.Key("x"), null, "test");
        await a.SyncAsync();
        await a.Storage.WriteAsync(
            session =>
            {
                session.Execute("DELETE FROM registry_instances WHERE removed = 1");
                return session.Execute("UPDATE registry_sequence SET floor = position");
            },
            TestContext.Current.CancellationToken);
        a.Register("z");
        await ConvergeAsync();
        Assert.Equal(["y", "z"], b.Ids());
    }

    [Fact]
    public async Task Index_seen_on_a_lost_node_is_topped_on_the_next()
    {
        a.Register("x");
        await ConvergeAsync();
        a.Register(LeasedRegistry.Document("x") with { Weight = 7 });
        var shown = a.View().Index; // Never written: a is lost.
        Assert.True(b.View().Index < shown);
        b.Registry.RaiseAbove(b.Registry.FindService(LeasedRegistry.Orders)!, shown);
        Assert.True(b.View().Index > shown);
    }

    private static long IndexOf(StoredNode node) => node.Registry.FindFresh(LeasedRegistry.Orders)?.Index ?? 0;

    private static string[] Describe(StoredNode node) => node.Registry.FindFresh(LeasedRegistry.Orders) is { } view
        ? [.. view.Instances.Select(instance =>
            $"{instance.Key.Id} {instance.Weight} {instance.Status} {instance.Incarnation} {instance.Health.State}")]
        : [];

    // The loops wait on the manual clock, and on the real store.
    private Task EventuallyAsync(Func<bool> condition, string what) => Eventually.TrueAsync(
        () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(20));
            return condition();
        },
        what);

    private protected async Task ConvergeAsync()
    {
        for (var round = 0; round < 3; round++)
            foreach (var node in new[] { a, b }) await node.SyncAsync();
    }

    private async Task PassAsync(double seconds, params StoredNode[] only)
    {
        var nodes = only.Length > 0 ? only : [a, b];
        for (var passed = 0.0; passed < seconds - 0.01; passed += TimerWheel.SlotWidth.TotalSeconds)
        {
            time.Advance(TimerWheel.SlotWidth);
            foreach (var node in nodes) node.Expiry.Tick();
            foreach (var node in nodes) await node.SyncAsync();
        }
    }
}

/// <summary>Both nodes through one embedded store: the statements are the same.</summary>
public sealed class TwoNodesOnSqliteTests : TwoNodeContract
{
    private readonly TemporaryDirectory directory = new();
    private SqliteStorage storage = null!; // Opened before every test.

    private protected override async Task<(IStorage A, IStorage B)> OpenAsync()
    {
        storage = await StoredNode.OpenSqliteAsync(directory);
        return (storage, storage);
    }

    public override async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        directory.Dispose();
        GC.SuppressFinalize(this);
    }
}

public sealed class TwoNodesOnPostgresTests(PostgresServer server) : TwoNodeContract
{
    private readonly List<PostgresStorage> storages = [];

    private protected override async Task<(IStorage A, IStorage B)> OpenAsync()
    {
        var connection = await server.CreateDatabaseAsync();
        for (var node = 0; node < 2; node++)
            storages.Add(await PostgresStorage.OpenAsync(
                new PostgresOptions { ConnectionString = connection },
                TimeProvider.System,
                NullLoggerFactory.Instance,
                TestContext.Current.CancellationToken));
        return (storages[0], storages[1]);
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var storage in storages) await storage.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Change_reaches_the_loop_of_the_other_node_within_a_second()
    {
        A.Register("x");
        await ConvergeAsync();
        using var stop = new CancellationTokenSource();
        // Real time, so that nothing but the notification and the poll moves them.
        var loops = new[] { A, B }
            .Select(node => new Groundwork.Services.Registry.Storing.StoreSync(
                node.Registry, node.Store, TimeProvider.System, NullLogger.Instance).RunAsync(stop.Token))
            .ToArray();
        var started = TimeProvider.System.GetTimestamp();
        A.Register("y");
        await Eventually.TrueAsync(() => B.Ids().Length == 2, "b lists y");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:0} ms");
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(1));
        await stop.CancelAsync();
        foreach (var loop in loops) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
    }
}

/// <summary>A server of its own, which can be stopped under the nodes.</summary>
public sealed class DatabaseAwayTests : IAsyncLifetime
{
    private readonly PostgresServer server = new();
    private readonly ManualTimeProvider time = new();
    private PostgresStorage storage = null!; // Opened before every test.

    public async ValueTask InitializeAsync() => storage = await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = await server.CreateDatabaseAsync() },
        TimeProvider.System,
        NullLoggerFactory.Instance,
        TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Discovery_and_registration_go_on_while_the_database_is_stopped_and_nothing_is_lost()
    {
        var node = await StoredNode.StartAsync(storage, time, "a", new HashSet<string> { "a" });
        node.Register("x");
        await node.SyncAsync();
        await server.StopAsync();
        node.Register("y");
        Assert.Null(node.Registry.Renew(LeasedRegistry.Key("x"), null));
        Assert.Equal(2, node.View().Callable.Length);
        Assert.False(await node.Sync.RoundAsync(TestContext.Current.CancellationToken));
        Assert.Equal(2, node.View().Callable.Length);
        await server.StartAsync();
        await Eventually.TrueAsync(
            () => node.Sync.RoundAsync(TestContext.Current.CancellationToken), "the store is back");
        var other = await StoredNode.StartAsync(storage, time, "b", new HashSet<string> { "a", "b" });
        Assert.Equal(["x", "y"], other.Ids());
    }
}
