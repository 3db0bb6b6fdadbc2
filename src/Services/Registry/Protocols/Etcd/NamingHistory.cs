namespace Groundwork.Services.Registry.Protocols.Etcd;

/// <summary>The last changes, in order of their revisions. Not safe for threads.</summary>
/// <param name="position">The revision to begin at.</param>
/// <param name="floor">What has changed from there on is all in the opening.</param>
/// <param name="opening">Of the revision to begin at: what is there, and what is gone.</param>
internal sealed class NamingHistory(long position, long floor, List<NamingChange> opening)
{
    /// <summary>Changes that are kept: minutes of a restless fleet, days of a calm one.</summary>
    public const int Kept = 10_000;

    private readonly List<NamingChange> changes = opening;

    /// <summary>The revision of the last change.</summary>
    public long Position { get; private set; } = position;

    /// <summary>The first revision at which the keys are known.</summary>
    public long Beginning { get; private set; } = position;

    /// <summary>The first revision from which on what has changed can be told.</summary>
    public long Floor { get; private set; } = floor;

    /// <param name="added">All of one revision, which is above the last.</param>
    public void Add(IReadOnlyList<NamingChange> added)
    {
        changes.AddRange(added);
        Position = added[^1].Revision;
        if (changes.Count < 2 * Kept) return;
        var first = changes.Count - Kept;
        // A revision is not cut; the last one stays, however long it is.
        while (first > 0 && changes[first - 1].Revision == changes[first].Revision) first--;
        if (first == 0) return;
        // After the changes of a revision the keys are known at it.
        Beginning = changes[first - 1].Revision;
        Floor = Beginning + 1;
        changes.RemoveRange(0, first);
    }

    /// <summary>The changes from a revision on, in order.</summary>
    public IEnumerable<NamingChange> From(long revision)
    {
        for (var at = Find(revision); at < changes.Count; at++) yield return changes[at];
    }

    /// <summary>The changes after a revision, the last first.</summary>
    public IEnumerable<NamingChange> BackTo(long revision)
    {
        for (var at = changes.Count - 1; at >= 0 && changes[at].Revision > revision; at--) yield return changes[at];
    }

    private int Find(long revision)
    {
        int low = 0, high = changes.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (changes[middle].Revision < revision) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
