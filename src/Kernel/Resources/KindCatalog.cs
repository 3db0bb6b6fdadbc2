using System.Collections.Frozen;

namespace Groundwork.Kernel.Resources;

/// <summary>The kinds of the loaded modules; fixed before the store opens.</summary>
public sealed class KindCatalog
{
    private readonly FrozenDictionary<string, Kind> byName;

    public KindCatalog(IEnumerable<Kind> kinds)
    {
        var known = new Dictionary<string, Kind>(StringComparer.Ordinal);
        foreach (var kind in kinds)
        {
            if (kind.Converters.Count != kind.Version - 1)
                throw new ArgumentException(
                    $"Kind {kind.Name} is at version {kind.Version} and needs {kind.Version - 1} converters.");
            if (!known.TryAdd(kind.Name, kind))
                throw new ArgumentException(
                    $"Kind {kind.Name} is declared by {known[kind.Name].Module} and by {kind.Module}.");
        }
        byName = known.ToFrozenDictionary(StringComparer.Ordinal);
    }

    public IEnumerable<Kind> All => byName.Values.OrderBy(kind => kind.Name, StringComparer.Ordinal);

    public Kind? Find(string name) => byName.GetValueOrDefault(name);
}
