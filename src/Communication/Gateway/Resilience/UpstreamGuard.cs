using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;

namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>How much one target is called: compiled from its upstream.</summary>
internal sealed record GuardPolicy(UpstreamResilience Spec, RetryPolicy Retry)
{
    /// <summary>What holds for a service without an upstream of its own.</summary>
    public static GuardPolicy Default { get; } = Of(null);

    public static GuardPolicy Of(UpstreamResilience? spec) =>
        new(spec ?? new UpstreamResilience(), RetryPolicy.Of(spec?.Retry) ?? RetryPolicy.Default);
}

/// <summary>What the gateway knows of one target as a whole, whichever routes lead there.</summary>
internal sealed class UpstreamGuard
{
    /// <summary>The budget of those that say nothing of it.</summary>
    private static readonly BudgetSpec UsualBudget = new();

    private UpstreamGuard(
        GuardPolicy policy, RetryBudget budget, CircuitBreaker? breaker, AdaptiveLimit? adaptive, Places? places)
    {
        Policy = policy;
        Budget = budget;
        Breaker = breaker;
        Adaptive = adaptive;
        Places = places;
    }

    public GuardPolicy Policy { get; }

    public RetryBudget Budget { get; }

    public CircuitBreaker? Breaker { get; }

    public AdaptiveLimit? Adaptive { get; }

    /// <summary>Null where requests under way are not bounded.</summary>
    public Places? Places { get; }

    /// <summary>True when the lengths of calls are wanted.</summary>
    public bool Measures => Breaker is not null || Adaptive is not null;

    /// <summary>What the policy has not changed goes on as it is.</summary>
    public static UpstreamGuard Of(
        GuardPolicy policy, UpstreamGuard? before, TimeProvider time, Action<BreakerState>? changed)
    {
        var spec = policy.Spec;
        var budget = spec.Budget ?? UsualBudget;
        var breaker = spec.Breaker is not { } wanted ? null
            : before?.Breaker is { } known && known.Spec == wanted ? known
            : new CircuitBreaker(wanted, time) { Changed = changed };
        var samePlaces = before is not null && before.Policy.Spec.Bulkhead == spec.Bulkhead
            && before.Policy.Spec.Adaptive == spec.Adaptive;
        return new UpstreamGuard(
            policy,
            before is not null && before.Budget.Spec == budget ? before.Budget : new RetryBudget(budget, time),
            breaker,
            samePlaces ? before!.Adaptive : spec.Adaptive is { } adaptive ? new AdaptiveLimit(adaptive, time) : null,
            samePlaces ? before!.Places : PlacesOf(spec, time)); // Not null where they are the same.
    }

    /// <summary>An answer has begun, or will not.</summary>
    public void Heard(CallFailure failure, int status, TimeSpan length, BreakerPermit permit)
    {
        var counts = failure == CallFailure.None || failure.BlamesInstance();
        if (Breaker is { } breaker)
        {
            if (counts) breaker.Report(permit, failure != CallFailure.None || status >= 500, length);
            else breaker.Forget(permit);
        }
        if (Adaptive is not { } adaptive || Places is not { } places || !counts) return;
        var overloaded = failure == CallFailure.Timeout || (failure == CallFailure.None && status == 503);
        if (failure != CallFailure.None && !overloaded) return; // It says nothing about load.
        if (adaptive.Take(length, places.UnderWay, overloaded) is { } limit)
            places.Limit = Math.Min(limit, Policy.Spec.Bulkhead?.MaxUnderWay ?? int.MaxValue);
    }

    private static Places? PlacesOf(UpstreamResilience spec, TimeProvider time)
    {
        if (spec is { Bulkhead: null, Adaptive: null }) return null;
        var most = Math.Min(spec.Bulkhead?.MaxUnderWay ?? int.MaxValue, spec.Adaptive?.Initial ?? int.MaxValue);
        return new Places(
            most, spec.Bulkhead?.MaxWaiting ?? 0, TimeSpan.FromMilliseconds(spec.Bulkhead?.MaxWaitMs ?? 1), time);
    }
}
