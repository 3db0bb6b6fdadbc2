using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Protocols.Sights;

namespace Groundwork.Services.Registry.Protocols.Etcd;

/// <summary>A service as keys below <c>services/</c> have it: instances that may be called, and no others.</summary>
internal sealed class EtcdSight(InstanceRegistry registry, NamingKeys keys) : IProtocolSight
{
    public string Protocol => EtcdExtension.Protocol;

    public ProtocolSight Look(ServiceKey service, Principal asker)
    {
        var prefix = NamingPath.PrefixOf(service);
        if (!ProtocolNames.OfEtcd(ProtocolNames.ToEtcd(service)).TryGet(out _, out var fault))
            return new ProtocolSight([], fault.Detail);
        var view = registry.FindFresh(service);
        return new ProtocolSight([new SightName("prefix", prefix)])
        {
            Instances = view is null ? [] : [.. NamingPath.NamesOf(view)
                .Where(one => SightParts.IsCallable(view, one.Instance))
                .Select(one => new SeenInstance(one.Instance.Key.Id, prefix + one.Name, "put", Callable: true))],
            Says = InstanceFields.Metadata,
            Subscribing = "watch",
            Subscribers = keys.Subscribers(service),
        };
    }
}
