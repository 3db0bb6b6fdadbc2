using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Protocols.Xds;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Kernel.Resources;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Tests.Gateway.Protocols.Xds;

/// <summary>What a stream is sent, and when.</summary>
public sealed class XdsStreamTests : IAsyncLifetime
{
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(400); // Four looks.
    private RunningNode node = null!; // Started before every test.
    private HttpClient client = null!; // The same.

    public async ValueTask InitializeAsync()
    {
        node = await XdsNodes.StartAsync();
        client = XdsCall.Client(node);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await node.DisposeAsync();
    }

    [Fact]
    public async Task Name_leads_over_all_four_types_to_the_endpoints()
    {
        await XdsNodes.RegisterAsync(node, "orders", 8080);
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Listener, "orders");
        var (_, listeners) = await call.ReadAsync(XdsType.Listener);
        var listener = Listener.Parser.ParseFrom(Assert.Single(listeners));
        var manager = HttpConnectionManager.Parser.ParseFrom(listener.ApiListener.ApiListener_.Value);
        Assert.Equal(("orders", "orders"), (listener.Name, manager.Rds.RouteConfigName));
        await call.AskAsync(XdsType.Routes, manager.Rds.RouteConfigName);
        var (_, routes) = await call.ReadAsync(XdsType.Routes);
        var host = Assert.Single(RouteConfiguration.Parser.ParseFrom(Assert.Single(routes)).VirtualHosts);
        await call.AskAsync(XdsType.Cluster, Assert.Single(host.Routes).Route_.Cluster);
        var (_, clusters) = await call.ReadAsync(XdsType.Cluster);
        var cluster = Cluster.Parser.ParseFrom(Assert.Single(clusters));
        await call.AskAsync(XdsType.Endpoints, cluster.Name);
        var place = Assert.Single((await EndpointsAsync(call)).Endpoints);
        var endpoint = Assert.Single(place.LbEndpoints);
        Assert.Equal(
            ("10.0.0.1", 8080u, 100u, 100u),
            (endpoint.Endpoint.Address.SocketAddress.Address, endpoint.Endpoint.Address.SocketAddress.PortValue,
                endpoint.LoadBalancingWeight, place.LoadBalancingWeight));
    }

    [Fact]
    public async Task Answer_that_is_taken_or_refused_is_not_sent_again_and_a_refusal_is_logged_once()
    {
        await XdsNodes.RegisterAsync(node, "orders", 8080);
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Cluster, "orders");
        var (first, _) = await call.ReadAsync(XdsType.Cluster);
        await call.AcknowledgeAsync(first, names: "orders");
        var words = "no\nsuch thing " + new string('x', 1_000);
        for (var again = 0; again < 3; again++) await call.AcknowledgeAsync(first, words, "orders");
        // What comes next is the answer to what is asked for next: nothing was sent for those.
        await call.AskAsync(XdsType.Endpoints, "orders");
        var (second, _) = await call.ReadAsync(XdsType.Endpoints);
        Assert.Equal(("1", "2"), (first.Nonce, second.Nonce));
        var logged = node.Log.ToString().Split('\n').Where(
            line => line.Contains("refuses what it was sent", StringComparison.Ordinal)).ToArray();
        var line = Assert.Single(logged);
        Assert.Contains("node 1", line, StringComparison.Ordinal);
        Assert.Contains("no such thing", line, StringComparison.Ordinal);
        Assert.Contains("Cluster", line, StringComparison.Ordinal);
        Assert.DoesNotContain(new string('x', XdsLimits.MaxWords), line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_what_has_changed_is_sent_of_endpoints_and_everything_of_clusters()
    {
        await XdsNodes.RegisterAsync(node, "orders", 8080);
        await XdsNodes.RegisterAsync(node, "stock", 8081);
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Cluster, "orders", "stock", "later");
        Assert.Equal(2, (await call.ReadAsync(XdsType.Cluster)).Resources.Length);
        await call.AskAsync(XdsType.Endpoints, "orders", "stock", "later");
        Assert.Equal(2, (await call.ReadAsync(XdsType.Endpoints)).Resources.Length);

        await XdsNodes.RegisterAsync(node, "stock", 8082);
        var stock = await EndpointsAsync(call);
        Assert.Equal(("stock", 2), (stock.ClusterName, stock.Endpoints.Single().LbEndpoints.Count));

        await XdsNodes.RegisterAsync(node, "later", 8083);
        Assert.Equal(3, (await call.ReadAsync(XdsType.Cluster)).Resources.Length);
        Assert.Equal("later", (await EndpointsAsync(call)).ClusterName);

        // A change that is none for callers is not sent.
        await XdsNodes.RegisterAsync(node, new InstanceDocument(
            "later", "10.0.0.1", 8083, LeaseSeconds: 300,
            Metadata: new Dictionary<string, string>(StringComparer.Ordinal) { ["color"] = "red" }));
        await Task.Delay(Silence, TimeProvider.System);
        await XdsNodes.RegisterAsync(node, "orders", 8084);
        Assert.Equal("orders", (await EndpointsAsync(call)).ClusterName);
    }

    [Fact]
    public async Task What_is_wanted_again_is_sent_again_even_when_the_request_crossed_an_answer()
    {
        await XdsNodes.RegisterAsync(node, "orders", 8080);
        await XdsNodes.RegisterAsync(node, "stock", 8081);
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Endpoints, "orders");
        var (first, _) = await call.ReadAsync(XdsType.Endpoints);
        await call.AcknowledgeAsync(first, null, "orders", "stock");
        Assert.Equal("stock", (await EndpointsAsync(call)).ClusterName);
        await call.AcknowledgeAsync(first, null, "stock"); // The nonce is the one before.
        await call.AcknowledgeAsync(first, null, "orders", "stock");
        Assert.Equal("orders", (await EndpointsAsync(call)).ClusterName);
    }

    [Fact]
    public async Task Service_that_may_no_longer_be_seen_goes_and_is_another_when_it_is_back()
    {
        await XdsNodes.RegisterAsync(node, "orders", 8080);
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Cluster, "orders");
        var (_, before) = await call.ReadAsync(XdsType.Cluster);
        await call.AskAsync(XdsType.Endpoints, "orders");
        Assert.Single((await EndpointsAsync(call)).Endpoints);
        await XdsNodes.GrantAsync(node, "default/stock/*");
        Assert.Empty((await call.ReadAsync(XdsType.Cluster)).Resources);
        Assert.Empty((await EndpointsAsync(call)).Endpoints);
        await XdsNodes.GrantAsync(node, "default/orders/*");
        var (_, after) = await call.ReadAsync(XdsType.Cluster);
        Assert.NotEqual(Assert.Single(before), Assert.Single(after));
        Assert.Single((await EndpointsAsync(call)).Endpoints);
    }

    [Fact]
    public async Task Host_of_routes_is_there_for_who_may_discover_all_that_it_leads_to()
    {
        await XdsNodes.CommitAsync(node, Change.Put(RouteKind.Kind, "default", "shop", new RouteSpec(
            new MatchSpec(["shop.test"], "/**"),
            Split: new SplitSpec([new SplitPart(1, "orders"), new SplitPart(1, "stock")]))));
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Listener, "shop.test");
        Assert.Single((await call.ReadAsync(XdsType.Listener)).Resources);
        await call.AskAsync(XdsType.Cluster, "shop.test");
        Assert.Empty((await call.ReadAsync(XdsType.Cluster)).Resources);
        await XdsNodes.GrantAsync(node, "default/orders/*");
        Assert.Empty((await call.ReadAsync(XdsType.Listener)).Resources);
        await XdsNodes.GrantAsync(node, "default/orders/*", "default/stock/*");
        Assert.Single((await call.ReadAsync(XdsType.Listener)).Resources);
    }

    [Fact]
    public async Task Stop_of_the_node_ends_a_stream_with_its_status()
    {
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Listener, "orders");
        Assert.Empty((await call.ReadAsync(XdsType.Listener)).Resources);
        var ended = call.EndAsync();
        await node.StopAsync();
        Assert.Equal(14, await ended);
    }

    [Fact]
    public async Task Client_that_has_nothing_more_to_say_ends_its_stream()
    {
        using var call = await XdsCall.OpenAsync(client);
        await call.AskAsync(XdsType.Listener, "orders");
        Assert.Empty((await call.ReadAsync(XdsType.Listener)).Resources);
        call.Complete();
        Assert.Equal(0, await call.EndAsync());
    }

    private static async Task<ClusterLoadAssignment> EndpointsAsync(XdsCall call) =>
        ClusterLoadAssignment.Parser.ParseFrom(Assert.Single((await call.ReadAsync(XdsType.Endpoints)).Resources));
}
