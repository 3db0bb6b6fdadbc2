using System.Globalization;
using System.Net.Sockets;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Services.Registry;
using IPAddress = System.Net.IPAddress;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>The instances of a service that may be called now, as endpoints.</summary>
internal static class XdsEndpoints
{
    /// <summary>A port of that name is the one for callers by gRPC; else it is the primary one.</summary>
    public const string PortName = "grpc";

    private const int Healthy = 1;

    /// <summary>What instances weigh that say nothing of it.</summary>
    private const int UsualWeight = 100;

    /// <param name="zone">Where the client is: instances there come first, the rest when none of them answers.</param>
    public static ClusterLoadAssignment Of(string name, ServiceView? view, string zone)
    {
        var assignment = new ClusterLoadAssignment { ClusterName = name };
        if (view is null) return assignment;
        var hasNear = zone.Length > 0 && view.Callable.Any(one => one.Zone == zone && AddressOf(one) is not null);
        var places = new SortedDictionary<(uint Priority, string Zone, int Weight), LocalityLbEndpoints>();
        foreach (var (instance, address, port) in Pick(view))
        {
            var place = (
                Priority: hasNear && instance.Zone != zone ? 1u : 0u, Zone: instance.Zone ?? "", instance.Weight);
            if (!places.TryGetValue(place, out var endpoints))
                places[place] = endpoints = Place(place.Priority, place.Zone, place.Weight);
            endpoints.LoadBalancingWeight += (uint)instance.Weight;
            endpoints.LbEndpoints.Add(Endpoint(address, port, instance.Weight));
        }
        assignment.Endpoints.AddRange(places.Values);
        return assignment;
    }

    /// <summary>The instances that are endpoints, and where.</summary>
    public static IEnumerable<(Instance Instance, IPAddress Address, int Port)> Pick(ServiceView view)
    {
        // Two instances at one address are one endpoint: a client refuses the whole for a repeated address.
        var seen = new HashSet<(IPAddress, int)>();
        foreach (var instance in view.Callable)
        {
            // A client refuses all of them for one that is not an address.
            if (AddressOf(instance) is not { } address) continue;
            var port = instance.Ports.TryGetValue(PortName, out var named) ? named : instance.Port;
            if (seen.Add((address, port))) yield return (instance, address, port);
        }
    }

    // Clients of gRPC weigh places against each other, and in a place take one instance after the other. So those that
    // do not weigh the usual have a place of their own in their zone.
    private static LocalityLbEndpoints Place(uint priority, string zone, int weight) => new()
    {
        Locality = new Locality
        {
            Zone = zone,
            SubZone = weight == UsualWeight ? "" : "weight-" + weight.ToString(CultureInfo.InvariantCulture),
        },
        Priority = priority,
        LoadBalancingWeight = 0,
    };

    private static LbEndpoint Endpoint(IPAddress address, int port, int weight) => new()
    {
        Endpoint = new Endpoint
        {
            Address = new Address
            {
                SocketAddress = new SocketAddress { Address = address.ToString(), PortValue = (uint)port },
            },
        },
        HealthStatus = Healthy,
        LoadBalancingWeight = (uint)weight,
    };

    private static IPAddress? AddressOf(Instance instance)
    {
        if (instance.Host == "localhost") return IPAddress.Loopback;
        if (!IPAddress.TryParse(instance.Host, out var address)) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        // With an interface's number it is an address of one machine alone.
        return address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0
            ? null
            : address;
    }
}
