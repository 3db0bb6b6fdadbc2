namespace Groundwork.Services.Registry;

/// <summary>How far an instance is trusted with traffic.</summary>
public enum HealthState
{
    /// <summary>It renews its lease, or has none to renew, and nobody complains.</summary>
    Healthy,

    /// <summary>
    /// Known from before a restart or from another node, and not heard of since. Traffic still goes to it.
    /// </summary>
    Suspect,

    /// <summary>
    /// Traffic goes elsewhere, unless the protection threshold says that too much of the service is so.
    /// </summary>
    Unhealthy,
}

/// <summary>What made the registry believe it.</summary>
public enum HealthCause
{
    /// <summary>The instance itself: it registered, or renewed its lease.</summary>
    Instance,

    /// <summary>This node started and loaded it.</summary>
    Restart,

    /// <summary>The node that took its renewals is gone, and another vouches for it now.</summary>
    Adoption,

    /// <summary>The lease ran out, and the protection threshold or the pace of eviction keeps it in the list.</summary>
    LeaseExpired,

    /// <summary>Callers could not connect, or got no answer.</summary>
    Callers,

    /// <summary>One of its own checks is critical.</summary>
    Check,
}

/// <summary>What the registry believes of an instance.</summary>
/// <param name="Reason">One sentence for people.</param>
public sealed record Health(HealthState State, HealthCause Cause, string Reason, DateTimeOffset Since)
{
    /// <summary>Before the registry has formed an opinion; never in a published view.</summary>
    internal static Health Unknown { get; } =
        new(HealthState.Healthy, HealthCause.Instance, "not judged yet", DateTimeOffset.UnixEpoch);
}
