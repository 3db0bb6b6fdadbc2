using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// Holds the current snapshot and hands each published group to its subscribers, in order. One publisher serves the
/// local store, another a follower.
/// </summary>
public sealed partial class SnapshotPublisher : ISnapshotSource
{
    private readonly TimeProvider time;
    private readonly ILogger<SnapshotPublisher> log;

    // Guards publication and the two lists below. Held while subscribers run, so that they see groups in order; readers
    // of Current never take it.
    private readonly Lock gate = new();
    private readonly List<Action<SnapshotChange>> subscribers = [];
    private readonly PriorityQueue<TaskCompletionSource, long> waiters = new();
    private Snapshot current;
    private readonly TimeSpan freshFor;
    private long lastNewsAt;
    private bool isAway; // Written by the one who asks the origin, read anywhere.

    /// <param name="freshFor">
    /// Silence that is the ordinary gap between two signs of life of the origin; null: that of the poll of a store.
    /// </param>
    public SnapshotPublisher(
        Snapshot first, TimeProvider time, ILogger<SnapshotPublisher> log, TimeSpan? freshFor = null)
    {
        current = first;
        this.time = time;
        this.log = log;
        this.freshFor = freshFor ?? PollFreshFor;
        lastNewsAt = time.GetTimestamp();
    }

    public Snapshot Current => Volatile.Read(ref current);

    /// <summary>
    /// An origin that answers has no age; whoever asks it notes each answer (see <see cref="NoteNews"/>).
    /// </summary>
    public TimeSpan Staleness
    {
        get
        {
            var age = time.GetElapsedTime(Volatile.Read(ref lastNewsAt));
            return age > freshFor || Volatile.Read(ref isAway) ? age : TimeSpan.Zero;
        }
    }

    /// <summary>Silence of a store shorter than this is the ordinary gap between two polls.</summary>
    private static readonly TimeSpan PollFreshFor = TimeSpan.FromSeconds(5);

    public IDisposable Subscribe(Action<SnapshotChange> changed)
    {
        lock (gate)
        {
            subscribers.Add(changed);
            changed(new SnapshotChange(null, [], current));
        }
        return new Subscription(this, changed);
    }

    public async ValueTask<Outcome<Snapshot>> ReachAsync(
        long revision, TimeSpan patience, CancellationToken cancellationToken)
    {
        TaskCompletionSource reached;
        lock (gate)
        {
            if (current.Revision >= revision) return current;
            reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Enqueue(reached, revision);
        }
        try
        {
            await reached.Task.WaitAsync(patience, time, cancellationToken);
            return Current;
        }
        catch (TimeoutException)
        {
            reached.TrySetCanceled(CancellationToken.None); // The queue drops it when the revision comes.
            return new Fault(
                ErrorCodes.RevisionNotReached,
                $"Revision {revision} has not arrived here within {patience.TotalSeconds:0.#} s; this node is at "
                + $"{Current.Revision}.")
            {
                RetryAfter = TimeSpan.FromSeconds(1),
            };
        }
    }

    /// <summary>The origin answered, whether with news or without.</summary>
    internal void NoteNews()
    {
        Volatile.Write(ref lastNewsAt, time.GetTimestamp());
        Volatile.Write(ref isAway, false);
    }

    /// <summary>The origin was asked and did not answer: from now on what is here has an age, at once.</summary>
    internal void NoteAway() => Volatile.Write(ref isAway, true);

    /// <summary>Makes a group visible. A group that is not newer than what is visible is passed over.</summary>
    internal void Publish(Snapshot next, IReadOnlyList<AppliedChange> changes)
    {
        lock (gate)
        {
            if (next.Revision <= current.Revision) return;
            Swap(next, new SnapshotChange(current, changes, next));
        }
    }

    /// <summary>Replaces everything, after a follower had to load anew.</summary>
    internal void Reload(Snapshot next)
    {
        lock (gate) Swap(next, new SnapshotChange(null, [], next));
    }

    private void Swap(Snapshot next, SnapshotChange change)
    {
        Volatile.Write(ref current, next);
        NoteNews();
        foreach (var subscriber in subscribers)
        {
            try
            {
                subscriber(change);
            }
            catch (Exception fault)
            {
                // A module's bug must not stop the others from seeing the group, nor its writers from being answered.
                SubscriberFailed(log, fault, next.Revision);
            }
        }
        while (waiters.TryPeek(out var reached, out var revision)
            && (revision <= next.Revision || reached.Task.IsCompleted))
        {
            waiters.Dequeue();
            reached.TrySetResult();
        }
    }

    private sealed class Subscription(SnapshotPublisher publisher, Action<SnapshotChange> changed) : IDisposable
    {
        public void Dispose()
        {
            lock (publisher.gate) publisher.subscribers.Remove(changed);
        }
    }

    [LoggerMessage(
        LogLevel.Error, "A view could not be derived at revision {Revision}; it may be behind until the next change.")]
    private static partial void SubscriberFailed(ILogger log, Exception fault, long revision);
}
