using System.Collections.Immutable;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>A service as an application of Eureka, and who fetches it.</summary>
internal sealed class EurekaSight(
    EurekaApplications applications, EurekaFetchers fetchers, Func<Principal, ServiceKey, bool> maySee) : IProtocolSight
{
    public string Protocol => EurekaExtension.Name;

    public ProtocolSight Look(ServiceKey service, Principal asker)
    {
        if (service.Namespace != Names.DefaultNamespace)
            return new ProtocolSight(
                [], $"Eureka has no namespaces: it shows '{Names.DefaultNamespace}', not '{service.Namespace}'");
        var app = ProtocolNames.ToEureka(service);
        ImmutableArray<SightName> names = [new SightName("app", app)];
        if (!applications.Find(app).TryGet(out var view, out var fault)) return new ProtocolSight(names, fault.Detail);
        if (view is not null && view.Key != service)
            return new ProtocolSight(names, $"{app} of Eureka is the service {view.Key}");
        return new ProtocolSight(names, view is null ? "Eureka has no applications without instances" : null)
        {
            Instances = [.. (view?.Instances ?? []).Select(instance => Write(view!, instance))], // Of a view.
            Says = InstanceFields.Scheme | InstanceFields.Zone | InstanceFields.Lease | InstanceFields.Metadata,
            Subscribing = "fetch",
            Subscribers = fetchers.Of(service, maySee),
        };
    }

    private static SeenInstance Write(ServiceView view, Instance instance)
    {
        var callable = SightParts.IsCallable(view, instance);
        var status = EurekaStatus.Of(instance, callable);
        return new SeenInstance(
            instance.Key.Id, EurekaExtension.Of(instance)?.Id ?? instance.Key.Id, status, status == EurekaStatus.Up);
    }
}
