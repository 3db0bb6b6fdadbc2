namespace Groundwork.Kernel.Resources;

/// <summary>A row of <c>resource_changes</c>: one version of one resource, as it is on disk.</summary>
internal sealed record ChangeRow
{
    public required ResourceKey Key { get; init; }

    public required ChangeOperation Operation { get; init; }

    /// <summary>Schema version of the spec.</summary>
    public required int Version { get; init; }

    /// <summary>Labels as compact JSON with sorted keys; empty for none.</summary>
    public required string Labels { get; init; }

    /// <summary>Null for a delete, for a stored kind (see <see cref="SpecHash"/>), and after compaction.</summary>
    public required byte[]? Spec { get; init; }

    /// <summary>SHA-256 of the spec; empty for a delete. Finds the content of stored kinds.</summary>
    public required byte[] SpecHash { get; init; }

    public required string Author { get; init; }

    public required string Reason { get; init; }

    public required DateTimeOffset At { get; init; }

    public required Guid ChangesetId { get; init; }

    public long Revision { get; init; }

    public int Order { get; init; }

    /// <summary>The version before this one, of the same resource; null for its first.</summary>
    public (long Revision, int Order)? Prior { get; init; }

    /// <summary>True when compaction has dropped the spec; the row stays for the audit chain.</summary>
    public bool Compacted { get; init; }

    public byte[] Digest { get; init; } = [];

    public byte[] Link { get; init; } = [];
}
