using System.Text.Json;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Route = Groundwork.Communication.Gateway.Routing.Route;

namespace Groundwork.Communication.Gateway.Drafting;

/// <summary>The part of the API that tells of listeners and upstreams as they are on this node.</summary>
internal sealed class GatewayPartsApi(
    RouteTableView routes, UpstreamTable upstreams, ListenerTable listening, Listeners listeners,
    InstanceChooser chooser, InstanceShares shares, ISnapshotSource snapshots, Authorizer authorizer, string node)
{
    /// <summary>Hosts without a certificate that are told.</summary>
    private const int MaxUncovered = 20;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot + "/gateway").WithTags("Gateway");
        api.MapGet("/listeners", ListListeners)
            .Requires(Verb.Read, static _ => new ResourceKey(GatewayListenerKind.Name, "", "http"))
            .Describe<GatewayListenerList>(
                "listGatewayListeners", "The addresses of this node of the gateway, and what holds for each.");
        api.MapGet("/upstreams", ListUpstreams)
            .RequiresPrincipal("Read on each upstream, and discover on the instances of each service, that is told of")
            .Describe<GatewayUpstreamList>(
                "listGatewayUpstreams", "What this node of the gateway calls, each with its instances.");
    }

    /// <summary>True when the caller may see the instances of a target.</summary>
    public static bool MayCall(Authorizer authorizer, Principal principal, Target target) => target.Upstream is { } name
        ? authorizer.Allows(principal, Verb.Read, name)
        : target.Service is { } service && authorizer.Allows(
            principal, Verb.Discover,
            // What stands for the instances of a service in roles.
            new ResourceKey("instance", service.Namespace, $"{service.Group}/{service.Service}/*"));

    private IResult ListListeners(HttpContext context)
    {
        var table = routes.Current;
        return TypedResults.Ok(new GatewayListenerList(
            node,
            [
                .. new[] { ("http", ListenerDefinition.Gateway), ("https", ListenerDefinition.GatewayHttps) }
                    .Select(names => Tell(context, names.Item1, names.Item2, table)),
            ]));
    }

    private ListenerInForce Tell(HttpContext context, string name, string listener, RouteTable table)
    {
        var isOpen = listeners.Has(listener);
        var state = listening.Of(listener);
        var resource = snapshots.Current.Find(GatewayListenerKind.Name, "", name);
        var isSecure = listener == ListenerDefinition.GatewayHttps;
        var shown = isSecure ? state.Plan.Tls?.Certificates.Shown ?? [] : [];
        var plan = state.Plan;
        return new ListenerInForce(
            name, isOpen ? [.. listeners.AddressesOf(listener).Select(address => address.ToString())] : [], isSecure,
            resource is not null, state.Connections.All, table.Count,
            [.. plan.Steps.Select(step => JsonNamingPolicy.KebabCaseLower.ConvertName(step.Stage.ToString()))],
            new ListenerBounds(
                plan.Limits.BodyBytes, (long)plan.Limits.HeadTimeout.TotalMilliseconds,
                (long)plan.Limits.KeepAlive.TotalMilliseconds, plan.MaxConnections, plan.MaxConnectionsPerAddress,
                Milliseconds(plan.MaxResponseHead), Milliseconds(plan.MaxIdle)),
            [
                .. shown.Where(one => authorizer.Allows(context.Principal(), Verb.Read, one.Certificate.Key))
                    .Select(one => new ListenerCertificate(
                        one.Certificate.Key.Namespace, one.Certificate.Key.Name, one.Certificate.Hosts,
                        new DateTimeOffset(one.Certificate.NotAfter, TimeSpan.Zero), one.IsDefault)),
            ],
            isSecure && isOpen ? Uncovered(context, table, [.. shown.Select(one => one.Certificate)]) : []);
    }

    private IReadOnlyList<string> Uncovered(HttpContext context, RouteTable table, List<ServedCertificate> shown) =>
    [
        .. table.Routes.Where(route => authorizer.Allows(context.Principal(), Verb.Read, route.Key))
            .SelectMany(route => route.Hosts)
            .Where(host => host != HostPattern.Any && !shown.Exists(
                one => one.Hosts.Contains(host) || (host[0] != '*' && one.Covers(host))))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(MaxUncovered),
    ];

    private IResult ListUpstreams(HttpContext context)
    {
        var principal = context.Principal();
        var leading = routes.Current.Routes.Where(route => authorizer.Allows(principal, Verb.Read, route.Key))
            .SelectMany(route => route.Targets.Select(target => (Target: target.Key, route)))
            .ToLookup(pair => pair.Target, pair => pair.route);
        // Those that no route leads to are upstreams all the same.
        var own = upstreams.All.Select(pair => new TargetKey(null, pair.Key));
        return TypedResults.Ok(new GatewayUpstreamList(
            node,
            [
                .. leading.Select(group => group.Key).Concat(own).Distinct()
                    .Select(key => Target.TryMake(
                        key.Service?.ToFullName(),
                        key.Upstream is { } upstream ? $"{upstream.Namespace}/{upstream.Name}" : null, ""))
                    .OfType<Target>()
                    .Where(target => MayCall(authorizer, principal, target))
                    .Select(target => Tell(target, leading[target.Key]))
                    .OrderBy(one => one.Kind == "service").ThenBy(one => one.Namespace, StringComparer.Ordinal)
                    .ThenBy(one => one.Name, StringComparer.Ordinal),
            ]));
    }

    private GatewayUpstream Tell(Target target, IEnumerable<Route> leading)
    {
        var plan = target.Upstream is { } name ? upstreams.Find(name) : null;
        var found = chooser.Foresee(target, upstreams.Find).TryGet(out var set, out var none);
        return new GatewayUpstream(
            target.Upstream is null ? "service" : "upstream",
            target.Upstream?.Namespace ?? target.Service?.Namespace ?? "",
            target.Upstream?.Name ?? Short(target.Service),
            plan?.Source ?? "service",
            target.Key.Name,
            PolicyNames.Of((plan?.Policy ?? BalancePolicy.Default).Choice),
            [.. leading.Select(route => route.Name).Distinct().Order(StringComparer.Ordinal)],
            found ? shares.Of(set!, target, null) : [], // There is one when it was found.
            plan?.Service?.ToString() ?? target.Service?.ToString(),
            none?.Detail);
    }

    private static string Short(ServiceKey? service) => service is not { } key ? ""
        : key.Group == ServiceKey.DefaultGroup
            ? key.Service
            : $"{key.Group}{ServiceKey.GroupSeparator}{key.Service}";

    private static long? Milliseconds(TimeSpan most) =>
        most == TimeSpan.MaxValue ? null : (long)most.TotalMilliseconds;
}
