using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.States;

/// <summary>Tells what is known of services and upstreams: by their guards, and who chooses their instances.</summary>
internal sealed class UpstreamStates(UpstreamGuards guards, InstanceChooser chooser, TimeProvider time)
{
    private const int MaxInstances = 50;
    private const int MaxRoutes = 20;

    /// <summary>How much there is to look at: more goes first.</summary>
    public int TroubleOf(TargetKey key)
    {
        var guard = guards.Find(key);
        var trouble = guard?.Breaker?.State switch
        {
            BreakerState.Open => 3,
            BreakerState.HalfOpen => 2,
            _ => 0,
        };
        if (guard?.Places is { } places && places.UnderWay >= places.Limit) trouble++;
        foreach (var instance in chooser.InstancesOf(key))
            if (instance.Ejection.IsOut) return trouble + 1;
        return trouble;
    }

    /// <param name="target">One of those that lead there.</param>
    /// <param name="routes">Those that may be told.</param>
    public GatewayUpstreamState Read(Target target, IEnumerable<string> routes)
    {
        var now = time.GetUtcNow();
        var guard = guards.Of(target);
        var instances = chooser.InstancesOf(target.Key);
        var (calls, taken, left, refused) = guard.Budget.Read();
        var budget = guard.Budget.Spec;
        return new GatewayUpstreamState(
            target.Key.Name, target.Upstream is null ? "service" : "upstream",
            [.. routes.Order(StringComparer.Ordinal).Take(MaxRoutes)],
            instances.Length, instances.Count(static one => one.Ejection.IsOut),
            [
                .. instances.OrderByDescending(static one => one.Ejection.IsOut)
                    .ThenBy(static one => one.Key.Id, StringComparer.Ordinal)
                    .Take(MaxInstances).Select(one => Read(one, now)),
            ],
            new GatewayBudgetState(
                budget.Percent, budget.MinPerSecond, RetryBudget.WindowSeconds, calls, taken, left, refused),
            guard.Breaker is { } breaker ? Read(breaker, now) : null,
            guard.Places is { } places ? Read(places, guard) : null);
    }

    private static GatewayInstanceState Read(Upstream one, DateTimeOffset now) => new(
        one.Key.Id, one.Address.ToString(), one.Standing, one.UnderWay,
        one.Latency > 0 ? Millis(TimeSpan.FromTicks((long)one.Latency)) : null,
        one.Ejection.Left is { Ticks: > 0 } left ? now + left : null);

    private static GatewayBreakerState Read(CircuitBreaker breaker, DateTimeOffset now)
    {
        var (spec, seen) = (breaker.Spec, breaker.Read());
        return new GatewayBreakerState(
            seen.State switch
            {
                BreakerState.Closed => "closed",
                BreakerState.Open => "open",
                _ => "half-open",
            },
            now - seen.For, seen.Calls, seen.Failures, seen.Slow, spec.MinimumCalls, spec.WindowSeconds,
            spec.ErrorPercent, seen.Opened, seen.Refused, spec.Probes, seen.Probing, seen.Proved,
            Percent(seen.Failures, seen.Calls),
            spec.SlowMs is null ? null : Percent(seen.Slow, seen.Calls),
            spec.SlowMs,
            spec.SlowMs is null ? null : spec.SlowPercent,
            seen.OpenFor is { } left ? now + left : null);
    }

    private static GatewayPlacesState Read(Places places, UpstreamGuard guard)
    {
        var (bulkhead, adaptive) = (guard.Policy.Spec.Bulkhead, guard.Policy.Spec.Adaptive);
        var found = guard.Adaptive?.Read();
        return new GatewayPlacesState(
            bulkhead is null ? "adaptive" : adaptive is null ? "bulkhead" : "both",
            places.Limit, places.UnderWay, places.Waiting, places.MaxWaiting, places.Refused,
            bulkhead?.MaxUnderWay, adaptive?.Least, adaptive?.Most,
            found?.Unloaded is { } unloaded ? Millis(unloaded) : null, found?.Measuring);
    }

    private static double? Percent(long part, long all) => all == 0 ? null : Math.Round(100.0 * part / all, 1);

    private static double Millis(TimeSpan length) => Math.Round(length.TotalMilliseconds, 3);
}
