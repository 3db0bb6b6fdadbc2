namespace Groundwork.Services.Registry.Storing;

/// <summary>An instance as the store holds it.</summary>
/// <param name="Position">Place in the store-wide sequence.</param>
/// <param name="Owner">Node that takes its renewals.</param>
/// <param name="Writer">Node that wrote the row.</param>
/// <param name="Instance">Null when it is removed.</param>
internal sealed record StoredInstance(
    InstanceKey Key,
    long Position,
    string Owner,
    string Writer,
    long Incarnation,
    string? Reason,
    string? Principal,
    Instance? Instance);

/// <summary>A service as the store holds it.</summary>
/// <param name="Number">Its index.</param>
internal sealed record StoredService(ServiceKey Key, long Number, string? EmptyReason);

/// <summary>What was written after some position.</summary>
/// <param name="Position">Where to go on from.</param>
/// <param name="Complete">True when these are all there are, because some removals are no longer known.</param>
internal sealed record StoredChanges(
    long Position, bool Complete, IReadOnlyList<StoredService> Services, IReadOnlyList<StoredInstance> Instances)
{
    /// <summary>What the prober found.</summary>
    public IReadOnlyList<Probing.ProbeResult> Probes { get; init; } = [];
}
