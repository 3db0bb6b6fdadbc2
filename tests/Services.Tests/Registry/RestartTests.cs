using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Leases;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry;

public sealed class RestartTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly ManualTimeProvider time = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Restarted_node_lists_what_it_knew_as_suspect_and_callable()
    {
        await using (var storage = await StoredNode.OpenSqliteAsync(directory))
        {
            var before = await StoredNode.StartAsync(storage, time);
            before.Register(LeasedRegistry.Document("a") with
            {
                Zone = "east", Metadata = Map("k", "v"), Tags = ["x"],
                Checks = [new("disk", "passing", time.GetUtcNow(), "instance")],
            });
            before.Register("b");
            await before.SyncAsync();
        }
        await using var again = await StoredNode.OpenSqliteAsync(directory);
        var after = await StoredNode.StartAsync(again, time);
        Assert.Equal(["a", "b"], after.Ids());
        Assert.Equal(2, after.View().Callable.Length);
        Assert.Equal(HealthState.Suspect, after.HealthOf("a").State);
        Assert.Equal(HealthCause.Restart, after.HealthOf("a").Cause);
        var instance = after.View().Instances[0];
        Assert.Equal(("east", "v", "x"), (instance.Zone, instance.Metadata["k"], instance.Tags[0]));
        Assert.Equal(("disk", CheckState.Passing), (instance.Checks[0].Name, instance.Checks[0].State));
    }

    [Fact]
    public async Task Suspect_instance_has_the_whole_grace_to_renew_and_then_it_goes()
    {
        await using var storage = await StoredNode.OpenSqliteAsync(directory);
        await SeedAsync(storage, "a", "b", "c");
        var node = await StoredNode.StartAsync(storage, time);
        Pass(node, 29);
        Assert.Equal(["a", "b", "c"], node.Ids());
        node.Registry.Renew(LeasedRegistry.Key("a"), null);
        node.Registry.Renew(LeasedRegistry.Key("b"), null);
        Assert.Equal(HealthState.Healthy, node.HealthOf("a").State);
        Pass(node, 2);
        Assert.Equal(["a", "b"], node.Ids());
    }

    [Fact]
    public async Task Nobody_comes_back_and_the_list_stays()
    {
        await using var storage = await StoredNode.OpenSqliteAsync(directory);
        await SeedAsync(storage, "a", "b", "c");
        var node = await StoredNode.StartAsync(storage, time);
        Pass(node, 300);
        Assert.Equal(["a", "b", "c"], node.Ids());
        Assert.True(node.View().Protection);
    }

    [Fact]
    public async Task Index_is_above_everything_shown_before_the_process_was_killed()
    {
        long shown;
        await using (var storage = await StoredNode.OpenSqliteAsync(directory))
        {
            var killed = await StoredNode.StartAsync(storage, time);
            killed.Register("a");
            await killed.SyncAsync();
            for (var at = 0; at < 1000; at++)
                killed.Register(LeasedRegistry.Document("a") with { Weight = at });
            shown = killed.View().Index; // Never written.
        }
        await using var again = await StoredNode.OpenSqliteAsync(directory);
        var node = await StoredNode.StartAsync(again, time);
        Assert.True(node.View().Index > shown, $"{node.View().Index} is not above {shown}");
        Assert.True(node.Registry.UnknownIndex >= shown);
    }

    [Fact]
    public async Task Restored_store_goes_on_at_the_next_multiple_of_2_to_the_32()
    {
        await using var storage = await StoredNode.OpenSqliteAsync(directory);
        await SeedAsync(storage, "a");
        var node = await StoredNode.StartAsync(storage, time, epoch: 1);
        Assert.True(node.View().Index > 1L << 32);
        var later = await StoredNode.StartAsync(storage, time, epoch: 1);
        Assert.True(later.View().Index < 2L << 32);
    }

    [Fact]
    public async Task Numbers_of_a_node_alone_are_the_stores()
    {
        await using var storage = await StoredNode.OpenSqliteAsync(directory);
        var node = await StoredNode.StartAsync(storage, time);
        for (var at = 0; at < 50; at++)
        {
            var index = node.Register(LeasedRegistry.Document("a") with { Weight = at }).Index;
            await node.SyncAsync();
            Assert.Equal(index, node.View().Index);
        }
    }

    [Fact]
    public async Task Deregistered_instance_does_not_come_back()
    {
        await using var storage = await StoredNode.OpenSqliteAsync(directory);
        await SeedAsync(storage, "a", "b");
        var node = await StoredNode.StartAsync(storage, time);
        node.Registry.Deregister(LeasedRegistry.Key("a"), null, "test");
        node.Registry.Deregister(LeasedRegistry.Key("b"), null, "test");
        await node.SyncAsync();
        var again = await StoredNode.StartAsync(storage, time);
        Assert.Empty(again.Ids());
        Assert.Equal("the last instance, b: deregistered", again.View().EmptyReason);
    }

    [Fact]
    public async Task Persistent_instance_is_in_the_store_before_it_is_acknowledged()
    {
        await using var storage = await StoredNode.OpenSqliteAsync(directory);
        var node = await StoredNode.StartAsync(storage, time);
        var wanted = new InstanceRules(new TextPool(), time)
            .Read(LeasedRegistry.Document("p") with { Ephemeral = false }, "test").Value;
        var answer = await node.Registrations.RegisterAsync(wanted, "test", TestContext.Current.CancellationToken);
        Assert.True(answer.Succeeded);
        // Killed: no round of the loop has run.
        var again = await StoredNode.StartAsync(storage, time);
        Assert.Equal(["p"], again.Ids());
        Assert.Equal(HealthState.Healthy, again.HealthOf("p").State);
    }

    [Fact]
    public async Task Changes_wait_in_memory_while_the_store_is_away_and_are_written_after()
    {
        var storage = await StoredNode.OpenSqliteAsync(directory);
        var node = await StoredNode.StartAsync(storage, time);
        node.Register("a");
        await storage.DisposeAsync();
        Assert.False(await node.Sync.RoundAsync(TestContext.Current.CancellationToken));
        Assert.True(node.Sync.IsAway);
        Assert.Equal(["a"], node.Ids());
        Assert.True(node.Registry.Pending.Count > 0);
    }

    [Fact]
    public async Task More_changes_than_one_write_takes_are_all_written()
    {
        await using var storage = await StoredNode.OpenSqliteAsync(directory);
        var node = await StoredNode.StartAsync(storage, time);
        for (var at = 0; at < 5000; at++)
            node.Register(LeasedRegistry.Document($"i{at}", $"s{at % 700}"));
        await node.SyncAsync();
        Assert.Equal(0, node.Registry.Pending.Count);
        var again = await StoredNode.StartAsync(storage, time);
        Assert.Equal(5000, again.Registry.InstanceCount);
    }

    private static Dictionary<string, string> Map(string key, string value) => new() { [key] = value };

    private async Task SeedAsync(SqliteStorage storage, params string[] ids)
    {
        var node = await StoredNode.StartAsync(storage, time);
        foreach (var id in ids) node.Register(id);
        await node.SyncAsync();
    }

    private void Pass(StoredNode node, double seconds)
    {
        for (var passed = 0.0; passed < seconds; passed += TimerWheel.SlotWidth.TotalSeconds)
        {
            time.Advance(TimerWheel.SlotWidth);
            node.Expiry.Tick();
        }
    }
}
