using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// Where a module reads resources from: the local store, or a follower of another node. Both pass one contract suite.
/// </summary>
public interface ISnapshotSource
{
    /// <summary>The newest snapshot known here. One volatile read.</summary>
    Snapshot Current { get; }

    /// <summary>
    /// How long the source has been without news from its origin; zero for a store that can be reached.
    /// </summary>
    TimeSpan Staleness { get; }

    /// <summary>
    /// Calls <paramref name="changed"/> at once with the current snapshot, then once for every published group, in
    /// order, before the writers of that group are answered: what a view derives here is there when the answer comes.
    /// It runs on the publisher's thread; derive and swap, do not wait. An exception is logged and counted, and the
    /// next group is delivered as usual.
    /// </summary>
    IDisposable Subscribe(Action<SnapshotChange> changed);

    /// <summary>Waits until <see cref="Current"/> is at <paramref name="revision"/> or later.</summary>
    /// <returns>The snapshot, or <c>revision_not_reached</c> after <paramref name="patience"/>.</returns>
    ValueTask<Outcome<Snapshot>> ReachAsync(long revision, TimeSpan patience, CancellationToken cancellationToken);
}

/// <summary>One published group.</summary>
/// <param name="Before">Null for the first delivery and after a reload; then <paramref name="Changes"/> is empty and
/// all of <paramref name="After"/> is new.</param>
/// <param name="Changes">In order of revision and of place in their changeset.</param>
public sealed record SnapshotChange(Snapshot? Before, IReadOnlyList<AppliedChange> Changes, Snapshot After)
{
    public bool Touches(string kind)
    {
        if (Before is null) return true;
        foreach (var change in Changes)
            if (change.Key.Kind == kind) return true;
        return false;
    }

    /// <summary>
    /// What has become of the resources of a kind, each once, since a group may change one several times; null: it is
    /// gone. Where all of <see cref="After"/> is new, all that there are.
    /// </summary>
    public IReadOnlyDictionary<ResourceKey, Resource?> LastOf(string kind)
    {
        var last = new Dictionary<ResourceKey, Resource?>();
        if (Before is null)
            foreach (var (key, resource) in After.Of(kind)) last[key] = resource;
        foreach (var change in Changes)
            if (change.Key.Kind == kind) last[change.Key] = change.After;
        return last;
    }
}
