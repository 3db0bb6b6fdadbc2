using System.Globalization;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.Xds;

/// <summary>
/// npm's @grpc/grpc-js-xds 1.14.1, with grpc-js 1.14.7: names, changes without a failed call, rights, restarts.
/// </summary>
public sealed class XdsTests(NpmClients clients) : IDisposable
{
    private static readonly string[] Everything = ["*"];
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Instances_come_are_taken_out_drained_and_go_and_no_call_fails()
    {
        await using var node = await XdsNode.StartAsync(granted: Everything);
        await using var client = await node.ClientAsync(clients);
        var (first, second) = (await client.ServeAsync(), await client.ServeAsync());
        await node.RegisterAsync(first);
        var one = await client.CallAsync();
        Assert.True(one.Has(first), $"{one}");
        await client.FlowAsync();

        await node.RegisterAsync(second);
        await SeesAsync(client, "the one that came", calls => calls.Has(first) && calls.Has(second));

        await node.OverrideAsync(second, "out-of-service");
        await SeesAsync(client, "the one taken out", calls => calls.Has(first) && !calls.Has(second));
        await node.OverrideAsync(second, "up");
        await SeesAsync(client, "the one put back", calls => calls.Has(first) && calls.Has(second));

        await node.DrainAsync(first);
        await SeesAsync(client, "the one drained", calls => !calls.Has(first) && calls.Has(second));
        await node.DeregisterAsync(first);
        await client.StopAsync(first);
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        var last = await client.FlownAsync();
        Assert.True(last.Has(second) && last.Failures.Count == 0, $"{last}");
    }

    [Fact]
    public async Task Service_is_there_by_the_names_of_its_group_and_namespace_and_else_is_not()
    {
        await using var node = await XdsNode.StartAsync(granted: Everything);
        await using var client = await node.ClientAsync(clients);
        var port = await client.ServeAsync();
        await node.RegisterAsync(port, @namespace: "shop", group: "blue");
        var found = await client.CallAsync("shop%2Fblue@@orders");
        Assert.True(found.Has(port), $"{found}");
        var none = await client.CallAsync(seconds: 17);
        Assert.Single(none.Failures);
        // It is heard of although the client has given it up.
        await node.RegisterAsync(port);
        await ReachesAsync(client, port);
    }

    [Fact]
    public async Task Weights_are_kept_and_the_own_zone_comes_first()
    {
        await using var node = await XdsNode.StartAsync(granted: Everything);
        await using var client = await node.ClientAsync(clients, zone: "east");
        var (heavy, light, near) = (await client.ServeAsync(), await client.ServeAsync(), await client.ServeAsync());
        await node.RegisterAsync(heavy, weight: 300, zone: "west");
        await node.RegisterAsync(light, weight: 100, zone: "west");
        await Eventually.TrueAsync(
            async () => await client.CallAsync(count: 20) is var calls && calls.Has(heavy) && calls.Has(light),
            "both are called");
        var counted = await client.CallAsync(count: 400);
        Assert.InRange(counted.Ports[Text(heavy)], 270, 330);
        Assert.Equal(400, counted.Ports.Values.Sum());

        await node.RegisterAsync(near, zone: "east");
        await Eventually.TrueAsync(
            async () => await client.CallAsync(count: 20) is var calls && calls.Ports.Count == 1 && calls.Has(near),
            "only the own zone is called", Soon);
        await node.OverrideAsync(near, "out-of-service");
        await Eventually.TrueAsync(
            async () => await client.CallAsync(count: 20) is var calls && !calls.Has(near) && calls.Has(heavy),
            "the other zone is called when the own has none", Soon);
    }

    [Fact]
    public async Task Right_taken_away_takes_the_service_away_and_given_back_gives_it_back()
    {
        await using var node = await XdsNode.StartAsync(granted: ["default/orders/*", "default/stock/*"]);
        await using var client = await node.ClientAsync(clients);
        var port = await client.ServeAsync();
        await node.RegisterAsync(port);
        await node.RegisterAsync(port, "stock");
        await ReachesAsync(client, port);
        await client.FlowAsync("stock");
        for (var round = 0; round < 3; round++)
        {
            await node.GrantAsync(["default/stock/*"]);
            await Eventually.ValueAsync(
                async () => await client.CallAsync(), calls => calls.Failures is [['1', '4', ' ', ..]],
                "the service is not there for who may not see it", Soon);
            await node.GrantAsync(["default/orders/*", "default/stock/*"]);
            await ReachesAsync(client, port);
        }
        var beside = await client.FlownAsync();
        Assert.True(beside.Has(port) && beside.Failures.Count == 0, $"{beside}");
    }

    [Fact]
    public async Task Right_given_back_while_nobody_listened_is_seen()
    {
        var listens = FreePort.Next();
        var node = await XdsNode.StartAsync(listens, directory.Combine("data"), Everything);
        await using var client = await node.ClientAsync(clients);
        var port = await client.ServeAsync();
        await node.RegisterAsync(port);
        await ReachesAsync(client, port);
        await node.GrantAsync([]);
        await Eventually.TrueAsync(
            async () => (await client.CallAsync()).Failures.Count == 1, "the service is gone", Soon);
        await node.DisposeAsync();
        await using (var between = await XdsNode.StartAsync(0, directory.Combine("data"), Everything))
        {
            Assert.NotEqual(listens, new Uri($"tcp://{between.Server}").Port);
        }
        await using var second = await XdsNode.StartAsync(listens, directory.Combine("data"));
        await ReachesAsync(client, port, Eventually.Patience);
    }

    [Fact]
    public async Task Client_keeps_its_endpoints_over_a_restart_and_hears_of_new_ones_after_it()
    {
        var listens = FreePort.Next();
        var node = await XdsNode.StartAsync(listens, directory.Combine("data"), Everything);
        await using var client = await node.ClientAsync(clients);
        var (first, second) = (await client.ServeAsync(), await client.ServeAsync());
        await node.RegisterAsync(first);
        await ReachesAsync(client, first);
        await client.FlowAsync();
        await node.DisposeAsync();
        var away = await client.CallAsync(count: 50);
        Assert.Equal(50, away.Ports[Text(first)]);
        await using var again = await XdsNode.StartAsync(listens, directory.Combine("data"));
        await again.RegisterAsync(second);
        var missed = new List<string>();
        await Eventually.TrueAsync(
            async () =>
            {
                var calls = await client.FlownAsync();
                missed.AddRange(calls.Failures);
                return calls.Has(first) && calls.Has(second);
            },
            "the client hears of the new one");
        Assert.Empty(missed);
    }

    [Fact]
    public async Task Access_key_of_the_nodes_metadata_counts_and_a_wrong_one_is_refused()
    {
        await using var node = await XdsNode.StartAsync();
        var key = await node.Running.MintAsync(
            "caller", [], [new Groundwork.Kernel.Security.Grant(["discover"], ["instance"], ["*"], ["*"])]);
        await using var known = await node.ClientAsync(clients, metadata: Key(key));
        var port = await known.ServeAsync();
        await node.RegisterAsync(port);
        await ReachesAsync(known, port);
        // The client waits for a stream that is not refused, and says nothing of why.
        await using var stranger = await node.ClientAsync(clients, metadata: Key(key[..^4] + "AAAA"));
        Assert.Single((await stranger.CallAsync(seconds: 2)).Failures);
        await using var nobody = await node.ClientAsync(clients);
        Assert.Single((await nobody.CallAsync(seconds: 2)).Failures);
        Assert.DoesNotContain(key, node.Running.Log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_of_the_gateways_routes_leads_where_they_lead()
    {
        await using var node = await XdsNode.StartAsync(granted: Everything);
        await using var client = await node.ClientAsync(clients);
        var (orders, stock) = (await client.ServeAsync(), await client.ServeAsync());
        await node.RegisterAsync(orders);
        await node.RegisterAsync(stock, "stock");
        await node.RouteAsync("all", new RouteSpec(new MatchSpec(["shop.test"], "/**"), "orders"));
        await ReachesAsync(client, orders, service: "shop.test");
        await client.FlowAsync("shop.test");
        await node.RouteAsync("echo", new RouteSpec(new MatchSpec(["shop.test"], "/test.Echo/**"), "stock"));
        await SeesAsync(client, "the route that is more exact", calls => calls.Has(stock) && !calls.Has(orders));
        await node.RouteAsync("echo", new RouteSpec(
            new MatchSpec(["shop.test"], "/test.Echo/Name"),
            Split: new SplitSpec([new SplitPart(50, "orders"), new SplitPart(50, "stock")])));
        await SeesAsync(client, "the shares", calls => calls.Has(stock) && calls.Has(orders));
        // Whoever goes around the gateway would go around what the route asks for.
        await node.RouteAsync("echo", new RouteSpec(
            new MatchSpec(["shop.test"], "/test.Echo/**"), "stock",
            Access: new AccessSpec(Deny: new CallerLists(["10.0.0.0/8"]))));
        await Eventually.TrueAsync(
            async () => (await client.CallAsync("shop.test")).Failures.Count == 1, "the host is not there", Soon);
    }

    private static Dictionary<string, string> Key(string key) =>
        new(StringComparer.Ordinal) { ["groundwork_access_key"] = key };

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    private static Task ReachesAsync(
        XdsClient client, int port, TimeSpan? within = null, string service = "orders") => Eventually.ValueAsync(
        async () => await client.CallAsync(service), calls => calls.Has(port), "the service is called", within ?? Soon);

    // Waits until the calls of a tenth of a second are so; none of all those that are made meanwhile fails.
    private static async Task SeesAsync(XdsClient client, string what, Predicate<Calls> wanted)
    {
        var began = TimeProvider.System.GetTimestamp();
        await Eventually.ValueAsync(
            async () =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
                var calls = await client.FlownAsync();
                Assert.True(calls.Failures.Count == 0, $"{what}: {calls}");
                return calls;
            },
            calls => wanted(calls), what, Soon);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: seen after {TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:0} ms"));
    }
}
