using System.Text.Json;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Consul;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry.Protocols;

/// <summary>The clocks of checks, by a time that a test moves, over a real store.</summary>
public sealed class ConsulChecksTests : IAsyncLifetime
{
    private const string Check = "service:a";

    private readonly TemporaryDirectory directory = new();
    private readonly ManualTimeProvider time = new();
    private readonly HashSet<string> live = ["a"];
    private SqliteStorage storage = null!; // Opened before every test.
    private ConsulFinding found = new(CheckState.Passing, "fine");
    private int looks;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => storage = await StoredNode.OpenSqliteAsync(directory);

    public async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Check_by_ttl_begins_critical_passes_when_told_and_expires()
    {
        var node = await StartAsync("a");
        await RegisterAsync(node, """{"Name": "orders", "ID": "a", "Port": 80, "Check": {"TTL": "10s"}}""");
        Assert.Equal((CheckState.Critical, HealthState.Unhealthy), StateOf(node));
        Tell(node, CheckState.Passing, "well");
        Assert.Equal((CheckState.Passing, HealthState.Healthy), StateOf(node));
        await PassAsync(9, node);
        Tell(node, CheckState.Warning, "hm");
        Assert.Equal((CheckState.Warning, HealthState.Healthy), StateOf(node));
        await PassAsync(9.5, node);
        Assert.Equal(CheckState.Warning, StateOf(node).Check);
        await PassAsync(1, node);
        Assert.Equal((CheckState.Critical, HealthState.Unhealthy), StateOf(node));
        Assert.Equal("TTL expired", node.Store.View().Instances[0].Checks[0].Reason);
        Tell(node, CheckState.Passing, "back");
        Assert.Equal((CheckState.Passing, HealthState.Healthy), StateOf(node));
    }

    [Fact]
    public async Task Word_that_says_nothing_new_moves_no_index()
    {
        var node = await StartAsync("a");
        await RegisterAsync(node, """{"Name": "orders", "ID": "a", "Port": 80, "Check": {"TTL": "10s"}}""");
        Tell(node, CheckState.Passing, "1");
        var index = node.Store.View().Index;
        for (var at = 0; at < 3; at++)
        {
            await PassAsync(1, node);
            Tell(node, CheckState.Passing, $"{at}"); // Another output too soon after the last.
        }
        Assert.Equal(index, node.Store.View().Index);
        await PassAsync(3, node);
        Tell(node, CheckState.Passing, "later");
        Assert.Equal("later", node.Store.View().Instances[0].Checks[0].Reason);
    }

    [Fact]
    public async Task Nothing_expires_because_the_process_stood_still_or_the_wall_clock_moved()
    {
        var node = await StartAsync("a");
        await RegisterAsync(
            node,
            """
            {"Name": "orders", "ID": "a", "Port": 80,
             "Check": {"TTL": "10s", "DeregisterCriticalServiceAfter": "1m"}}
            """);
        Tell(node, CheckState.Passing, "well");
        await PassAsync(9, node);
        time.Advance(TimeSpan.FromSeconds(20));
        time.ShiftWallClock(TimeSpan.FromHours(5));
        await node.Checks.RoundAsync(Cancel); // Before the expiry's own loop has noticed.
        node.Store.Expiry.Tick();
        await PassAsync(0.5, node);
        Assert.Equal(CheckState.Passing, StateOf(node).Check);
        await PassAsync(2, node);
        Assert.Equal(CheckState.Critical, StateOf(node).Check);
    }

    [Fact]
    public async Task Critical_for_too_long_takes_the_service_out_and_the_history_says_why()
    {
        var node = await StartAsync("a");
        const string Body =
            """
            {"Name": "orders", "ID": "a", "Port": 80,
             "Check": {"TTL": "5s", "DeregisterCriticalServiceAfter": "90s"}}
            """;
        await RegisterAsync(node, Body);
        await PassAsync(80, node);
        Tell(node, CheckState.Passing, "well"); // The count begins anew.
        await PassAsync(80, node);
        Assert.Equal(["a"], node.Store.Ids());
        await PassAsync(20, node);
        Assert.Empty(node.Store.Ids());
        Assert.Contains("check service:a was critical for 1m30s", node.Store.View().EmptyReason,
            StringComparison.Ordinal);
        Assert.Null(node.Checks.Find(Check) is { } key
            && node.Store.Registry.FindInstance(key) is not null ? "there" : null);
        await RegisterAsync(node, """{"Name": "orders", "ID": "b", "Port": 80, "Check": {"TTL": "5s"}}""");
        await PassAsync(300, node);
        Assert.Equal(["b"], node.Store.Ids()); // It asked for nothing of the kind.
    }

    [Fact]
    public async Task Registering_again_keeps_the_states_and_a_restart_gives_the_whole_ttl()
    {
        var node = await StartAsync("a");
        const string Body =
            """{"Name": "orders", "ID": "a", "Port": 80, "Check": {"TTL": "10s", "Status": "warning"}}""";
        await RegisterAsync(node, Body);
        Assert.Equal(CheckState.Warning, StateOf(node).Check);
        Tell(node, CheckState.Passing, "well");
        var index = node.Store.View().Index;
        await RegisterAsync(node, Body);
        Assert.Equal((CheckState.Passing, index), (StateOf(node).Check, node.Store.View().Index));
        await PassAsync(9, node);
        await node.Store.SyncAsync();
        var again = await StartAsync("a");
        Assert.Equal(CheckState.Passing, StateOf(again).Check);
        await PassAsync(9, again);
        Assert.Equal(CheckState.Passing, StateOf(again).Check);
        await PassAsync(4, again);
        Assert.Equal(CheckState.Critical, StateOf(again).Check);
    }

    [Fact]
    public async Task Looks_are_made_at_the_interval_and_count_in_a_row()
    {
        var node = await StartAsync("a");
        await RegisterAsync(node,
            """
            {"Name": "orders", "ID": "a", "Port": 80, "Checks": [{"CheckID": "service:a",
             "HTTP": "http://10.0.0.1/", "Interval": "10s",
             "SuccessBeforePassing": 1, "FailuresBeforeCritical": 1}]}
            """);
        await PassAsync(3, node);
        Assert.Equal((1, CheckState.Critical), (looks, StateOf(node).Check)); // One good look is not enough.
        await PassAsync(11, node);
        Assert.Equal((2, CheckState.Passing), (looks, StateOf(node).Check));
        found = new ConsulFinding(CheckState.Critical, "no");
        await PassAsync(10.5, node);
        Assert.Equal(CheckState.Passing, StateOf(node).Check);
        await PassAsync(11, node);
        Assert.Equal(CheckState.Critical, StateOf(node).Check);
        Assert.InRange(looks, 3, 5);
    }

    [Fact]
    public async Task Of_two_nodes_the_one_that_was_told_last_judges_and_the_other_when_it_is_gone()
    {
        live.Add("b");
        var (a, b) = (await StartAsync("a"), await StartAsync("b"));
        await RegisterAsync(a, """{"Name": "orders", "ID": "a", "Port": 80, "Check": {"TTL": "10s"}}""");
        await ConvergeAsync(a, b);
        Tell(a, CheckState.Passing, "well");
        await ConvergeAsync(a, b);
        for (var at = 0; at < 5; at++)
        {
            await PassAsync(3, a, b);
            Tell(b, CheckState.Passing, "well"); // The client has moved, and says nothing new but that it lives.
            await ConvergeAsync(a, b);
        }
        Assert.Equal((CheckState.Passing, CheckState.Passing), (StateOf(a).Check, StateOf(b).Check));
        live.Remove("b");
        await PassAsync(9, a);
        Assert.Equal(CheckState.Passing, StateOf(a).Check);
        await PassAsync(4, a);
        Assert.Equal(CheckState.Critical, StateOf(a).Check);
    }

    private static (CheckState Check, HealthState Health) StateOf(Node node)
    {
        var instance = node.Store.View().Instances[0];
        return (instance.Checks[0].State, instance.Health.State);
    }

    private static void Tell(Node node, CheckState state, string output)
    {
        var key = node.Checks.Find(Check) ?? throw new InvalidOperationException("There is no such check.");
        var instance = node.Store.Registry.FindInstance(key)!.Instance; // It is tracked, so it is there.
        var definition = ConsulExtension.Of(instance)!.Checks.Single(check => check.Id == Check); // Registered so.
        Assert.True(node.Checks.Tell(key, definition, state, output, "test"));
    }

    private async Task RegisterAsync(Node node, string body)
    {
        var asked = JsonSerializer.Deserialize(body, ConsulRequestJson.Default.ServiceRequest)!; // As written.
        var known = node.Store.Registry.FindInstance(LeasedRegistry.Key(asked.Id!))?.Instance; // As written.
        var document = ConsulRules.Read(
            asked, LeasedRegistry.Orders, asked.Id!, "10.0.0.1", machine: null, known, time.GetUtcNow()).Value;
        var wanted = new InstanceRules(new TextPool(), time).Read(document, "test").Value;
        Assert.True((await node.Store.Registrations.RegisterAsync(wanted, "test", Cancel)).Succeeded);
        node.Checks.Note(wanted.Key);
    }

    private async Task<Node> StartAsync(string name)
    {
        var store = await StoredNode.StartAsync(storage, time, name, live.Count > 1 ? live : null);
        var checks = new ConsulChecks(
            store.Registry, store.Registrations, () => live.ToHashSet(),
            (_, _) =>
            {
                looks++;
                return Task.FromResult(found);
            },
            time, NullLogger.Instance);
        await checks.RoundAsync(Cancel);
        return new Node(store, checks);
    }

    private static async Task ConvergeAsync(params Node[] nodes)
    {
        for (var round = 0; round < 3; round++)
            foreach (var node in nodes) await node.Store.SyncAsync();
    }

    private async Task PassAsync(double seconds, params Node[] nodes)
    {
        for (var passed = 0.0; passed < seconds; passed += ConsulChecks.RoundInterval.TotalSeconds)
        {
            time.Advance(ConsulChecks.RoundInterval);
            foreach (var node in nodes)
            {
                node.Store.Expiry.Tick();
                // A removal waits for the store, which a test writes itself.
                var round = node.Checks.RoundAsync(Cancel);
                while (!round.IsCompleted)
                {
                    await node.Store.SyncAsync();
                    await Task.WhenAny(round, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel));
                }
                await round;
                await Eventually.TrueAsync(() => !node.Checks.HasUnfinished, "the looks have ended");
            }
        }
    }

    private sealed record Node(StoredNode Store, ConsulChecks Checks);
}
