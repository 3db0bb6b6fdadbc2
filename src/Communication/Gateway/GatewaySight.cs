using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Sights;

namespace Groundwork.Communication.Gateway;

/// <summary>A service as clients of the gateway reach it: by the routes that lead there.</summary>
internal sealed class GatewaySight(IRegistryView registry, RouteTableView routes, UpstreamTable upstreams)
    : IProtocolSight
{
    /// <summary>Routes that are named: hundreds to one service would say nothing.</summary>
    private const int MaxRoutes = 20;

    public string Protocol => ListenerDefinition.Gateway;

    public ProtocolSight Look(ServiceKey service)
    {
        var through = upstreams.All.Where(pair => pair.Value.Service == service).Select(pair => pair.Key).ToHashSet();
        ImmutableArray<SightName> names =
        [
            .. routes.Current.Routes
                .Where(route => route.Targets.Any(
                    target => target.Service == service || (target.Upstream is { } key && through.Contains(key))))
                .OrderBy(route => route.Name, StringComparer.Ordinal)
                .Take(MaxRoutes)
                .Select(route => new SightName("route", route.Name)),
        ];
        if (names.IsEmpty) return new ProtocolSight([], "no route leads to it");
        var view = registry.Find(service);
        return new ProtocolSight(names)
        {
            Instances = [.. (view?.Callable ?? []).Select(instance => new SeenInstance(
                instance.Key.Id, $"{instance.Scheme}://{instance.Host}:{instance.Port}", "called", Callable: true))],
            Says = InstanceFields.All, // It says nothing of instances to anybody.
            Subscribing = "process",
        };
    }
}
