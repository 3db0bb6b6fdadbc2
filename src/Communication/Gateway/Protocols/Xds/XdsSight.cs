using System.Collections.Immutable;
using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Protocols.Sights;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>A service as a client of xDS is sent it that is in no zone, and whose streams ask for it.</summary>
internal sealed class XdsSight(IRegistryView registry, XdsStreams streams) : IProtocolSight
{
    public string Protocol => ProtocolListeners.Xds.Name;

    public ProtocolSight Look(ServiceKey service, Principal asker)
    {
        var name = ProtocolNames.ToXds(service);
        ImmutableArray<SightName> names = [new SightName("target", "xds:///" + name)];
        if (!ProtocolNames.OfXds(name).TryGet(out var meant, out var fault))
            return new ProtocolSight([], fault.Detail);
        if (meant != service) return new ProtocolSight(names, $"{name} of xDS is the service {meant}");
        var view = registry.Find(service);
        if (view is null) return new ProtocolSight(names, "there is no service of that name yet");
        return new ProtocolSight(names)
        {
            Instances = [.. XdsEndpoints.Pick(view).Select(one => new SeenInstance(
                one.Instance.Key.Id,
                one.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
                    ? $"[{one.Address}]:{one.Port.ToString(CultureInfo.InvariantCulture)}"
                    : $"{one.Address}:{one.Port.ToString(CultureInfo.InvariantCulture)}",
                "HEALTHY", Callable: true))],
            Says = InstanceFields.Weight | InstanceFields.Zone,
            Subscribing = "stream",
            Subscribers = streams.SubscribersOf(service),
        };
    }
}
