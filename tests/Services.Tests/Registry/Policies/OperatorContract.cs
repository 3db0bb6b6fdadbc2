using System.Net.Http.Json;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Policies;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using static Groundwork.Services.Tests.Registry.RegistryNodes;

namespace Groundwork.Services.Tests.Registry.Policies;

/// <summary>
/// What an operator has said holds against everything that an instance or a restart does; one class per engine runs it.
/// </summary>
public abstract class OperatorContract(PostgresServer? server)
{
    private static InstanceDocument Persistent(string id) =>
        LeasedRegistry.Document(id) with { Ephemeral = false, Weight = 100 };

    [Fact]
    public async Task Override_survives_renewals_registrations_and_restarts_and_says_who_and_why()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, Persistent("x"));
        await RegisterAsync(nodes.A, Persistent("y"));
        await PutAsync(nodes.A, InstanceOverrideKind.Kind, "default/orders/x",
            new InstanceOverrideSpec(Weight: 7, Disabled: true, Reason: "noisy disk"));
        await AllShowAsync(nodes, x => Assert.Equal((7, "out-of-service"), (x.Weight, x.Status)));

        // The instance says the same again, then starts anew: neither takes it back.
        await RegisterAsync(nodes.A, Persistent("x"));
        await RegisterAsync(nodes.B, Persistent("x") with { Incarnation = long.MaxValue / 2, Weight = 55 });
        await AllShowAsync(nodes, x => Assert.Equal(
            (7, "out-of-service", 55, "up", "system:olga", "noisy disk", "instance-override"),
            (x.Weight, x.Status, x.Override?.RegisteredWeight, x.Override?.RegisteredStatus, x.Override?.By,
                x.Override?.Reason, x.Override?.Source)));

        await nodes.RestartAsync();
        await AllShowAsync(nodes, x => Assert.Equal((7, "out-of-service"), (x.Weight, x.Status)));
        Assert.Equal(1, await CallableAsync(nodes.B));

        await DeleteAsync(nodes.B, InstanceOverrideKind.Name, "default/orders/x");
        await AllShowAsync(nodes, x => Assert.Equal((55, "up", null), (x.Weight, x.Status, x.Override)));
    }

    [Fact]
    public async Task Override_that_is_there_before_its_instance_applies_from_its_first_list_on()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        await PutAsync(nodes.B, InstanceOverrideKind.Kind, "default/orders/x", new InstanceOverrideSpec(Weight: 0));
        await RegisterAsync(nodes.B, LeasedRegistry.Document("x"));
        Assert.Equal(0, (await InstanceAsync(nodes.B, "x")).Weight);
        await AllShowAsync(nodes, x => Assert.Equal(0, x.Weight));
    }

    [Fact]
    public async Task Maintenance_keeps_a_whole_service_from_its_callers_until_it_ends()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, Persistent("x"));
        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders",
            new ServicePolicySpec(Maintenance: true, Reason: "schema 12"));
        await RegisterAsync(nodes.B, Persistent("late"));
        await nodes.RestartAsync();
        foreach (var node in nodes.All)
        {
            await Eventually.PassesAsync(async () =>
            {
                var service = await ServiceAsync(node);
                Assert.Equal(("system:olga", "schema 12"), (service.Maintenance?.By, service.Maintenance?.Reason));
                Assert.Equal(2, service.Instances.Count);
                Assert.All(service.Instances, instance => Assert.Equal(
                    ("out-of-service", "up"), (instance.Status, instance.Override?.RegisteredStatus)));
            });
        }
        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders", new ServicePolicySpec());
        await AllShowAsync(nodes, x => Assert.Equal(("up", null), (x.Status, x.Override)));
        await Eventually.PassesAsync(async () =>
        {
            var (one, other) = (await ServiceAsync(nodes.A), await ServiceAsync(nodes.B));
            Assert.Equal(one.Index, other.Index);
        });
    }

    [Fact]
    public async Task Watcher_is_told_of_an_override_under_a_higher_index()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, Persistent("x"));
        await AllShowAsync(nodes, x => Assert.Equal(100, x.Weight));
        var index = (await ServiceAsync(nodes.B)).Index;
        var waiting = nodes.B.Local.GetFromJsonAsync(
            $"/groundwork/v1/registry/services/default/orders?index={index}&wait=30s", WireJson.Strict.ServiceDocument);
        await PutAsync(nodes.A, InstanceOverrideKind.Kind, "default/orders/x", new InstanceOverrideSpec(Weight: 3));
        await AllShowAsync(nodes, x => Assert.Equal(3, x.Weight));
        Assert.True((await waiting)!.Index > index);
    }

    [Fact]
    public async Task Protection_is_switched_for_one_service_alone()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        var broken = new InstanceCheck("disk", "critical", default, "instance", "full");
        foreach (var service in new[] { "orders", "stock" })
            await RegisterAsync(
                nodes.A, LeasedRegistry.Document("x", service) with { Ephemeral = false, Checks = [broken] });
        Assert.True((await ServiceAsync(nodes.A)).Protection);
        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders",
            new ServicePolicySpec(ProtectionThreshold: 0));
        foreach (var node in nodes.All)
        {
            await Eventually.PassesAsync(async () => Assert.False((await ServiceAsync(node)).Protection));
            await Eventually.PassesAsync(async () => Assert.True((await ServiceAsync(node, "stock")).Protection));
        }
    }

    [Fact]
    public async Task Drain_and_its_taking_back_are_an_operators_with_his_reason()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, Persistent("x"));
        await PostAsync(nodes.A, "instances/default/orders/x/drain", "new disk");
        await RegisterAsync(nodes.A, Persistent("x")); // Its own heartbeat does not call traffic back.
        await AllShowAsync(nodes, x => Assert.Equal("draining", x.Status));
        await PostAsync(nodes.B, "instances/default/orders/x/undrain", "disk is in");
        await AllShowAsync(nodes, x => Assert.Equal("up", x.Status));
        var events = await EventsAsync(nodes.A);
        Assert.Equal(
            ["the drain was taken back: disk is in", "told to drain: new disk"],
            events.Where(happened => happened.Event is "draining" or "undrained").Select(happened => happened.Reason));
        Assert.All(events, happened => Assert.StartsWith("local:", happened.Principal, StringComparison.Ordinal));
    }

    [Fact]
    public async Task History_of_a_service_is_the_same_on_all_nodes_and_survives_their_restart()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, Persistent("x"));
        await RegisterAsync(nodes.B, Persistent("y"));
        await AllShowAsync(nodes, x => Assert.Equal("up", x.Status));
        await PutAsync(nodes.A, InstanceOverrideKind.Kind, "default/orders/x", new InstanceOverrideSpec(Weight: 3));
        await AllShowAsync(nodes, x => Assert.Equal(3, x.Weight));
        await PostAsync(nodes.B, "instances/default/orders/y/drain");
        string[] expected =
            ["draining y", "overridden x", "registered x", "registered y"];
        await BothTellAsync();
        await nodes.RestartAsync();
        await BothTellAsync();

        async Task BothTellAsync()
        {
            foreach (var node in nodes.All)
            {
                await Eventually.PassesAsync(async () => Assert.Equal(
                    expected,
                    (await EventsAsync(node)).Select(happened => $"{happened.Event} {happened.Id}")
                        .Order(StringComparer.Ordinal)));
            }
            var (one, other) = (await EventsAsync(nodes.A), await EventsAsync(nodes.B));
            Assert.Equal(one, other);
            Assert.Equal(
                ["draining", "registered"],
                one.Where(happened => happened.Id == "y").Select(happened => happened.Event));
        }
    }

    private static async Task AllShowAsync(RegistryNodes nodes, Action<InstanceDocument> assertion)
    {
        foreach (var node in nodes.All)
            await Eventually.PassesAsync(async () => assertion(await InstanceAsync(node, "x")));
    }

    private static async Task<int> CallableAsync(RunningNode node)
    {
        var list = await node.Local.GetFromJsonAsync(
            "/groundwork/v1/registry/instances?namespace=default&service=orders&callable=true",
            WireJson.Strict.InstanceList);
        return list!.Items.Count; // A success has a body.
    }
}

public sealed class SqliteOperatorTests() : OperatorContract(server: null);

public sealed class PostgresOperatorTests(PostgresServer server) : OperatorContract(server);
