using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Protocols.Xds;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Services.Registry.Protocols;

namespace Groundwork.Communication.Tests.Gateway.Protocols.Xds;

/// <summary>Hosts of routes, as far as a client can follow what they say.</summary>
public sealed class XdsHostsTests : IDisposable
{
    private readonly HeldSnapshots snapshots = new();
    private readonly XdsHosts hosts;

    public XdsHostsTests() => hosts = new XdsHosts(snapshots);

    public void Dispose() => hosts.Dispose();

    [Fact]
    public void Routes_come_in_the_gateways_order_with_shares_and_services_of_other_namespaces()
    {
        Put("all", new RouteSpec(Match("/**"), "orders"));
        Put("stock", new RouteSpec(Match("/shop.Stock/**"), "shop/stock"));
        Put("exact", new RouteSpec(
            Match("/shop.Stock/Count"),
            Split: new SplitSpec([new SplitPart(3, "counter"), new SplitPart(1, "blue@@counter"), new(0, "none")])));
        Put("weaker", new RouteSpec(Match("/**"), "others", Priority: -1));
        Put("reads", new RouteSpec(Match("/reads") with { Methods = ["GET"] }, Upstream: "files"));
        Assert.Equal(
            [
                "= /shop.Stock/Count -> counter 3, blue@@counter 1",
                "= /shop.Stock -> shop%2Fstock", "< /shop.Stock/ -> shop%2Fstock",
                "< / -> orders", "< / -> others",
            ],
            Describe("SHOP.test"));
        Assert.Equal(
            ["blue@@counter", "counter", "orders", "others", "shop%2Fstock"],
            hosts.Find("shop.test")?.Services.Select(ProtocolNames.ToXds).Order(StringComparer.Ordinal));
        Assert.Null(hosts.Find("other.test"));
    }

    [Fact]
    public void Host_of_which_one_route_asks_for_more_is_not_there()
    {
        var plain = new RouteSpec(Match("/a/**"), "orders");
        RouteSpec[] others =
        [
            plain with { Access = new AccessSpec() },
            plain with { Limits = [] },
            plain with { Timeouts = new RouteTimeouts() },
            plain with { Request = new RequestChange() },
            plain with { Service = null, Upstream = "files" },
            plain with { Match = Match("/a/{id}") },
            plain with { Match = Match("~/a.*") },
            plain with { Match = Match("/a") with { Headers = [new FieldMatch("x")] } },
            plain with { Service = null, Split = new SplitSpec([new SplitPart(1, "a")], By: "client") },
            plain with { Service = null, Split = new SplitSpec([new SplitPart(1, "a", Version: "2")]) },
        ];
        Put("all", new RouteSpec(Match("/**"), "orders", Observe: new ObserveSpec(), ExposeRevision: true));
        Assert.NotNull(hosts.Find("shop.test"));
        foreach (var other in others)
        {
            var before = hosts.Edition;
            Put("more", other);
            Assert.NotSame(before, hosts.Edition);
            Assert.True(hosts.Find("shop.test") is null, $"{other}");
        }
        snapshots.Delete(Routes.Resource("more", plain).Key);
        Assert.NotNull(hosts.Find("shop.test"));
    }

    private static MatchSpec Match(string path) => new(["shop.test", "*.test"], path);

    private void Put(string name, RouteSpec spec) => snapshots.Put(Routes.Resource(name, spec));

    private IEnumerable<string> Describe(string host)
    {
        var made = RouteConfiguration.Parser.ParseFrom(XdsResources.MakeRoutes(host, hosts.Find(host)));
        return Assert.Single(made.VirtualHosts).Routes.Select(route =>
        {
            var match = route.Match.HasPath ? "= " + route.Match.Path : "< " + route.Match.Prefix;
            var targets = route.Route_.WeightedClusters is { } shares
                ? string.Join(", ", shares.Clusters.Select(one => $"{one.Name} {one.Weight}"))
                : route.Route_.Cluster;
            return $"{match} -> {targets}";
        });
    }
}
