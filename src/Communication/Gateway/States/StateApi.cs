using Groundwork.Communication.Gateway.Content.Caching;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Limits;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Route = Groundwork.Communication.Gateway.Routing.Route;

namespace Groundwork.Communication.Gateway.States;

/// <summary>
/// The part of the API that tells what this node's gateway holds back: breakers, limits, places, budgets, the cache and
/// the guard of the process. It reads what those keep, and keeps nothing itself.
/// </summary>
internal sealed class StateApi(GatewayEngine engine, Authorizer authorizer, string node, TimeProvider time)
{
    /// <summary>Upstreams, and limits, of one answer.</summary>
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    /// <summary>Callers of each limit.</summary>
    private const int DefaultHottest = 5;
    private const int MaxHottest = 50;

    /// <summary>What stands for the figures of a node in roles, as <c>/metrics</c> has it.</summary>
    private const string MetricsKind = "metrics";

    /// <summary>What stands for services in roles, as the registry has it.</summary>
    private const string InstanceKind = "instance";

    public void Map(IEndpointRouteBuilder endpoints) => endpoints
        .MapGroup(Listeners.ApiRoot + "/gateway").WithTags("Gateway")
        .MapGet("/state", Read)
        .RequiresPrincipal(
            "limits and cached answers of routes and listeners that the caller may read, upstreams that it may read, "
            + "services that it may discover; the process for who may read metrics")
        .Describe<GatewayState>(
            "getGatewayState",
            "What the gateway of this node holds back, and why: breakers, limits, places, retry budgets, the cache.");

    private IResult Read(
        HttpContext context, string? route = null, string? upstream = null, int limit = DefaultLimit,
        int hottest = DefaultHottest)
    {
        if (limit is < 1 or > MaxLimit)
            return Problems.From(new Fault(ErrorCodes.BadRequest, $"limit must be 1 to {MaxLimit}."));
        if (hottest is < 0 or > MaxHottest)
            return Problems.From(new Fault(ErrorCodes.BadRequest, $"hottest must be 0 to {MaxHottest}."));
        var caller = context.Principal();
        List<Route> routes =
        [
            .. engine.Routes.Current.Routes.Where(one =>
                (route is null || one.Name == route)
                && (upstream is null || one.Targets.Any(target => IsNamed(target, upstream)))
                && MayRead(caller, one.Key)),
        ];
        var (upstreamCount, upstreams) = Upstreams(caller, routes, upstream, limit);
        var (limitCount, limits) = Limits(
            caller, routes, route is null && upstream is null ? engine.Listening.States : [], limit, hottest);
        return TypedResults.Ok(new GatewayState(
            node, time.GetUtcNow(), upstreamCount, upstreams, limitCount, limits,
            Cached(routes), MayRead(caller, new ResourceKey(MetricsKind, "", node)) ? Process() : null));
    }

    private (int Count, IReadOnlyList<GatewayUpstreamState> Upstreams) Upstreams(
        Principal caller, List<Route> routes, string? only, int most)
    {
        var found = new Dictionary<TargetKey, (Target Target, HashSet<string> Routes)>();
        foreach (var route in routes)
        {
            foreach (var target in route.Targets)
            {
                if (only is not null && !IsNamed(target, only)) continue;
                if (!found.TryGetValue(target.Key, out var known))
                {
                    if (!MaySee(caller, target.Key)) continue;
                    found.Add(target.Key, known = (target, []));
                }
                known.Routes.Add(route.Name);
            }
        }
        var states = engine.UpstreamStates;
        return (found.Count,
        [
            .. found.Values.Select(one => (one.Target, one.Routes, Trouble: states.TroubleOf(one.Target.Key)))
                .OrderByDescending(one => one.Trouble).ThenBy(one => one.Target.Key.Name, StringComparer.Ordinal)
                .Take(most).Select(one => states.Read(one.Target, one.Routes)),
        ]);
    }

    private (int Count, IReadOnlyList<GatewayLimitState> Limits) Limits(
        Principal caller, List<Route> routes, IEnumerable<ListenerState> listeners, int most, int hottest)
    {
        var all = routes.SelectMany(static route => Of(route.Key, route.Steps)).Concat(listeners
            .Select(static state => (Key: GatewayListenerKind.KeyOf(state.Name), state.Plan.Steps))
            .Where(one => MayRead(caller, one.Key))
            .SelectMany(static one => Of(one.Key, one.Steps))).ToList();
        return (all.Count,
        [
            .. all.OrderByDescending(static one => one.Step.Table.Refused)
                .ThenBy(static one => one.Owner).Take(most)
                .Select(one => LimitStates.Read(one.Owner, one.Step, hottest)),
        ]);
    }

    private static IEnumerable<(ResourceKey Owner, LimitStep Step)> Of(
        ResourceKey owner, IEnumerable<IRequestStep> steps) =>
        steps.OfType<LimitStep>().Select(step => (owner, step));

    private CachedRoutes Cached(List<Route> routes)
    {
        var (cache, store) = (engine.Cache, engine.Cache.Store);
        return new CachedRoutes(
            store.Count, store.Bytes, store.Evictions,
            [
                .. routes.Select(route => cache.SnapshotOf(route.Key)).OfType<CachedRoute>()
                    .OrderBy(route => route.Route, StringComparer.Ordinal),
            ],
            store.MaxBytes, cache.Waiting);
    }

    private GatewayProcessState Process()
    {
        var (guard, mirrors) = (engine.Guard, engine.Mirrors);
        var (waiting, waitingBytes) = mirrors.Waiting;
        return new GatewayProcessState(
            engine.UnderWay.Count, guard.MaxUnderWay,
            Math.Round(guard.ThreadWait.TotalMilliseconds, 3), guard.MaxThreadWait.TotalMilliseconds,
            engine.UnderWay.Draining,
            [
                .. Enum.GetValues<Resilience.Importance>().Select(one => new GatewayGuardState(
                    one.ToString().ToLowerInvariant(), guard.Refused(one), guard.WouldRefuse(one))),
            ],
            [
                .. engine.Listening.States.OrderBy(state => state.Name, StringComparer.Ordinal)
                    .Where(state => engine.IsOpen(state.Name))
                    .Select(state => new GatewayListenerState(
                        state.Name, state.Connections.All, state.Plan.MaxConnections)),
            ],
            new GatewayMirrorState(mirrors.Sent, mirrors.Failed, mirrors.Dropped, waiting, waitingBytes));
    }

    // By the name that figures have, or namespace/name of an upstream.
    private static bool IsNamed(Target target, string name) =>
        target.Key.Name == name || (target.Upstream is { } key && $"{key.Namespace}/{key.Name}" == name);

    private bool MaySee(Principal caller, TargetKey key) => key switch
    {
        { Upstream: { } upstream } => MayRead(caller, upstream),
        { Service: { } service } => authorizer.Allows(
            caller, Verb.Discover,
            new ResourceKey(
                InstanceKind, service.Namespace, $"{service.Group}/{service.Service}{Grant.PrefixEnd}")),
        _ => false,
    };

    private bool MayRead(Principal caller, ResourceKey key) => authorizer.Allows(caller, Verb.Read, key);
}
