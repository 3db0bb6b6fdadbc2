using Groundwork.Kernel.Storage;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// Raises the floor: versions that a newer one at or below it has replaced lose their content. The newest version of
/// every live resource stays, and so do all rows, because the audit chain runs through them.
/// </summary>
public sealed class Compaction
{
    /// <summary>Revisions compacted in one write, so that commits wait for milliseconds only.</summary>
    private const long StepRevisions = 5_000;

    private readonly ChangeLog changes;
    private readonly IStorage storage;
    private readonly TimeProvider time;

    internal Compaction(ChangeLog changes, IStorage storage, TimeProvider time)
    {
        this.changes = changes;
        this.storage = storage;
        this.time = time;
    }

    /// <summary>Compacts up to a revision; a floor at or below the present one does nothing.</summary>
    /// <returns>The floor after it and the number of versions dropped, or <c>revision_unknown</c> above head.</returns>
    public async ValueTask<Outcome<(
        long Floor, long Dropped)>> RunAsync(long floor, CancellationToken cancellationToken)
    {
        var head = changes.Snapshots.Current.Revision;
        if (floor < 0 || floor > head)
            return new Fault(ErrorCodes.RevisionUnknown, $"The floor must be 0 to {head}, not {floor}.");
        var dropped = 0L;
        try
        {
            while (changes.Floor < floor)
            {
                var next = await NextStepAsync(floor, cancellationToken);
                dropped += await storage.WriteAsync(session => Step(session, next), cancellationToken);
                changes.RaiseFloor(next);
            }
            var forgotten = (time.GetUtcNow() - CommitGroup.RememberIdsFor).ToUnixTimeMilliseconds();
            await storage.WriteAsync(
                session =>
                    ResourceStore.DropOrphanContents(session) + ResourceStore.ForgetChangesets(session, forgotten),
                cancellationToken);
            return (changes.Floor, dropped);
        }
        catch (StorageException fault)
        {
            return fault.Fault;
        }
    }

    /// <summary>Steps by revisions that exist: a restore leaves a gap of up to 2^32 that holds nothing.</summary>
    private Task<long> NextStepAsync(long floor, CancellationToken cancellationToken) => storage.ReadAsync(
        session =>
            ResourceStore.RevisionAfter(session, changes.Floor, StepRevisions) is { } next
                ? Math.Min(next, floor)
                : floor,
        cancellationToken);

    private static int Step(ISqlSession session, long floor)
    {
        // The floor on disk, not ours: another node may have compacted meanwhile.
        var from = ResourceStore.ReadHead(session)?.Floor ?? 0;
        if (from >= floor) return 0;
        var dropped = ResourceStore.DropReplaced(session, from, floor) + ResourceStore.DropDeletedHeads(session, floor);
        ResourceStore.WriteFloor(session, floor);
        return dropped;
    }
}
