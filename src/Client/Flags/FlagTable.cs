using System.Collections.Frozen;

namespace Groundwork.Client.Flags;

/// <summary>All flags of one publication, swapped as a whole. Thread-safe.</summary>
internal sealed class FlagTable
{
    private FrozenDictionary<string, Flag> flags = FrozenDictionary<string, Flag>.Empty;

    public Flag? Find(string name) => Volatile.Read(ref flags).GetValueOrDefault(name);

    public void Publish(IReadOnlyDictionary<string, Flag> published) =>
        Volatile.Write(ref flags, published.ToFrozenDictionary(StringComparer.Ordinal));
}
