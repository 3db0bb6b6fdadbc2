using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Sights;

namespace Groundwork.Communication.Gateway;

/// <summary>A service as clients of the gateway reach it: by the routes that lead there.</summary>
/// <param name="authorizer">A route is named to whoever may read it.</param>
internal sealed class GatewaySight(
    IRegistryView registry, RouteTableView routes, UpstreamTable upstreams, Authorizer authorizer) : IProtocolSight
{
    /// <summary>Routes that are named: hundreds to one service would say nothing.</summary>
    private const int MaxRoutes = 20;

    public string Protocol => ListenerDefinition.Gateway;

    public ProtocolSight Look(ServiceKey service, Principal asker)
    {
        var through = upstreams.All.Where(pair => pair.Value.Service == service).Select(pair => pair.Key).ToHashSet();
        ImmutableArray<Route> leading =
        [
            .. routes.Current.Routes.Where(route => route.Targets.Any(
                target => target.Service == service || (target.Upstream is { } key && through.Contains(key)))),
        ];
        if (leading.IsEmpty) return new ProtocolSight([], "no route leads to it");
        var view = registry.Find(service);
        return new ProtocolSight(
        [
            .. leading.Where(route => authorizer.Allows(asker, Verb.Read, route.Key))
                .OrderBy(route => route.Name, StringComparer.Ordinal)
                .Take(MaxRoutes)
                .Select(route => new SightName("route", route.Name)),
        ])
        {
            Instances = [.. (view?.Callable ?? []).Select(instance => new SeenInstance(
                instance.Key.Id, $"{instance.Scheme}://{instance.Host}:{instance.Port}", "called", Callable: true))],
            Says = InstanceFields.All, // It says nothing of instances to anybody.
            Subscribing = "process",
        };
    }
}
