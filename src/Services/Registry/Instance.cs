using System.Collections.Immutable;

namespace Groundwork.Services.Registry;

/// <summary>What an instance says of itself.</summary>
/// <remarks>One byte: with it an instance stays below the kilobyte that it may take.</remarks>
public enum InstanceStatus : byte { Starting, Up, Draining, OutOfService, Down }

/// <summary>What an instance's own check found.</summary>
public enum CheckState { Passing, Warning, Critical }

/// <summary>A named check of an instance, with what it found, why and since when.</summary>
/// <param name="Source">Who looks: <c>instance</c>, or the protocol that reported it.</param>
public sealed record Check(string Name, CheckState State, string? Reason, DateTimeOffset Since, string Source);

/// <summary>
/// An instance as its callers and the API see it: immutable, shared by all readers. A change makes another one.
/// </summary>
/// <param name="Host">IP address or host name that others connect to.</param>
/// <param name="Port">The primary port.</param>
public sealed record Instance(InstanceKey Key, string Host, int Port)
{
    public string Scheme { get; init; } = "http";

    /// <summary>0 to 10,000; 100 is normal, 0 takes no traffic.</summary>
    public int Weight { get; init; } = 100;

    public InstanceStatus Status { get; init; } = InstanceStatus.Up;

    /// <summary>What the registry believes of it, why and since when.</summary>
    public Health Health { get; init; } = Health.Unknown;

    public string? Version { get; init; }

    /// <summary>The place it runs in; callers prefer their own.</summary>
    public string? Zone { get; init; }

    /// <summary>A named part of the service.</summary>
    public string? Cluster { get; init; }

    /// <summary>False: it stays until deregistered, and there is no lease.</summary>
    public bool Ephemeral { get; init; } = true;

    /// <summary>How long it lives without a renewal.</summary>
    public int LeaseSeconds { get; init; } = RegistryLimits.DefaultLeaseSeconds;

    /// <summary>The caller's start time in Unix milliseconds, or that of its registration.</summary>
    public long Incarnation { get; init; }

    /// <summary>Protocol, client version and principal.</summary>
    public string RegisteredBy { get; init; } = "";

    /// <summary>
    /// The peer that registered it first or changed it last, as far as it was seen: a proxy's where there is one.
    /// </summary>
    public string? RegisteredFrom { get; init; }

    public ImmutableArray<string> Tags { get; init; } = [];

    public ImmutableArray<Check> Checks { get; init; } = [];

    /// <summary>Further named ports.</summary>
    public ImmutableSortedDictionary<string, int> Ports { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    public TextMap Metadata { get; init; } = TextMap.Empty;

    /// <summary>
    /// What an operator has put over it; weight and status are then the operator's. Null in what is registered.
    /// </summary>
    public Policies.AppliedOverride? Override { get; init; }

    /// <summary>Per protocol, JSON text that only that protocol reads.</summary>
    public TextMap Extensions { get; init; } = TextMap.Empty;
}
