using Groundwork.Kernel.Cluster;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Probing;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;
using static Groundwork.Services.Tests.Registry.RegistryNodes;

namespace Groundwork.Services.Tests.Registry.Probing;

/// <summary>The prober of whole nodes; one class per engine runs it.</summary>
public abstract class ProbeContract(PostgresServer? server)
{
    private static readonly ProbeSpec Quick = new(
        "http", "/health", IntervalSeconds: 1, TimeoutMs: 1000, UnhealthyAfter: 2, HealthyAfter: 2);

    [Fact]
    public async Task Probe_is_a_check_that_takes_an_instance_out_and_puts_it_back_on_every_node()
    {
        await using var ill = new StatusServer();
        await using var well = new StatusServer();
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, ill.Document("ill"));
        await RegisterAsync(nodes.B, well.Document("well"));
        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders", new ServicePolicySpec(Probe: Quick));
        await AllShowAsync(nodes, "passing", "healthy");

        ill.Status = 503;
        await AllShowAsync(nodes, "critical", "unhealthy");
        var shown = await InstanceAsync(nodes.B, "ill");
        Assert.Equal("GET /health answered 503, expected 200-299", shown.Checks?[0].Reason);
        Assert.Equal("prober", shown.Checks?[0].Source);
        Assert.Equal(
            "check probe is critical: GET /health answered 503, expected 200-299", shown.Health?.Reason);
        await RegisterAsync(nodes.A, ill.Document("ill") with { Weight = 5 }); // It has nothing to say about that.
        Assert.Equal("unhealthy", (await InstanceAsync(nodes.A, "ill")).Health?.State);

        await nodes.RestartAsync();
        Assert.Equal("unhealthy", (await InstanceAsync(nodes.A, "ill")).Health?.State);
        ill.Status = 200;
        await AllShowAsync(nodes, "passing", "healthy");
        await Eventually.PassesAsync(async () => Assert.Equal(
            ["the probe passes", "the probe is critical: GET /health answered 503, expected 200-299",
                "the probe passes"],
            (await EventsAsync(nodes.B)).Where(happened => happened is { Event: "probed", Id: "ill" })
                .Select(happened => happened.Reason)));

        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders", new ServicePolicySpec());
        await Eventually.PassesAsync(async () => Assert.Null((await InstanceAsync(nodes.B, "ill")).Checks));
    }

    [Fact]
    public async Task One_node_of_the_cluster_probes_and_ephemeral_instances_are_left_alone()
    {
        await using var one = new StatusServer();
        await using var ephemeral = new StatusServer();
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, one.Document("one"));
        await RegisterAsync(nodes.A, ephemeral.Document("ephemeral") with { Ephemeral = true });
        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders", new ServicePolicySpec(Probe: Quick));
        await Eventually.TrueAsync(() => one.Asked >= 1, "it is probed");
        var (before, started) = (one.Asked, TimeProvider.System.GetTimestamp());
        await Eventually.TrueAsync(() => one.Asked >= before + 4, "it is probed on");
        // At the pace of one prober: two would have asked twice as often.
        Assert.True(TimeProvider.System.GetElapsedTime(started).TotalSeconds > 4 * 0.9 - 1.2);
        Assert.Equal(0, ephemeral.Asked);
        Assert.Equal(1, nodes.All.Count(node => node.Log.ToString().Contains(
            "This node probes", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Instance_that_comes_back_after_its_deregistration_begins_without_a_verdict()
    {
        await using var instance = new StatusServer { Status = 500 };
        await using var nodes = await RegistryNodes.StartAsync(server);
        await RegisterAsync(nodes.A, instance.Document("ill"));
        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders",
            new ServicePolicySpec(Probe: Quick with { UnhealthyAfter = 1 }));
        await AllShowAsync(nodes, "critical", "unhealthy");
        using var gone = await nodes.A.Local.DeleteAsync("/groundwork/v1/registry/instances/default/orders/ill");
        Assert.True(gone.IsSuccessStatusCode);
        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders", new ServicePolicySpec());
        await RegisterAsync(nodes.A, instance.Document("ill"));
        await nodes.RestartAsync();
        await PutAsync(nodes.A, ServicePolicyKind.Kind, "default/orders",
            new ServicePolicySpec(Probe: Quick with { IntervalSeconds = 3600, UnhealthyAfter = 100 }));
        Assert.Null((await InstanceAsync(nodes.B, "ill")).Checks);
    }

    [Fact]
    public async Task Verdict_under_a_lease_that_has_passed_on_is_refused()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        var cluster = nodes.A.Node.Cluster!; // It has a store.
        await using var first = (await cluster.Leases.TryAcquireAsync(
            Prober.LeaseName, Prober.LeaseLength, CancellationToken.None)).Value;
        await using var second = (await cluster.Leases.TryAcquireAsync(
            Prober.LeaseName, Prober.LeaseLength, CancellationToken.None)).Value;
        var store = new ProbeStore(nodes.A.Node.Storage!);
        var check = new Check("probe", CheckState.Critical, "late", DateTimeOffset.UnixEpoch, ProbeResult.Source);
        ProbeResult[] late = [new(LeasedRegistry.Key("x"), check)];
        await Assert.ThrowsAsync<LeaseLostException>(
            () => store.WriteAsync(first.Token, late, TestContext.Current.CancellationToken));
        await store.WriteAsync(second.Token, late, TestContext.Current.CancellationToken);
    }

    private static async Task AllShowAsync(RegistryNodes nodes, string check, string health)
    {
        foreach (var node in nodes.All)
        {
            await Eventually.PassesAsync(async () =>
            {
                var instance = await InstanceAsync(node, "ill");
                Assert.Equal((check, health), (instance.Checks?[0].State, instance.Health?.State));
            });
        }
    }
}

public sealed class SqliteProbeTests() : ProbeContract(server: null);

public sealed class PostgresProbeTests(PostgresServer server) : ProbeContract(server);
