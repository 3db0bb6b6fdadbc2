using System.Collections.Immutable;

namespace Groundwork.Services.Registry.Protocols.Sights;

/// <summary>A service as one protocol shows it.</summary>
/// <param name="Names">What its clients ask for, by the protocol's own words; empty when it has no name for it.</param>
/// <param name="Refusal">Why its clients do not find it; null when they do.</param>
public sealed record ProtocolSight(ImmutableArray<SightName> Names, string? Refusal = null)
{
    /// <summary>The instances that it shows, in order of id.</summary>
    public ImmutableArray<SeenInstance> Instances { get; init; } = [];

    /// <summary>What of an instance it can say.</summary>
    public InstanceFields Says { get; init; }

    /// <summary>How its clients subscribe; null where they cannot, and ask again.</summary>
    public string? Subscribing { get; init; }

    /// <summary>Who is subscribed, on this node.</summary>
    public ImmutableArray<Subscriber> Subscribers { get; init; } = [];
}

/// <summary>A part of a name.</summary>
/// <param name="Word">As the protocol calls it, such as <c>namespaceId</c>.</param>
public sealed record SightName(string Word, string Value);

/// <summary>An instance as one protocol shows it.</summary>
/// <param name="Id">In the registry.</param>
/// <param name="Name">What stands for it in the protocol's answer.</param>
/// <param name="State">In the protocol's own words, such as <c>OUT_OF_SERVICE</c>.</param>
/// <param name="Callable">True when a client that heeds them calls it.</param>
public sealed record SeenInstance(string Id, string Name, string State, bool Callable);

/// <summary>Somebody who is told of changes.</summary>
/// <param name="How">Such as <c>blocking-query</c>.</param>
/// <param name="Client">What it says of itself; may be anything of at most
/// <see cref="RegistryLimits.MaxClientLength"/> characters.</param>
/// <param name="Name">The instance, or the principal, that it is; empty where that is not known.</param>
/// <param name="Address">Null where it is not known.</param>
/// <param name="Since">Since when it waits, or when it asked last.</param>
public sealed record Subscriber(string How, string Client, string Name, string? Address, DateTimeOffset Since);
