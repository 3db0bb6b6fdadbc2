using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Upstreams;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>The guards of all targets that routes lead to, and what is measured of them.</summary>
internal sealed partial class UpstreamGuards : IDisposable
{
    private readonly ConcurrentDictionary<TargetKey, UpstreamGuard> guards = new();
    private readonly UpstreamTable upstreams;
    private readonly TimeProvider time;
    private readonly ILogger<UpstreamGuards> logger;
    private readonly Meter meter = new(GatewayCounters.MeterName);

    public UpstreamGuards(UpstreamTable upstreams, TimeProvider time, ILogger<UpstreamGuards> logger)
    {
        this.upstreams = upstreams;
        this.time = time;
        this.logger = logger;
        meter.CreateObservableGauge(
            "gateway.breaker", () => Measure(static guard => guard.Breaker is { } one ? (int)one.State : null),
            description: "Circuit breakers, by upstream: 0 closed, 1 open, 2 letting a few calls find out.");
        meter.CreateObservableGauge(
            "gateway.upstream.places", () => Measure(static guard => guard.Places?.Limit),
            description: "Requests that may be under way, by upstream that bounds them.");
        meter.CreateObservableGauge(
            "gateway.upstream.under_way", () => Measure(static guard => guard.Places?.UnderWay),
            description: "Requests under way, by upstream that bounds them.");
        meter.CreateObservableGauge(
            "gateway.upstream.waiting", () => Measure(static guard => guard.Places?.Waiting),
            description: "Requests that wait for a place, by upstream that bounds them.");
    }

    public UpstreamGuard Of(Target target)
    {
        var policy = target.Upstream is { } name
            ? upstreams.Find(name)?.Guard ?? GuardPolicy.Default
            : GuardPolicy.Default;
        if (target.Guard is { } known && ReferenceEquals(known.Policy, policy)) return known;
        var key = target.Key;
        // Two threads may both make one; the dictionary keeps one of them.
        var guard = guards.AddOrUpdate(
            key,
            static (_, state) => UpstreamGuard.Of(state.policy, null, state.time, state.tell),
            static (_, before, state) => ReferenceEquals(before.Policy, state.policy)
                ? before
                : UpstreamGuard.Of(state.policy, before, state.time, state.tell),
            (policy, time, tell: Tell(key)));
        target.Guard = guard;
        return guard;
    }

    /// <summary>Those of all that were called.</summary>
    public IEnumerable<KeyValuePair<TargetKey, UpstreamGuard>> All => guards;

    /// <summary>That of a target that was called; null of others.</summary>
    public UpstreamGuard? Find(TargetKey key) => guards.GetValueOrDefault(key);

    /// <summary>Forgets what no route leads to any more.</summary>
    public void Retain(IEnumerable<Target> targets)
    {
        var kept = TargetKey.Of(targets);
        foreach (var key in guards.Keys)
            if (!kept.Contains(key)) guards.TryRemove(key, out _);
    }

    public void Dispose() => meter.Dispose();

    private IEnumerable<Measurement<int>> Measure(Func<UpstreamGuard, int?> what)
    {
        foreach (var (key, guard) in guards)
            if (what(guard) is { } value)
                yield return new(value, new KeyValuePair<string, object?>("upstream", key.Name));
    }

    private Action<BreakerState> Tell(TargetKey key) => state =>
    {
        if (state == BreakerState.Closed) LogClosed(key.Name);
        else if (state == BreakerState.Open) LogOpened(key.Name);
    };

    [LoggerMessage(1, LogLevel.Warning, "The circuit breaker of {Target} is open: too many calls fail or are slow")]
    private partial void LogOpened(string target);

    [LoggerMessage(2, LogLevel.Information, "The circuit breaker of {Target} is closed again")]
    private partial void LogClosed(string target);
}
