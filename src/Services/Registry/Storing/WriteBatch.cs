using System.Text.Json;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Storing;

/// <summary>One instance's row to write.</summary>
/// <param name="Number">The number that callers have seen the change under.</param>
/// <param name="KnownPosition">Place of the row that this node has seen last.</param>
/// <param name="Ephemeral">False: the prober may have left a row of its own, which goes with the instance.</param>
internal sealed record InstanceWrite(
    InstanceKey Key,
    PendingKind Kind,
    long Number,
    string Owner,
    long Incarnation,
    string? Reason,
    string? Principal,
    string Document,
    string Cause,
    long KnownPosition,
    bool Ephemeral)
{
    public static InstanceWrite Of(PendingInstance pending)
    {
        var instance = pending.State.Instance;
        return new InstanceWrite(
            instance.Key,
            pending.Kind,
            pending.Number,
            pending.State.Owner,
            instance.Incarnation,
            pending.Reason,
            pending.Principal,
            pending.Removes
                ? ""
                : JsonSerializer.Serialize(InstanceDocuments.Write(instance), WireJson.Strict.InstanceDocument),
            instance.Health.Cause.ToString(),
            pending.State.StoredPosition,
            instance.Ephemeral);
    }
}

/// <summary>One service's row to write.</summary>
internal sealed record ServiceWrite(ServiceKey Key, long Number, string? EmptyReason);

/// <summary>Rows of one transaction.</summary>
internal sealed record WriteBatch(IReadOnlyList<InstanceWrite> Instances, IReadOnlyList<ServiceWrite> Services)
{
    public IReadOnlyList<RegistryEvent> Events { get; init; } = [];

    /// <summary>Services whose oldest events go.</summary>
    public IReadOnlyList<ServiceKey> Pruned { get; init; } = [];

    /// <summary>The first number in it.</summary>
    public long Lowest { get; } = Numbers(Instances, Services).DefaultIfEmpty(long.MaxValue).Min();

    /// <summary>The last number in it.</summary>
    public long Highest { get; } = Numbers(Instances, Services).DefaultIfEmpty(0).Max();

    /// <summary>True when some rows are written only if no other node was quicker.</summary>
    public bool HasConditions { get; } = Instances.Any(row => row.Kind != PendingKind.Registration);

    private static IEnumerable<long> Numbers(
        IReadOnlyList<InstanceWrite> instances, IReadOnlyList<ServiceWrite> services) =>
        instances.Select(row => row.Number)
            .Concat(services.Where(row => row.Number != PendingService.Forgotten).Select(row => row.Number));
}

/// <summary>What became of a batch.</summary>
/// <param name="Shift">Added to every number of it.</param>
/// <param name="Position">Where the store's sequence stands after it.</param>
/// <param name="Applied">The instances whose rows were written; null for all.</param>
internal sealed record WrittenBatch(long Shift, long Position, HashSet<InstanceKey>? Applied);
