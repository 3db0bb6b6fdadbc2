using System.Net.Http.Json;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Policies;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Explaining;

public sealed class InstanceExplainerTests
{
    [Fact]
    public async Task Instance_that_is_called_is_said_to_be()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        var told = await ExplainAsync(open, "a");
        Assert.Equal((true, true, "default/orders/a is registered, and called."),
            (told.Listed, told.Callable, told.Summary));
        Assert.Equal(["called: It is one of 1 that are called, of 1 that are registered."], Reasons(told));
        Assert.Equal("registered", Assert.Single(told.Events).Event);
    }

    [Fact]
    public async Task Instance_that_never_came_is_told_with_those_that_did_and_where_its_name_is()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await open.RegisterAsync(LeasedRegistry.Document("b") with { Group = "blue" });
        var told = await ExplainAsync(open, "zz");
        Assert.Equal(
            ["never-registered: It has never registered, as far as the history goes; of default/orders there are a."],
            Reasons(told));
        Assert.Equal("A service of that name is in another place: default/blue@@orders.", told.Next[0]);
        Assert.False(told.Listed);
        Assert.Contains("never-registered", Reasons(await ExplainAsync(open, "1", "nobody"))[0]);
    }

    [Fact]
    public async Task Who_deregistered_it_and_why_is_told()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        open.Registry.Deregister(LeasedRegistry.Key("a"), null, "olga", "scaled in");
        var told = await ExplainAsync(open, "a");
        Assert.Equal(["deregistered: It was deregistered: scaled in."], Reasons(told));
        Assert.Equal("olga", told.Reasons[0].By);
    }

    [Fact]
    public async Task Drain_weight_and_status_of_its_own_are_told()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await open.RegisterAsync(LeasedRegistry.Document("b") with { Weight = 0 });
        await open.RegisterAsync(LeasedRegistry.Document("c") with { Status = "starting" });
        open.Registry.Drain(LeasedRegistry.Key("a"), "olga", "new disk");
        Assert.Equal(
            ["status: It is draining: it was told to drain: new disk."], Reasons(await ExplainAsync(open, "a")));
        Assert.Equal(
            ["If it should stay: groundwork undrain default/orders/a"], (await ExplainAsync(open, "a")).Next);
        Assert.Equal(
            ["weight: It registered with weight 0, which takes no traffic."], Reasons(await ExplainAsync(open, "b")));
        Assert.Equal(["status: It says of itself that it is starting."], Reasons(await ExplainAsync(open, "c")));
    }

    [Fact]
    public async Task Override_and_maintenance_are_told_with_who_and_how_to_take_them_back()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        open.Say(InstanceOverrideKind.Kind, "default/orders/a", new InstanceOverrideSpec(Weight: 0, Reason: "slow"));
        var told = await ExplainAsync(open, "a");
        Assert.Equal(["override: An operator has put weight 0 over it: slow."], Reasons(told));
        Assert.Equal(
            ("olga", "Take it back: groundwork delete instance-override default/orders/a -n default"),
            (told.Reasons[0].By, told.Next[0]));
        open.Say(ServicePolicyKind.Kind, "default/orders", new ServicePolicySpec(Maintenance: true, Reason: "moving"));
        Assert.Equal(
            ["maintenance: The whole service is in maintenance: moving."], Reasons(await ExplainAsync(open, "a")));
        Assert.Equal("default/orders/a is registered, but not called. The whole service is in maintenance: moving.",
            (await ExplainAsync(open, "a")).Summary);
    }

    [Fact]
    public async Task Failing_check_and_protection_are_told()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a") with
        {
            Checks = [new InstanceCheck("disk", "critical", default, "instance", "full")],
        });
        var told = await ExplainAsync(open, "a");
        Assert.True(told.Callable);
        Assert.Equal(
            ["unhealthy: It is unhealthy: check disk is critical: full.",
                "protection: It stays in the list: 0 of 1 instances are healthy, below the protection threshold "
                + "of 50 %: all stay callable.",
                "called: It is one of 1 that are called, of 1 that are registered."],
            Reasons(told));
    }

    [Fact]
    public async Task Refused_registration_is_told_with_whom_and_why()
    {
        await using var open = await OpenRegistry.StartAsync();
        using var refused = await open.SendAsync(
            HttpMethod.Put, "instances",
            JsonContent.Create(LeasedRegistry.Document("a"), WireJson.Strict.InstanceDocument), may: "renew,discover");
        var told = await ExplainAsync(open, "a");
        Assert.Equal(
            "refused: The last registration on this node was refused, because forbidden: The principal has no role "
            + "that grants this.", Reasons(told)[1]);
        Assert.Equal("renew,discover", told.Reasons[1].By);
        Assert.Contains("Give renew,discover a grant of register and renew", told.Next[^1]);

        await open.RegisterAsync(LeasedRegistry.Document("b") with { Incarnation = 10 });
        using var older = await open.SendAsync(
            HttpMethod.Put, "renewals", JsonContent.Create(
                new RenewalBatch([new RenewalDocument("orders", "b", Incarnation: 9)]), WireJson.Strict.RenewalBatch));
        Assert.Contains(
            "an older incarnation than the one that is registered",
            string.Join(' ', Reasons(await ExplainAsync(open, "b"))));
    }

    [Fact]
    public void Expiry_says_when_it_renewed_last()
    {
        var leased = new LeasedRegistry();
        leased.Register(3);
        leased.PassRenewing(10, "i000", "i001", "i002");
        var last = leased.Time.GetUtcNow() - TimeSpan.FromSeconds(5);
        leased.PassRenewing(30, "i001", "i002");
        var expired = leased.Registry.Events(LeasedRegistry.Orders)
            .Single(happened => happened is { Id: "i000", Kind: RegistryEventKind.Expired });
        Assert.Equal($"the lease ran out; it renewed last at {last:yyyy-MM-dd HH:mm:ss}Z", expired.Reason);
    }

    private static async Task<ExplanationDocument> ExplainAsync(OpenRegistry open, string id, string service = "orders")
    {
        using var answer = await open.SendAsync(HttpMethod.Get, $"instances/default/{service}/{id}/explanation");
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync(WireJson.Strict.ExplanationDocument))!; // A success has a body.
    }

    private static string[] Reasons(ExplanationDocument told) =>
        [.. told.Reasons.Select(reason => $"{reason.Code}: {reason.Text}")];
}
