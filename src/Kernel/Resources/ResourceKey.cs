namespace Groundwork.Kernel.Resources;

/// <summary>Names one resource. Compared ordinally: case-sensitive, and in the same order on every node.</summary>
/// <param name="Kind">The kind's name.</param>
/// <param name="Namespace">Empty for node-wide kinds.</param>
/// <param name="Name">Segments joined by <c>/</c>.</param>
public readonly record struct ResourceKey(string Kind, string Namespace, string Name) : IComparable<ResourceKey>
{
    public int CompareTo(ResourceKey other)
    {
        var byKind = string.CompareOrdinal(Kind, other.Kind);
        if (byKind != 0) return byKind;
        var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
    }

    public override string ToString() => Namespace.Length == 0 ? $"{Kind} {Name}" : $"{Kind} {Namespace}/{Name}";
}
