using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>What routes and upstreams may say about failing.</summary>
internal static class ResilienceRules
{
    /// <summary>Tries of one request: a third instance that fails says that it is not the instances.</summary>
    public const int MaxTries = 5;

    public static void Check(RouteResilience? spec, bool hasTarget, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        const string at = "spec.resilience";
        if (!hasTarget && spec is not { Retry: null, Fallback: null })
            faults.Add(new FieldFault(at, "has nothing to retry where the gateway answers itself"));
        if (spec.Retry is { } retry) CheckRetry($"{at}.retry", retry, faults);
        if (Importances.Read(spec.Importance) is null)
            faults.Add(new FieldFault($"{at}.importance", "must be critical, normal or low"));
        if (spec.Fallback is not { } fallback) return;
        var said = (fallback.Respond is null ? 0 : 1) + (fallback.Service is null ? 0 : 1)
            + (fallback.Upstream is null ? 0 : 1);
        if (said != 1)
            faults.Add(new FieldFault($"{at}.fallback", "must have exactly one of respond, service and upstream"));
        if (fallback.Service is { } service && !ServiceKey.TryParse(service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault($"{at}.fallback.service", "must be a service, such as catalog or shop/catalog"));
        if (fallback.Upstream is { } upstream
            && !DeliveryRules.TryReadUpstream(upstream, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault($"{at}.fallback.upstream", "must be an upstream, such as legacy or shop/legacy"));
    }

    public static void Check(UpstreamResilience? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        const string at = "spec.resilience";
        if (spec.Retry is { } retry) CheckRetry($"{at}.retry", retry, faults);
        if (spec.Budget is { } budget)
        {
            FieldRules.CheckRange($"{at}.budget.percent", budget.Percent, 0, 100, faults);
            FieldRules.CheckRange($"{at}.budget.minPerSecond", budget.MinPerSecond, 0, 1_000, faults);
        }
        if (spec.Breaker is { } breaker) CheckBreaker($"{at}.breaker", breaker, faults);
        if (spec.Bulkhead is { } bulkhead)
        {
            FieldRules.CheckRange($"{at}.bulkhead.maxUnderWay", bulkhead.MaxUnderWay, 1, 100_000, faults);
            FieldRules.CheckRange($"{at}.bulkhead.maxWaiting", bulkhead.MaxWaiting, 0, 10_000, faults);
            FieldRules.CheckRange($"{at}.bulkhead.maxWaitMs", bulkhead.MaxWaitMs, 1, 60_000, faults);
        }
        if (spec.Hedge is { } hedge)
        {
            FieldRules.CheckRange($"{at}.hedge.percent", hedge.Percent, 1, 100, faults);
            FieldRules.CheckRange($"{at}.hedge.floorMs", hedge.FloorMs, 1, 10_000, faults);
        }
        if (spec.Adaptive is not { } adaptive) return;
        FieldRules.CheckRange($"{at}.adaptive.initial", adaptive.Initial, 1, 10_000, faults);
        FieldRules.CheckRange($"{at}.adaptive.least", adaptive.Least, 1, 10_000, faults);
        FieldRules.CheckRange($"{at}.adaptive.most", adaptive.Most, 1, 10_000, faults);
        if (adaptive.Least > adaptive.Initial || adaptive.Initial > adaptive.Most)
            faults.Add(new FieldFault($"{at}.adaptive", "must have least, initial and most in this order of size"));
    }

    public static void Check(RouteTimeouts timeouts, ICollection<FieldFault> faults)
    {
        if (timeouts.TryMs is { } one) FieldRules.CheckRange("spec.timeouts.tryMs", one, 10, 3_600_000, faults);
        if (timeouts.TotalMs is { } all) FieldRules.CheckRange("spec.timeouts.totalMs", all, 10, 86_400_000, faults);
    }

    private static void CheckRetry(string at, RetrySpec retry, ICollection<FieldFault> faults)
    {
        FieldRules.CheckRange($"{at}.tries", retry.Tries, 1, MaxTries, faults);
        FieldRules.CheckRange($"{at}.backoffMs", retry.BackoffMs, 0, 10_000, faults);
        FieldRules.CheckRange($"{at}.maxBackoffMs", retry.MaxBackoffMs, 0, 60_000, faults);
        if (retry.Statuses is { } statuses
            && (statuses.Count is 0 or > 3 || statuses.Any(status => status is not (502 or 503 or 504))))
            faults.Add(new FieldFault($"{at}.statuses", "must be some of 502, 503 and 504"));
    }

    private static void CheckBreaker(string at, BreakerSpec breaker, ICollection<FieldFault> faults)
    {
        FieldRules.CheckRange($"{at}.errorPercent", breaker.ErrorPercent, 1, 100, faults);
        if (breaker.SlowMs is { } slow) FieldRules.CheckRange($"{at}.slowMs", slow, 1, 600_000, faults);
        FieldRules.CheckRange($"{at}.slowPercent", breaker.SlowPercent, 1, 100, faults);
        FieldRules.CheckRange($"{at}.minimumCalls", breaker.MinimumCalls, 1, 10_000, faults);
        FieldRules.CheckRange($"{at}.windowSeconds", breaker.WindowSeconds, 1, 300, faults);
        FieldRules.CheckRange($"{at}.openSeconds", breaker.OpenSeconds, 1, 3_600, faults);
        FieldRules.CheckRange($"{at}.probes", breaker.Probes, 1, 100, faults);
    }
}
