using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Protocols.Sights;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>A service as <c>/health/service</c> has it, and who waits there for a change.</summary>
internal sealed class ConsulSight(InstanceRegistry registry) : IProtocolSight
{
    /// <summary>How clients of Consul wait.</summary>
    public const string BlockingQuery = "blocking-query";

    public string Protocol => ConsulExtension.Name;

    public ProtocolSight Look(ServiceKey service, Principal asker)
    {
        var name = ProtocolNames.ToConsul(service);
        var read = ProtocolNames.OfConsul(datacenter: null, service.Namespace, name);
        if (!read.TryGet(out var meant, out var fault)) return new ProtocolSight([], fault.Detail);
        if (meant != service) return new ProtocolSight([], $"{name} of Consul is the service {meant}");
        var view = registry.FindFresh(service);
        return new ProtocolSight(
        [
            new SightName("service", name), new SightName("ns", service.Namespace),
            new SightName("dc", ProtocolNames.ConsulDatacenter),
        ])
        {
            Instances = view is null ? [] : [.. ConsulShapes.Entries(view).Select(entry => new SeenInstance(
                entry.Instance.Key.Id, entry.Id, StatusOf(entry), ConsulShapes.IsPassing(entry)))],
            Says = InstanceFields.Weight | InstanceFields.Tags | InstanceFields.Checks | InstanceFields.Metadata,
            Subscribing = BlockingQuery,
            Subscribers = SightParts.Waiting(registry, service, Protocol),
        };
    }

    // The worst of its checks, as Consul sums them up.
    private static string StatusOf(ConsulEntry entry)
    {
        var statuses = ConsulShapes.Checks(entry).Select(check => (string?)check["Status"]).ToHashSet();
        return statuses.Contains("critical") ? "critical" : statuses.Contains("warning") ? "warning" : "passing";
    }
}
