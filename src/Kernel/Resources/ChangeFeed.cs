using System.Collections.Concurrent;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The most recent changes in memory, for watchers. There is no queue per watcher: each has a position and reads
/// forward, and one that falls behind the ring reads from the database. So a slow reader costs nothing and loses
/// nothing.
/// </summary>
internal sealed class ChangeFeed
{
    /// <summary>
    /// Changes kept in memory: a quarter of a second at full write speed, minutes at the usual. Each keeps the version
    /// that it replaced alive, so many of them make the collector copy what is about to die.
    /// </summary>
    private const int Capacity = 4 * 1024;

    private readonly Lock gate = new();
    private readonly AppliedChange?[] ring = new AppliedChange?[Capacity];
    private readonly ConcurrentDictionary<string, TaskCompletionSource> signals = new(StringComparer.Ordinal);

    // All three under the gate.
    private long written;
    private Position completeAfter;
    private long revision;

    /// <param name="start">Everything after this revision will be seen here.</param>
    public ChangeFeed(long start)
    {
        revision = start;
        completeAfter = new Position(start, int.MaxValue);
    }

    /// <summary>
    /// Completes with the next change of the kind, or of any kind for the empty name. Take it before reading.
    /// </summary>
    public Task Next(string kind) => signals.GetOrAdd(kind, static _ => NewSignal()).Task;

    public void Append(Snapshot snapshot, IReadOnlyList<AppliedChange> changes)
    {
        lock (gate)
        {
            foreach (var change in changes)
            {
                var slot = (int)(written % Capacity);
                if (ring[slot] is { } dropped) completeAfter = new Position(dropped.Revision, dropped.Order);
                ring[slot] = change;
                written++;
            }
            revision = snapshot.Revision;
        }
        Wake(changes);
    }

    /// <summary>
    /// The changes after a position, oldest first, at most <paramref name="limit"/>; false when the ring no longer has
    /// them all.
    /// <paramref name="readTo"/> is where the reader stands when the list holds everything.
    /// </summary>
    public bool TryRead(Position after, int limit, List<AppliedChange> changes, out Position readTo)
    {
        lock (gate)
        {
            readTo = after;
            if (after.CompareTo(completeAfter) < 0) return false;
            var oldest = Math.Max(0, written - Capacity);
            for (var number = FirstAfter(after, oldest); number < written; number++)
            {
                if (changes.Count == limit) return true;
                var change = ring[number % Capacity]!; // Every slot below `written` is filled.
                changes.Add(change);
                readTo = new Position(change.Revision, change.Order);
            }
            if (readTo.Revision <= revision) readTo = new Position(revision, int.MaxValue);
            return true;
        }
    }

    private long FirstAfter(Position after, long oldest)
    {
        var (low, high) = (oldest, written);
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            var change = ring[middle % Capacity]!; // Every slot below `written` is filled.
            if (new Position(change.Revision, change.Order).CompareTo(after) <= 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private void Wake(IReadOnlyList<AppliedChange> changes)
    {
        Wake("");
        string? last = null;
        foreach (var change in changes)
        {
            if (change.Key.Kind == last) continue;
            last = change.Key.Kind;
            Wake(last);
        }
    }

    private void Wake(string kind)
    {
        if (signals.TryRemove(kind, out var signal)) signal.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// A place in the log: after this change of this revision. The whole revision is passed with the greatest order.
/// </summary>
internal readonly record struct Position(long Revision, int Order) : IComparable<Position>
{
    public static Position After(long revision) => new(revision, int.MaxValue);

    public int CompareTo(Position other) => Revision != other.Revision
        ? Revision.CompareTo(other.Revision)
        : Order.CompareTo(other.Order);
}
