using System.Collections.Immutable;

namespace Groundwork.Kernel.Resources;

/// <summary>A change that has passed every rule that needs no other resource.</summary>
internal sealed record PreparedChange
{
    public required Change Change { get; init; }

    /// <summary>Null only for deletes of kinds that are not loaded, which are refused before this.</summary>
    public required Kind Kind { get; init; }

    /// <summary>Compact JSON in the kind's current version, secrets in clear; empty for a delete.</summary>
    public ReadOnlyMemory<byte> Spec { get; init; }

    /// <summary>The spec as its record; null for a delete.</summary>
    public object? Typed { get; init; }

    /// <summary>True when the spec goes to disk with fields encrypted, by <see cref="Kind.HoldsSecrets"/>.</summary>
    public bool HoldsSecrets { get; init; }

    /// <summary>
    /// SHA-256 of the spec where it goes to disk as it is, made here so that the writer's thread need not; else null.
    /// </summary>
    public byte[]? SpecHash { get; init; }

    public ImmutableSortedDictionary<string, string>? Labels { get; init; }

    public ResourceKey Key => Change.Key;

    public bool IsDelete => Change.Operation == ChangeOperation.Delete;
}

/// <summary>A changeset whose changes are prepared.</summary>
internal sealed record PreparedChangeset(
    Changeset Source, Guid Id, DateTimeOffset At, byte[]? Fingerprint, ImmutableArray<PreparedChange> Changes)
{
    /// <summary>Set when this releases a proposal, which then needs no second person again.</summary>
    public bool Approved { get; init; }
}
