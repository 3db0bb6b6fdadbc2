using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Protocols.Sights;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>A service as Nacos lists it for a client that names no clusters, and who is pushed to.</summary>
internal sealed class NacosSight(InstanceRegistry registry, NacosPush push, TimeProvider time) : IProtocolSight
{
    public string Protocol => NacosWords.Protocol;

    public ProtocolSight Look(ServiceKey service, Principal asker)
    {
        var (ns, group) = (
            ProtocolNames.NamespaceToNacos(service.Namespace), ProtocolNames.GroupToNacos(service.Group));
        var read = ProtocolNames.OfNacos(ns, group, service.Service);
        if (!read.TryGet(out var meant, out var fault)) return new ProtocolSight([], fault.Detail);
        if (meant != service)
            return new ProtocolSight([], $"{ns} {ProtocolNames.ToNacos(service)} of Nacos is the service {meant}");
        var list = NacosList.Of(registry, service, clusters: "", isHealthyOnly: false);
        var now = time.GetUtcNow();
        return new ProtocolSight(
            [new SightName("namespaceId", ns), new SightName("groupName", group),
                new SightName("serviceName", service.Service)])
        {
            Instances = [.. list.Hosts.Select(host => new SeenInstance(
                host.Instance.Key.Id, NacosWords.InstanceId(host.Instance),
                $"healthy={(host.Healthy ? "true" : "false")}, enabled={(host.Enabled ? "true" : "false")}",
                host is { Healthy: true, Enabled: true, Instance.Weight: > 0 }))],
            Says = InstanceFields.Weight | InstanceFields.Cluster | InstanceFields.Persistence | InstanceFields.Lease
                | InstanceFields.Metadata,
            Subscribing = "datagram",
            Subscribers = [.. push.SubscribersOf(service).Select(one => new Subscriber(
                "datagram", one.Agent, one.App, one.Key.Peer.ToString(), now - time.GetElapsedTime(one.SeenAt)))],
        };
    }
}
