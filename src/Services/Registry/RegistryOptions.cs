using Groundwork.Wire;

namespace Groundwork.Services.Registry;

/// <summary>What an installation may choose about the registry.</summary>
public sealed record RegistryOptions
{
    /// <summary>
    /// Share of a service's instances, 0 to 1, that must be healthy. An expiry that would leave less keeps the
    /// instances listed and callable, with the reason. 0 turns protection off. 0.5: losing half at once is more often a
    /// broken network than half a dead fleet.
    /// </summary>
    public double ProtectionThreshold { get; init; } = 0.5;

    /// <summary>
    /// Largest share, 0 to 1, of a service and of the whole registry that one sweep may evict; at least one.
    /// </summary>
    public double EvictionShare { get; init; } = 0.15;

    /// <summary>How long a sweep is: the time over which <see cref="EvictionShare"/> counts.</summary>
    public TimeSpan Sweep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long protection may hold an instance that does not renew. A day: outlasts an outage that people repair, and
    /// still ends the ghosts of services that were never told to leave.
    /// </summary>
    public TimeSpan ProtectionHold { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Least grace after a restart of this node, when a lease is shorter: clients need to find it again.
    /// </summary>
    public TimeSpan RestartGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Failed calls in a row, over all callers of this node, that make an instance unhealthy.</summary>
    public int FailuresToEject { get; init; } = 3;

    /// <summary>After this without a failed call an ejected instance is tried again.</summary>
    public TimeSpan Ejection { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a drain may wait for the watchers of the service to have seen it, when asked to.</summary>
    public TimeSpan DrainPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Instances that this registry holds: about 1 KB each in memory on every node.</summary>
    public int MaxInstances { get; init; } = 500_000;

    /// <summary>Services known, with instances or lately without.</summary>
    public int MaxServices { get; init; } = 100_000;

    /// <summary>Watches and blocking queries at once; each is a connection and about 10 KB.</summary>
    public int MaxWatchers { get; init; } = 10_000;

    /// <summary>Everything that is wrong; empty when it can be used.</summary>
    public IReadOnlyList<FieldFault> Validate()
    {
        var faults = new List<FieldFault>();
        void Check(bool right, string field, string rule)
        {
            if (!right) faults.Add(new FieldFault($"registry.{field}", rule));
        }
        Check(ProtectionThreshold is >= 0 and <= 1, "protectionThreshold", "must be between 0 and 1");
        Check(EvictionShare is > 0 and <= 1, "evictionShare", "must be above 0 and at most 1");
        Check(Sweep >= TimeSpan.FromSeconds(1) && Sweep <= TimeSpan.FromMinutes(5), "sweep", "must be 1 s to 5 min");
        Check(ProtectionHold >= TimeSpan.FromMinutes(1), "protectionHold", "must be at least 1 min");
        Check(RestartGrace >= TimeSpan.Zero
            && RestartGrace <= TimeSpan.FromHours(1), "restartGrace", "must be 0 to 1 h");
        Check(FailuresToEject is >= 1 and <= 1000, "failuresToEject", "must be 1 to 1,000");
        Check(
            Ejection >= TimeSpan.FromSeconds(1) && Ejection <= TimeSpan.FromHours(1), "ejection", "must be 1 s to 1 h");
        Check(
            DrainPatience >= TimeSpan.Zero && DrainPatience <= TimeSpan.FromMinutes(1),
            "drainPatience",
            "must be 0 to 1 min");
        Check(MaxInstances is >= 1 and <= 5_000_000, "maxInstances", "must be 1 to 5,000,000");
        Check(MaxServices is >= 1 and <= 1_000_000, "maxServices", "must be 1 to 1,000,000");
        Check(MaxWatchers is >= 1 and <= 100_000, "maxWatchers", "must be 1 to 100,000");
        return faults;
    }
}
