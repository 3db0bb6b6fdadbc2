using System.Collections.Concurrent;
using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>The guards of all targets that routes lead to.</summary>
internal sealed partial class UpstreamGuards(
    UpstreamTable upstreams, TimeProvider time, ILogger<UpstreamGuards> logger)
{
    private readonly ConcurrentDictionary<(ServiceKey? Service, ResourceKey? Upstream), UpstreamGuard> guards = new();

    /// <summary>The breakers there are, for who looks.</summary>
    public IEnumerable<(string Target, CircuitBreaker Breaker)> Breakers => guards
        .Where(entry => entry.Value.Breaker is not null)
        .Select(entry => (NameOf(entry.Key), entry.Value.Breaker!)); // Just asked.

    public UpstreamGuard Of(Target target)
    {
        var policy = target.Upstream is { } name
            ? upstreams.Find(name)?.Guard ?? GuardPolicy.Default
            : GuardPolicy.Default;
        if (target.Guard is { } known && ReferenceEquals(known.Policy, policy)) return known;
        var key = (target.Service, target.Upstream);
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

    /// <summary>Forgets what no route leads to any more.</summary>
    public void Retain(IEnumerable<Target> targets)
    {
        var kept = targets.Select(target => (target.Service, target.Upstream)).ToImmutableHashSet();
        foreach (var key in guards.Keys)
            if (!kept.Contains(key)) guards.TryRemove(key, out _);
    }

    private Action<BreakerState> Tell((ServiceKey?, ResourceKey?) key) => state =>
    {
        if (state == BreakerState.Closed) LogClosed(NameOf(key));
        else if (state == BreakerState.Open) LogOpened(NameOf(key));
    };

    private static string NameOf((ServiceKey? Service, ResourceKey? Upstream) key) =>
        key.Service?.ToString() ?? key.Upstream?.ToString() ?? "";

    [LoggerMessage(1, LogLevel.Warning, "The circuit breaker of {Target} is open: too many calls fail or are slow")]
    private partial void LogOpened(string target);

    [LoggerMessage(2, LogLevel.Information, "The circuit breaker of {Target} is closed again")]
    private partial void LogClosed(string target);
}
