using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Limits;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.States;

/// <summary>
/// What <c>/metrics</c> says of what the gateway holds back, beside what its meters say by themselves (the state of
/// breakers, places, copies). Names are a promise: dashboards are built on them.
/// </summary>
internal sealed class StateFigures(GatewayEngine engine, UpstreamGuards guards) : IMetricsSource
{
    /// <summary>Upstreams, limits and cached routes that are shown, the first by name.</summary>
    private const int MaxSeries = 1_000;

    public void Write(MetricsText text)
    {
        var upstreams = guards.All.OrderBy(static one => one.Key.Name, StringComparer.Ordinal).Take(MaxSeries).ToList();
        WriteBreakers(text, upstreams);
        WritePlaces(text, upstreams);
        WriteBudgets(text, upstreams);
        WriteLimits(text);
        WriteCache(text);
        WriteProcess(text);
    }

    private static void WriteBreakers(MetricsText text, List<KeyValuePair<TargetKey, UpstreamGuard>> upstreams)
    {
        List<(string Name, BreakerReading Seen)> all =
        [
            .. upstreams.Where(static one => one.Value.Breaker is not null)
                .Select(static one => (one.Key.Name, one.Value.Breaker!.Read())), // Those that have one.
        ];
        text.Family("groundwork_gateway_breaker_opened_total", "counter", "How often circuit breakers have opened.");
        foreach (var (name, seen) in all) text.Sample(seen.Opened, ("upstream", name));
        text.Family(
            "groundwork_gateway_breaker_refused_total", "counter", "Requests that circuit breakers have refused.");
        foreach (var (name, seen) in all) text.Sample(seen.Refused, ("upstream", name));
    }

    private static void WritePlaces(MetricsText text, List<KeyValuePair<TargetKey, UpstreamGuard>> upstreams)
    {
        text.Family(
            "groundwork_gateway_places_refused_total", "counter",
            "Requests that got no place at an upstream that bounds them, be it after a wait.");
        foreach (var (key, guard) in upstreams)
            if (guard.Places is { } places) text.Sample(places.Refused, ("upstream", key.Name));
        text.Family(
            "groundwork_gateway_adaptive_limit", "gauge",
            "Requests that an upstream bears at once, as the time of its answers says.");
        foreach (var (key, guard) in upstreams)
            if (guard.Adaptive is { } adaptive) text.Sample(adaptive.Read().Limit, ("upstream", key.Name));
    }

    private static void WriteBudgets(MetricsText text, List<KeyValuePair<TargetKey, UpstreamGuard>> upstreams)
    {
        text.Family("groundwork_gateway_retry_budget_left", "gauge", "Further tries that may be made now.");
        foreach (var (key, guard) in upstreams) text.Sample(guard.Budget.Read().Left, ("upstream", key.Name));
        text.Family(
            "groundwork_gateway_retry_budget_refused_total", "counter",
            "Further tries that were not made, since there was no budget for them.");
        foreach (var (key, guard) in upstreams) text.Sample(guard.Budget.Read().Refused, ("upstream", key.Name));
    }

    private void WriteLimits(MetricsText text)
    {
        List<(ResourceKey Owner, LimitStep Step)> all =
        [
            .. engine.Routes.Current.Routes
                .SelectMany(static route => route.Steps.OfType<LimitStep>().Select(step => (route.Key, step)))
                .OrderBy(static one => one.Key)
                .Concat(engine.Listening.States.SelectMany(static state => state.Plan.Steps.OfType<LimitStep>()
                    .Select(step => (GatewayListenerKind.KeyOf(state.Name), step))))
                .Take(MaxSeries),
        ];
        text.Family(
            "groundwork_gateway_limit_requests_total", "counter", "Requests that limits let pass, or refused.");
        foreach (var (owner, step) in all)
        {
            text.Sample(
                step.Table.Passed, ("owner", owner.ToString()), ("limit", step.Policy.Name), ("verdict", "allowed"));
            text.Sample(
                step.Table.Refused, ("owner", owner.ToString()), ("limit", step.Policy.Name), ("verdict", "refused"));
        }
        text.Family("groundwork_gateway_limit_callers", "gauge", "Callers that limits remember.");
        foreach (var (owner, step) in all)
            text.Sample(step.Table.Count, ("owner", owner.ToString()), ("limit", step.Policy.Name));
    }

    private void WriteCache(MetricsText text)
    {
        var store = engine.Cache.Store;
        text.Family("groundwork_gateway_cache_bytes", "gauge", "Bytes of answers that are kept.");
        text.Sample(store.Bytes);
        text.Family("groundwork_gateway_cache_answers", "gauge", "Answers that are kept.");
        text.Sample(store.Count);
        text.Family("groundwork_gateway_cache_evictions_total", "counter", "Answers that others have displaced.");
        text.Sample(store.Evictions);
        List<CachedRoute> all =
        [
            .. engine.Cache.Snapshots().OrderBy(static one => one.Route, StringComparer.Ordinal).Take(MaxSeries),
        ];
        text.Family(
            "groundwork_gateway_cache_requests_total", "counter",
            "Requests of cached routes: answered from what is kept, in its time (hit) or after it (stale), by the "
            + "service (miss), or not looked for (bypass).");
        foreach (var one in all)
        {
            text.Sample(one.Hits, ("route", one.Route), ("result", "hit"));
            text.Sample(one.Stale, ("route", one.Route), ("result", "stale"));
            text.Sample(one.Misses, ("route", one.Route), ("result", "miss"));
            text.Sample(one.Bypassed, ("route", one.Route), ("result", "bypass"));
        }
        text.Family(
            "groundwork_gateway_cache_collapsed_total", "counter", "Hits that waited for another request's answer.");
        foreach (var one in all) text.Sample(one.Collapsed, ("route", one.Route));
        text.Family("groundwork_gateway_cache_route_bytes", "gauge", "Bytes of answers that are kept, by route.");
        foreach (var one in all) text.Sample(one.AnswerBytes, ("route", one.Route));
    }

    private void WriteProcess(MetricsText text)
    {
        text.Family("groundwork_gateway_listener_connections", "gauge", "Connections of clients, by listener.");
        foreach (var state in engine.Listening.States)
            if (engine.IsOpen(state.Name)) text.Sample(state.Connections.All, ("listener", state.Name));
        text.Family(
            "groundwork_gateway_overloaded_total", "counter",
            "Requests that were refused because the process had too much to do, by importance.");
        foreach (var one in Enum.GetValues<Importance>())
            text.Sample(engine.Guard.Refused(one), ("importance", one.ToString().ToLowerInvariant()));
        text.Family(
            "groundwork_gateway_thread_wait_seconds", "gauge",
            "How long work waits for a thread: the shortest time of the last second.");
        text.Sample(engine.Guard.ThreadWait.TotalSeconds);
    }
}
