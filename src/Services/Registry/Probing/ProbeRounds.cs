using System.Collections.Concurrent;
using Groundwork.Services.Registry.Policies;

namespace Groundwork.Services.Registry.Probing;

/// <summary>
/// Who is probed when, on the node that holds the lease: one probe of an instance at a time, a bounded number of all,
/// spread over their intervals. One task.
/// </summary>
/// <param name="call">Makes one probe; null when the instance is well.</param>
internal sealed class ProbeRounds(
    InstanceRegistry registry,
    Func<Instance, ProbeSpec, CancellationToken, Task<string?>> call,
    TimeProvider time,
    Random random)
{
    /// <summary>Probes under way: more would be felt by the machine that they come from.</summary>
    public const int MaxConcurrent = 64;

    /// <summary>Between two looks at which instances there are.</summary>
    private static readonly TimeSpan ScanInterval = TimeSpan.FromSeconds(1);

    /// <summary>How far a probe may be from the interval, so that they do not come in step: a tenth.</summary>
    private const double Jitter = 0.1;

    /// <summary>The first probes after a start are spread over so much, so that a verdict does not wait long.</summary>
    private static readonly TimeSpan FirstSpread = TimeSpan.FromSeconds(1);

    private readonly Dictionary<InstanceKey, ProbeTarget> targets = [];
    private readonly PriorityQueue<ProbeTarget, long> due = new(); // By timestamp.
    private readonly ConcurrentQueue<(ProbeTarget Target, string? Wrong)> done = new(); // Written by the probes.
    private readonly HashSet<Task> running = [];
    private long lastScan = long.MinValue;

    /// <summary>Starts what is due, and judges what has ended.</summary>
    /// <returns>Verdicts that differ from what stood before.</returns>
    public List<ProbeResult> Round(CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        if (lastScan == long.MinValue || time.GetElapsedTime(lastScan, now) >= ScanInterval)
        {
            lastScan = now;
            Scan(now);
        }
        var verdicts = new List<ProbeResult>();
        while (done.TryDequeue(out var ended))
        {
            if (ended.Target.IsGone) continue;
            if (ended.Target.Judge(ended.Wrong, time.GetUtcNow()) is { } verdict) verdicts.Add(verdict);
            due.Enqueue(ended.Target, Later(now, Jittered(ended.Target.Spec)));
        }
        running.RemoveWhere(probe => probe.IsCompleted);
        while (running.Count < MaxConcurrent && due.TryPeek(out var next, out var at) && at <= now)
        {
            due.Dequeue();
            if (!next.IsGone) running.Add(ProbeAsync(next, cancellationToken));
        }
        return verdicts;
    }

    /// <summary>Completes when no probe is under way.</summary>
    public Task EndAsync() => Task.WhenAll(running);

    private async Task ProbeAsync(ProbeTarget target, CancellationToken cancellationToken)
    {
        await Task.Yield(); // Resolving a name may take a while before it waits.
        string? wrong;
        try
        {
            wrong = await call(target.Instance, target.Spec, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return; // Another node goes on.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            wrong = $"the probe failed: {failure.Message}"; // Whatever a strange answer makes of the client.
        }
        done.Enqueue((target, wrong));
    }

    private void Scan(long now)
    {
        var seen = new HashSet<InstanceKey>();
        foreach (var (key, policy) in registry.Policies.Probed)
        {
            if (policy.Probe is not { } spec || registry.FindService(key) is not { } service) continue;
            foreach (var (instance, known) in Persistent(service))
            {
                seen.Add(instance.Key);
                if (targets.TryGetValue(instance.Key, out var target))
                {
                    (target.Spec, target.Instance) = (spec, instance);
                    // One that was deregistered and has come back begins without a verdict.
                    if (known is not null || target.Standing is null) continue;
                    target.IsGone = true;
                    targets.Remove(target.Key);
                }
                target = new ProbeTarget(instance.Key, known) { Spec = spec, Instance = instance };
                targets.Add(instance.Key, target);
                due.Enqueue(target, Later(now, FirstSpread * random.NextDouble()));
            }
        }
        foreach (var gone in targets.Values.Where(target => !seen.Contains(target.Key)).ToList())
        {
            gone.IsGone = true;
            targets.Remove(gone.Key);
        }
    }

    private static List<(Instance Instance, Check? Known)> Persistent(ServiceState service)
    {
        lock (service.Gate)
            return [.. service.Members.Where(member => !member.Instance.Ephemeral)
                .Select(member => (member.Instance, service.ProbeOf(member.Key.Id)))];
    }

    private TimeSpan Jittered(ProbeSpec spec) =>
        TimeSpan.FromSeconds(spec.IntervalSeconds) * (1 + Jitter * (2 * random.NextDouble() - 1));

    private long Later(long from, TimeSpan span) => from + (long)(span.TotalSeconds * time.TimestampFrequency);
}
