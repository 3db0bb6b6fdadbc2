using System.Collections.Concurrent;
using Groundwork.Services.Registry.Leases;
using Groundwork.Services.Registry.Probing;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>
/// Looks after the checks of services that clients of Consul registered: ends TTLs, makes the looks over HTTP and TCP,
/// and takes out what was critical for too long. The node that took the last word of an instance looks after it; when
/// that node is gone, the first of the others by name. States are the instance's own and are in the store; what is here
/// are clocks, which begin anew with a restart, so that nothing expires by it.
/// </summary>
internal sealed partial class ConsulChecks(
    InstanceRegistry registry,
    Registrations registrations,
    Func<IReadOnlySet<string>> liveNodes,
    Func<ConsulCheck, CancellationToken, Task<ConsulFinding>> look,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>Between two rounds.</summary>
    public static readonly TimeSpan RoundInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two looks at which services there are, where nobody says it here.</summary>
    private static readonly TimeSpan ScanInterval = TimeSpan.FromSeconds(2);

    /// <summary>Looks under way: more would be felt by the machine that they come from.</summary>
    public const int MaxConcurrent = 64;

    /// <summary>
    /// A word that changes nothing but the output is kept once in so long: each is a write and wakes who waits.
    /// </summary>
    private static readonly TimeSpan OutputInterval = TimeSpan.FromSeconds(5);

    /// <summary>Whose doing it is in the history.</summary>
    private const string By = "system:consul-checks";

    private readonly ConcurrentDictionary<string, InstanceKey> byCheck = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(Clock Clock, ConsulFinding Found)> done = new(); // Written by the looks.
    private readonly Lock gate = new(); // Guards the clocks and what is in them; inside it a service's gate is taken.
    private readonly Dictionary<(InstanceKey Instance, string Check), Clock> clocks = [];
    private readonly HashSet<Task> running = []; // Belongs to the loop, as do the next two.
    private long lastScan = long.MinValue;
    private long lastRound;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        lastRound = time.GetTimestamp();
        using var timer = new PeriodicTimer(RoundInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    await RoundAsync(cancellationToken);
                }
                catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
                {
                    LogFailed(failure);
                }
            }
        }
        finally
        {
            await Task.WhenAll(running);
        }
    }

    /// <summary>The instance that has the check; null when none has.</summary>
    public InstanceKey? Find(string check) => byCheck.TryGetValue(check, out var key) ? key : null;

    /// <summary>An instance has been registered here, or its checks have changed.</summary>
    public void Note(InstanceKey key)
    {
        if (registry.FindInstance(key)?.Instance is not { } instance) return;
        lock (gate) Track(instance, registry.Clock.Now);
    }

    /// <summary>Somebody says how a TTL check stands: it has its whole TTL from now on.</summary>
    /// <returns>False when there is no such check.</returns>
    public bool Tell(InstanceKey key, ConsulCheck check, CheckState state, string output, string principal)
    {
        lock (gate)
        {
            var now = registry.Clock.Now;
            if (registry.FindInstance(key)?.Instance is not { } instance) return false;
            Track(instance, now);
            if (!clocks.TryGetValue((key, check.Id), out var clock)) return false;
            clock.Deadline = now + Ticks(check.Ttl ?? 0);
            return SetState(clock, state, output, now, principal, hold: true);
        }
    }

    /// <summary>True while a look is under way.</summary>
    internal bool HasUnfinished => running.Any(look => !look.IsCompleted);

    /// <summary>One round. Public to the tests, which have no loop.</summary>
    internal async Task RoundAsync(CancellationToken cancellationToken)
    {
        var timestamp = time.GetTimestamp();
        var stood = time.GetElapsedTime(lastRound, timestamp) > LeaseClock.StallLimit;
        lastRound = timestamp;
        if (stood) return; // Words that waited in the sockets are heard before anything is judged.
        running.RemoveWhere(task => task.IsCompleted);
        List<(Clock Clock, string Why)> leaving;
        lock (gate)
        {
            var now = registry.Clock.Now;
            if (lastScan == long.MinValue || time.GetElapsedTime(lastScan, timestamp) >= ScanInterval)
            {
                lastScan = timestamp;
                Scan(now);
            }
            while (done.TryDequeue(out var ended)) Take(ended.Clock, ended.Found, now);
            leaving = Judge(now, timestamp, cancellationToken);
        }
        // Together, so that a store that is away is waited for once.
        await Task.WhenAll(leaving.Select(async one =>
        {
            if (await registrations.DeregisterAsync(
                one.Clock.Instance, incarnation: null, By, one.Why, cancellationToken) is { } fault)
                LogNotWritten(one.Clock.Instance, fault.Detail);
        }));
    }

    private void Scan(long now)
    {
        var seen = new HashSet<(InstanceKey, string)>();
        foreach (var state in registry.Instances)
        {
            var instance = state.Instance;
            if (instance.Extensions.Count == 0) continue;
            foreach (var check in Track(instance, now)) seen.Add((instance.Key, check.Id));
        }
        foreach (var gone in clocks.Keys.Where(key => !seen.Contains(key)).ToArray()) Drop(gone);
    }

    private IEnumerable<ConsulCheck> Track(Instance instance, long now)
    {
        if (ConsulExtension.Of(instance) is not { } kept) return [];
        foreach (var check in kept.Checks)
        {
            byCheck[check.Id] = instance.Key;
            var place = (instance.Key, check.Id);
            if (clocks.TryGetValue(place, out var clock) && clock.Check == check) continue;
            if (clock is not null) Drop(place);
            byCheck[check.Id] = instance.Key;
            // Spread over an interval, but seen soon.
            var spread = Random.Shared.NextDouble() * Math.Min(check.Interval, 1000);
            clocks[place] = new Clock(instance.Key, check)
            {
                Deadline = now + Ticks(check.Ttl ?? 0),
                DueAt = time.GetTimestamp() + (long)(spread / 1000 * time.TimestampFrequency),
            };
        }
        return kept.Checks;
    }

    private void Drop((InstanceKey Instance, string Check) place)
    {
        if (clocks.Remove(place, out var clock)) clock.IsGone = true;
        byCheck.TryRemove(KeyValuePair.Create(place.Check, place.Instance));
    }

    private List<(Clock Clock, string Why)> Judge(long now, long timestamp, CancellationToken cancellationToken)
    {
        var live = liveNodes();
        var first = live.Min(StringComparer.Ordinal);
        var leaving = new List<(Clock, string)>();
        foreach (var (place, clock) in clocks)
        {
            if (registry.FindInstance(place.Instance) is not { } state
                || StateOf(state.Instance, clock) is not { } stands)
                continue; // The next look at what there is drops it.
            var isMine = state.Owner == registry.NodeName
                || (!live.Contains(state.Owner) && first == registry.NodeName);
            if (!isMine)
            {
                // Whenever it becomes this node's it has all its time.
                (clock.Deadline, clock.CriticalSince) = (now + Ticks(clock.Check.Ttl ?? 0), null);
                continue;
            }
            if (clock.Check.Ttl is not null && stands != CheckState.Critical && now > clock.Deadline)
            {
                SetState(clock, CheckState.Critical, "TTL expired", now, By, hold: true);
                stands = CheckState.Critical;
            }
            else if (clock.Check.Type is "http" or "tcp") Begin(clock, timestamp, cancellationToken);
            if (stands != CheckState.Critical) clock.CriticalSince = null;
            else if (clock.Check.DeregisterAfter is { } after && now - (clock.CriticalSince ??= now) >= Ticks(after))
                leaving.Add((clock,
                    $"check {clock.Check.Id} was critical for {GoDuration.Write(TimeSpan.FromMilliseconds(after))}"));
        }
        return leaving;
    }

    private void Begin(Clock clock, long timestamp, CancellationToken cancellationToken)
    {
        if (clock.IsLooking || clock.DueAt > timestamp || running.Count >= MaxConcurrent) return;
        clock.IsLooking = true;
        running.Add(LookAsync(clock, cancellationToken));
    }

    private async Task LookAsync(Clock clock, CancellationToken cancellationToken)
    {
        await Task.Yield(); // Resolving a name may take a while before it waits.
        try
        {
            done.Enqueue((clock, await look(clock.Check, cancellationToken)));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Whatever a strange answer makes of the client.
            done.Enqueue((clock, new ConsulFinding(CheckState.Critical, $"the look failed: {failure.Message}")));
        }
    }

    private void Take(Clock clock, ConsulFinding found, long now)
    {
        clock.IsLooking = false;
        var interval = Math.Max(clock.Check.Interval, (long)ConsulRules.MinInterval.TotalMilliseconds);
        clock.DueAt = time.GetTimestamp() + interval * time.TimestampFrequency / 1000;
        if (clock.IsGone) return;
        if (found.State == CheckState.Critical)
        {
            clock.InRow = Math.Min(clock.InRow, 0) - 1;
            if (-clock.InRow <= clock.Check.Failures && clock.HasPassed) return;
        }
        else
        {
            clock.InRow = Math.Max(clock.InRow, 0) + 1;
            if (clock.InRow <= clock.Check.Successes && !clock.HasPassed) return;
        }
        clock.HasPassed = found.State != CheckState.Critical;
        SetState(clock, found.State, found.Output, now, By, hold: true);
    }

    /// <summary>Puts a check into a state, where that is news. Under the gate.</summary>
    /// <returns>False when the instance has no such check.</returns>
    private bool SetState(Clock clock, CheckState state, string output, long now, string principal, bool hold)
    {
        output = ConsulRules.Clean(output);
        var mayRewrite = now - clock.WrittenAt >= OutputInterval.Ticks;
        var isThere = false;
        var isNews = false;
        var outcome = registry.Amend(
            clock.Instance,
            instance =>
            {
                var at = IndexOf(instance, clock.Check.Id);
                if (at < 0) return instance;
                isThere = true;
                var known = instance.Checks[at];
                isNews = known.State != state || (known.Reason != output && mayRewrite);
                if (!isNews) return instance;
                var since = known.State == state ? known.Since : Rounded(time.GetUtcNow());
                return instance with
                {
                    Checks = instance.Checks.SetItem(
                        at, new Check(clock.Check.Id, state, output, since, ConsulExtension.Name)),
                };
            },
            $"check {clock.Check.Id} is {InstanceWords.Of(state)}", principal, hold);
        if (isNews) clock.WrittenAt = now;
        return isThere && outcome.Succeeded;
    }

    private static CheckState? StateOf(Instance instance, Clock clock) =>
        IndexOf(instance, clock.Check.Id) is >= 0 and var at ? instance.Checks[at].State : null;

    private static int IndexOf(Instance instance, string check)
    {
        for (var at = 0; at < instance.Checks.Length; at++)
            if (instance.Checks[at].Name == check) return at;
        return -1;
    }

    // As the store keeps it, so that what comes back from there is the same.
    private static DateTimeOffset Rounded(DateTimeOffset now) =>
        DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds());

    private static long Ticks(long milliseconds) => milliseconds * TimeSpan.TicksPerMillisecond;

    [LoggerMessage(Level = LogLevel.Error,
        Message = "A round of the checks of Consul's services failed; the next goes on")]
    private partial void LogFailed(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Instance} was taken out as its check asked: {Reason}")]
    private partial void LogNotWritten(InstanceKey instance, string reason);

    /// <summary>What one check waits for. Guarded by the gate.</summary>
    private sealed class Clock(InstanceKey instance, ConsulCheck check)
    {
        public InstanceKey Instance => instance;

        public ConsulCheck Check => check;

        /// <summary>Lease time at which its TTL ends.</summary>
        public long Deadline { get; set; }

        /// <summary>Lease time since which it has been critical here; null while it is not.</summary>
        public long? CriticalSince { get; set; }

        /// <summary>Timestamp of its next look.</summary>
        public long DueAt { get; set; }

        /// <summary>Lease time at which its output was written.</summary>
        public long WrittenAt { get; set; } = long.MinValue / 2;

        /// <summary>Good looks in a row, or bad ones below 0.</summary>
        public int InRow { get; set; }

        public bool HasPassed { get; set; }

        public bool IsLooking { get; set; }

        public bool IsGone { get; set; }
    }
}
