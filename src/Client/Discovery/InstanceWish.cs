namespace Groundwork.Client.Discovery;

/// <summary>What one try of a call wants of an instance.</summary>
/// <param name="Policy">How to choose.</param>
/// <param name="Scheme">The scheme the caller wrote: <c>https</c> is never answered in plain.</param>
/// <param name="Repeatable">True when the call can be repeated elsewhere if it fails.</param>
internal readonly record struct InstanceWish(ChoicePolicy Policy, string Scheme, bool Repeatable)
{
    /// <summary>The instance that was just tried; not chosen.</summary>
    public ServiceTarget? Last { get; init; }

    /// <summary>Those that were tried before it; not chosen.</summary>
    public IReadOnlyList<ServiceTarget>? Earlier { get; init; }

    /// <summary>For <see cref="InstanceChoice.ConsistentHash"/>; null: without a key.</summary>
    public ulong? Key { get; init; }

    /// <summary>The version wanted; null: any.</summary>
    public string? Version { get; init; }

    public bool Allows(ServiceTarget target) =>
        target != Last
        && (Scheme != Uri.UriSchemeHttps || target.Scheme == Uri.UriSchemeHttps)
        && (Earlier is null || !Earlier.Contains(target));
}

/// <summary>Why it was this instance, for the call's span.</summary>
internal enum ChoiceReason
{
    /// <summary>Nobody else could be called.</summary>
    Only,
    LessLoaded,
    RoundRobin,
    Random,
    Weighted,
    Hash,

    /// <summary>All others are doubted, and so is it.</summary>
    Doubted,

    /// <summary>All are left out after failures.</summary>
    LeftOut,
}
