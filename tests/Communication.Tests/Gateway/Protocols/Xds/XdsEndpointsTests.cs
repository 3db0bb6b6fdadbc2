using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Protocols.Xds;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Tests.Gateway.Protocols.Xds;

/// <summary>A service's instances as endpoints, and how they come in answers.</summary>
public sealed class XdsEndpointsTests
{
    private static readonly ServiceKey Orders = HeldServices.Key("orders");

    [Fact]
    public void Only_what_may_be_called_and_has_an_address_is_an_endpoint_and_each_address_once()
    {
        var made = Make(
            "",
            At("10.0.0.1", 80), At("10.0.0.1", 80) with { Key = new InstanceKey(Orders, "again") },
            At("10.0.0.2", 80) with { Status = InstanceStatus.OutOfService },
            At("10.0.0.3", 80) with { Status = InstanceStatus.Draining },
            At("10.0.0.4", 80) with { Weight = 0 },
            At("orders.internal", 80), At("fe80::1%3", 80), At("localhost", 81), At("2001:db8::1", 82),
            At("::ffff:10.0.0.5", 83), At("10.0.0.6", 84) with { Ports = Ports("grpc", 90) },
            At("10.0.0.7", 85) with { Ports = Ports("admin", 91) });
        Assert.Equal(
            ["10.0.0.1:80", "10.0.0.5:83", "10.0.0.6:90", "10.0.0.7:85", "127.0.0.1:81", "2001:db8::1:82"],
            Addresses(made).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Places_are_zones_with_the_weight_of_theirs_and_what_weighs_otherwise_is_apart()
    {
        var made = Make(
            "",
            At("10.0.0.1", 80) with { Zone = "east" }, At("10.0.0.2", 80) with { Zone = "east" },
            At("10.0.0.3", 80) with { Zone = "east", Weight = 50 }, At("10.0.0.4", 80) with { Zone = "west" },
            At("10.0.0.5", 80));
        Assert.Equal(
            [("", "", 100u, 0u), ("east", "", 200u, 0u), ("east", "weight-50", 50u, 0u), ("west", "", 100u, 0u)],
            Places(made));
    }

    [Fact]
    public void Own_zone_comes_first_where_it_has_any()
    {
        ImmutableArray<Instance> instances =
            [At("10.0.0.1", 80) with { Zone = "east" }, At("10.0.0.2", 80) with { Zone = "west" }, At("10.0.0.3", 80)];
        Assert.Equal(
            [("", "", 100u, 1u), ("east", "", 100u, 1u), ("west", "", 100u, 0u)], Places(Make("west", instances)));
        Assert.All(Places(Make("north", instances)), place => Assert.Equal(0u, place.Priority));
    }

    [Fact]
    public void Empty_list_without_a_reason_is_not_believed()
    {
        var subscription = new XdsSubscription(XdsType.Endpoints);
        subscription.Want(["orders"]);
        var view = View([At("10.0.0.1", 80)]);
        Assert.NotNull(subscription.Next(_ => new XdsOffer(view, null), "", "v", 1));
        var lost = new ServiceView(Orders, 2, [], [], Protection: false);
        Assert.Null(subscription.Next(_ => new XdsOffer(lost, null), "", "v", 2));
        var gone = lost with { EmptyReason = "the last one left" };
        Assert.Empty(Read(subscription.Next(_ => new XdsOffer(gone, null), "", "v", 3)).Endpoints);
    }

    [Fact]
    public void Large_answer_comes_in_parts_of_a_size_that_clients_take()
    {
        var subscription = new XdsSubscription(XdsType.Endpoints);
        subscription.Want([.. Enumerable.Range(0, 10).Select(at => $"s{at}")]);
        var view = View([.. Enumerable.Range(0, 20_000).Select(at => At($"10.0.{at / 250}.{at % 250}", 8080))]);
        var sizes = new List<int>();
        var found = 0;
        while (subscription.Next(_ => new XdsOffer(view, null), "", "v", sizes.Count + 1) is { } answer)
        {
            sizes.Add(answer.CalculateSize());
            found += answer.Resources.Count;
        }
        Assert.Equal(10, found);
        Assert.All(sizes, size => Assert.InRange(size, 1, (4 * 1024 * 1024) - 1));
        Assert.InRange(sizes.Count, 2, 10);
    }

    private static Instance At(string host, int port) => new(new InstanceKey(Orders, $"{host}:{port}"), host, port);

    private static ImmutableSortedDictionary<string, int> Ports(string name, int port) =>
        ImmutableSortedDictionary<string, int>.Empty.Add(name, port);

    private static ServiceView View(ImmutableArray<Instance> instances)
    {
        var services = new HeldServices();
        services.Put(Orders, instances);
        return services.Find(Orders) ?? throw new InvalidOperationException("It was just put there.");
    }

    private static ClusterLoadAssignment Make(string zone, params ImmutableArray<Instance> instances) =>
        XdsEndpoints.Of("orders", View(instances), zone);

    private static ClusterLoadAssignment Read(DiscoveryResponse? answer)
    {
        Assert.NotNull(answer);
        return ClusterLoadAssignment.Parser.ParseFrom(Assert.Single(answer.Resources).Value);
    }

    private static IEnumerable<string> Addresses(ClusterLoadAssignment made) => made.Endpoints
        .SelectMany(place => place.LbEndpoints)
        .Select(one => one.Endpoint.Address.SocketAddress)
        .Select(address => $"{address.Address}:{address.PortValue}");

    private static IEnumerable<(string Zone, string SubZone, uint? Weight, uint Priority)> Places(
        ClusterLoadAssignment made) => made.Endpoints
        .Select(place => (place.Locality.Zone, place.Locality.SubZone, place.LoadBalancingWeight, place.Priority))
        .OrderBy(place => place.Zone, StringComparer.Ordinal).ThenBy(place => place.SubZone, StringComparer.Ordinal);
}
