namespace Groundwork.Kernel.Storage;

/// <summary>The bounded queue in front of the writer: many callers put, one thread takes whole groups.</summary>
internal sealed class WriteQueue(int capacity, int maxGroup)
{
    private readonly object gate = new();
    private readonly Queue<PendingWrite> waiting = new();
    private bool isClosed;
    private bool takerWaits;

    public int Count
    {
        get
        {
            lock (gate) return waiting.Count;
        }
    }

    /// <summary>Puts a write at the end, or says why not.</summary>
    public QueueAnswer Put(PendingWrite write)
    {
        lock (gate)
        {
            if (isClosed) return QueueAnswer.Closed;
            if (waiting.Count >= capacity) return QueueAnswer.Full;
            waiting.Enqueue(write);
            if (takerWaits) Monitor.Pulse(gate);
            return QueueAnswer.Queued;
        }
    }

    /// <summary>
    /// Moves the next group to <paramref name="group"/>: all that wait, up to the limit; an exclusive write alone.
    /// Returns with an empty group after <paramref name="patience"/>, and false once the queue is closed and empty.
    /// </summary>
    public bool Take(List<PendingWrite> group, TimeSpan patience)
    {
        lock (gate)
        {
            while (true)
            {
                while (group.Count < maxGroup && waiting.TryPeek(out var next))
                {
                    if (next.IsExclusive && group.Count > 0) return true;
                    waiting.Dequeue();
                    if (!next.TryTake()) continue;
                    group.Add(next);
                    if (next.IsExclusive) return true;
                }

                if (group.Count > 0) return true;
                if (isClosed) return false;
                takerWaits = true;
                var pulsed = Monitor.Wait(gate, patience);
                takerWaits = false;
                if (!pulsed) return true;
            }
        }
    }

    /// <summary>Takes out the writes that have waited since before <paramref name="limit"/>, oldest first.</summary>
    public void TakeOlder(long limit, List<PendingWrite> expired)
    {
        lock (gate)
        {
            while (waiting.TryPeek(out var next) && next.QueuedAt < limit)
            {
                waiting.Dequeue();
                if (next.TryTake()) expired.Add(next);
            }
        }
    }

    /// <summary>Refuses new writes; those that wait are still taken.</summary>
    public void Close()
    {
        lock (gate)
        {
            isClosed = true;
            Monitor.PulseAll(gate);
        }
    }
}

internal enum QueueAnswer { Queued, Full, Closed }
