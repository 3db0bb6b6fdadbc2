namespace Groundwork.Client.Discovery;

/// <summary>How an instance is chosen among those that nothing speaks against.</summary>
internal enum InstanceChoice
{
    /// <summary>The less loaded of two drawn by weight.</summary>
    PowerOfTwo,

    /// <summary>One after the other, whatever their weights.</summary>
    RoundRobin,

    /// <summary>Any, whatever their weights.</summary>
    Random,

    /// <summary>Drawn by weight.</summary>
    Weighted,

    /// <summary>The same for the same key; without a key as <see cref="PowerOfTwo"/>.</summary>
    ConsistentHash,
}

/// <summary>How an instance is chosen.</summary>
/// <param name="Choice">Among those that nothing speaks against.</param>
/// <param name="HashHeader">The request's header whose value is the key; a request's own option goes before.</param>
/// <param name="SameZone">True: the own zone's instances come first.</param>
/// <param name="SpillBelow">Share of the own zone's instances that must be usable; below it, calls go to all zones.
/// </param>
/// <param name="Version">The version wanted, such as <c>2</c> or <c>2.1</c>; null: any.</param>
/// <param name="RequireVersion">True: no other version is called.</param>
internal sealed record ChoicePolicy(
    InstanceChoice Choice, string? HashHeader, bool SameZone, double SpillBelow, string? Version, bool RequireVersion)
{
    public static ChoicePolicy Usual { get; } = new(InstanceChoice.PowerOfTwo, null, true, 0, null, false);
}
