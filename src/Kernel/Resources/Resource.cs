using System.Collections.Immutable;

namespace Groundwork.Kernel.Resources;

/// <summary>One version of one resource: immutable, shared by all readers.</summary>
public sealed class Resource
{
    private object? typed;

    public required ResourceKey Key { get; init; }

    /// <summary>Version of the kind's schema that <see cref="Spec"/> is written in.</summary>
    public required int Version { get; init; }

    public required ImmutableSortedDictionary<string, string> Labels { get; init; }

    /// <summary>The spec as UTF-8 JSON, secrets encrypted; empty in a snapshot for stored kinds.</summary>
    public required ReadOnlyMemory<byte> Spec { get; init; }

    /// <summary>SHA-256 of the spec's bytes.</summary>
    public required ReadOnlyMemory<byte> SpecHash { get; init; }

    public required long Revision { get; init; }

    /// <summary>Place in the changeset that made this version.</summary>
    internal int Order { get; init; }

    public required string ChangedBy { get; init; }

    public required DateTimeOffset ChangedAt { get; init; }

    /// <summary>The kind, or null when its module is not loaded here.</summary>
    public required Kind? Kind { get; init; }

    /// <summary>
    /// The spec as its record, converted to the current version, read once and kept. Secrets stay encrypted.
    /// </summary>
    public TSpec As<TSpec>()
        where TSpec : class
    {
        if (Volatile.Read(ref typed) is TSpec known) return known;
        var value = (TSpec)SpecConversion.Read(this);
        Volatile.Write(ref typed, value);
        return value;
    }

    internal Resource WithSpec(ReadOnlyMemory<byte> spec) => new()
    {
        Key = Key,
        Version = Version,
        Labels = Labels,
        Spec = spec,
        SpecHash = SpecHash,
        Revision = Revision,
        Order = Order,
        ChangedBy = ChangedBy,
        ChangedAt = ChangedAt,
        Kind = Kind,
    };

    /// <summary>Keeps what validation has read already, so that nobody reads it again.</summary>
    internal Resource Typed(object value)
    {
        typed = value;
        return this;
    }
}
