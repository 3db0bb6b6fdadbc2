using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Leases;

/// <summary>
/// The loop that ends leases: finds what is due, and evicts it, unless the process stood still, the protection
/// threshold of its service would be crossed, or enough has been evicted in this sweep. Also ends ejections, adopts the
/// instances of nodes that are gone, and drops services that have long been empty.
/// </summary>
internal sealed partial class LeaseExpiry(
    InstanceRegistry registry, TimeProvider time, Func<IReadOnlySet<string>> liveNodes, ILogger logger)
{
    /// <summary>How often the slow chores are done.</summary>
    private static readonly TimeSpan ChoreInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long an empty service stays known, with its events and the reason why it is empty.</summary>
    public static readonly TimeSpan EmptyServiceRetention = TimeSpan.FromHours(1);

    // All fields below belong to the loop.
    private readonly List<InstanceState> due = [];
    private readonly HashSet<ServiceState> touched = [];
    private readonly HashSet<ServiceState> holding = []; // Services with expired instances that are still listed.
    private readonly HashSet<InstanceState> ejected = [];
    private readonly EvictionPace pace = new();
    private long lastChoreTicks;
    private long lastSweepTicks;
    private long lastForgetTicks;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimerWheel.SlotWidth, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            try
            {
                Tick();
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                LogTickFailed(failure);
            }
        }
    }

    /// <summary>One round. Public to the tests, which have no loop.</summary>
    internal void Tick()
    {
        var tick = registry.Clock.Tick();
        if (tick.Stall > TimeSpan.Zero)
        {
            registry.RecordStall(tick.Stall);
            LogStall(tick.Stall.TotalSeconds);
            return; // Requests that waited get a turn before anything is judged.
        }
        HearComplaints(tick);
        FindDue(tick);
        if (tick.LeaseTicks - lastSweepTicks >= registry.Options.Sweep.Ticks)
        {
            lastSweepTicks = tick.LeaseTicks;
            touched.UnionWith(holding);
        }
        foreach (var service in touched)
        {
            if (!registry.Clock.IsCurrent(tick)) return; // Stopped in between: judged again after the next tick.
            Judge(service, tick);
        }
        touched.Clear();
        if (tick.LeaseTicks - lastChoreTicks < ChoreInterval.Ticks) return;
        lastChoreTicks = tick.LeaseTicks;
        EndEjections(tick);
        AdoptOrphans();
        ForgetEmpty(tick);
    }

    /// <summary>Marks what has expired; nothing leaves a list here.</summary>
    private void FindDue(LeaseTick tick)
    {
        registry.Wheel.Advance(tick.LeaseTicks, due);
        foreach (var state in due)
        {
            lock (state.Service.Gate)
            {
                if (state.Removed || state.Standing is not (Standing.Valid or Standing.Suspect)) continue;
                if (state.DeadlineTicks > tick.LeaseTicks)
                {
                    registry.Wheel.Schedule(state, state.DeadlineTicks);
                    continue;
                }
                state.Standing = Standing.Expired;
                state.ExpiredTicks = tick.LeaseTicks;
                touched.Add(state.Service);
            }
        }
        due.Clear();
    }

    /// <summary>Decides about the expired instances of one service together: a wave is judged as a wave.</summary>
    private void Judge(ServiceState service, LeaseTick tick)
    {
        lock (service.Gate)
        {
            int counted = 0, live = 0;
            foreach (var member in service.Members)
            {
                if (!Counts(member)) continue;
                counted++;
                if (member.Standing != Standing.Expired) live++;
            }
            var protection = live < counted && live < counted * registry.Policies.Of(service.Key).Threshold;
            var (left, kept) = (0, 0);
            foreach (var expired in service.Members.Where(member => member.Standing == Standing.Expired).ToArray())
            {
                var held = protection && Counts(expired)
                    && tick.LeaseTicks - expired.ExpiredTicks < registry.Options.ProtectionHold.Ticks;
                if (!held && MayEvict(service, tick))
                {
                    registry.Evict(expired, "the lease ran out");
                    left++;
                    continue;
                }
                registry.KeepExpired(
                    expired, held ? InstanceRegistry.HeldByProtection : InstanceRegistry.WaitsForEviction);
                kept++;
            }
            if (kept > 0) holding.Add(service);
            else holding.Remove(service);
            if (left + kept > 0) registry.Publisher.Changed(service);
        }
    }

    // Who says of itself that it takes no calls is no loss to its callers.
    private static bool Counts(InstanceState member) =>
        member.Instance.Status is InstanceStatus.Up or InstanceStatus.Starting;

    private bool MayEvict(ServiceState service, LeaseTick tick)
    {
        if (service.Pace.Left(tick.LeaseTicks, service.Members.Count, registry.Options) <= 0) return false;
        if (pace.Left(tick.LeaseTicks, registry.InstanceCount, registry.Options) <= 0) return false;
        service.Pace.Take();
        pace.Take();
        return true;
    }

    private void HearComplaints(LeaseTick tick)
    {
        while (registry.Complaints.TryDequeue(out var state))
        {
            lock (state.Service.Gate)
            {
                if (state.Removed) continue;
                registry.Eject(state, "callers could not connect to it or got no answer, several times in a row");
                state.EjectedTicks = tick.LeaseTicks;
                ejected.Add(state);
                registry.Publisher.Changed(state.Service);
            }
        }
    }

    private void EndEjections(LeaseTick tick)
    {
        if (ejected.Count == 0) return;
        foreach (var state in ejected.ToArray())
        {
            lock (state.Service.Gate)
            {
                if (!state.Removed && state.Ejected)
                {
                    if (tick.LeaseTicks - state.EjectedTicks < registry.Options.Ejection.Ticks) continue;
                    registry.Readmit(state);
                    registry.Publisher.Changed(state.Service);
                }
            }
            ejected.Remove(state);
        }
    }

    /// <summary>The first of the live nodes, by name, takes over what a dead one has left.</summary>
    private void AdoptOrphans()
    {
        var live = liveNodes();
        var orphaned = registry.OwnersSeen.Where(owner => !live.Contains(owner)).ToHashSet();
        if (orphaned.Count == 0 || live.Min(StringComparer.Ordinal) is not { } first || first != registry.NodeName)
            return;
        foreach (var state in registry.Instances)
        {
            lock (state.Service.Gate)
            {
                if (state.Removed || state.Standing != Standing.Foreign || !orphaned.Contains(state.Owner)) continue;
                registry.Adopt(state);
                registry.Publisher.Changed(state.Service);
            }
        }
        foreach (var owner in orphaned)
        {
            registry.OwnerAdopted(owner);
            LogAdopted(owner);
        }
    }

    private void ForgetEmpty(LeaseTick tick)
    {
        if (tick.LeaseTicks - lastForgetTicks < TimeSpan.TicksPerMinute) return;
        lastForgetTicks = tick.LeaseTicks;
        foreach (var service in registry.Services)
        {
            lock (service.Gate)
            {
                if (service.Members.Count == 0 && service.Watchers.All(watcher => watcher.IsOurs) && !service.Forgotten
                    && tick.LeaseTicks - service.EmptySinceTicks >= EmptyServiceRetention.Ticks)
                    registry.Forget(service);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The process stood still for {Seconds:0.0} s; no lease expires for it")]
    private partial void LogStall(double seconds);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Node {Owner} is gone; its instances are suspect and renew here")]
    private partial void LogAdopted(string owner);

    [LoggerMessage(Level = LogLevel.Error, Message = "A round of lease expiry failed; the next goes on")]
    private partial void LogTickFailed(Exception failure);
}
