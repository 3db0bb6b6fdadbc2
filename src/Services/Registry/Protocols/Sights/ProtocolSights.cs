using System.Collections.Immutable;

namespace Groundwork.Services.Registry.Protocols.Sights;

/// <summary>
/// The protocols that are spoken on this node; each says itself what it shows. Modules above the registry add theirs
/// when they start. Any thread.
/// </summary>
public sealed class ProtocolSights
{
    private ImmutableArray<IProtocolSight> all = [];

    /// <summary>In the order in which they were added.</summary>
    public ImmutableArray<IProtocolSight> All => all;

    public void Add(IProtocolSight sight) =>
        ImmutableInterlocked.Update(ref all, static (list, one) => list.Add(one), sight);
}
