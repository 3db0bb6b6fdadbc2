namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>
/// Places for requests under way, whose number may change, and a bounded queue for them. Who matters more goes first,
/// and takes the place of who matters less in a full queue. Thread-safe.
/// </summary>
internal sealed class Places(int limit, int maxWaiting, TimeSpan maxWait, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly LinkedList<Waiter>[] queues = // Under the gate; by importance, the oldest first.
        Array.ConvertAll(new int[Importances.Count], _ => new LinkedList<Waiter>());
    private int most = limit; // Under the gate, read without it.
    private int underWay; // Under the gate, read without it.
    private int waiting; // Under the gate, read without it.
    private long refused; // Under the gate, read without it.

    public int UnderWay => Volatile.Read(ref underWay);

    public int Waiting => Volatile.Read(ref waiting);

    public int MaxWaiting => maxWaiting;

    /// <summary>Requests that got no place, be it after a wait.</summary>
    public long Refused => Volatile.Read(ref refused);

    public int Limit
    {
        get => Volatile.Read(ref most);
        set
        {
            lock (gate)
            {
                most = value;
                Fill();
            }
        }
    }

    /// <summary>Takes a place, perhaps after a wait; false when there is none. Each one taken is given back by
    /// <see cref="Leave"/>.</summary>
    public ValueTask<bool> EnterAsync(Importance importance)
    {
        lock (gate)
        {
            if (underWay < most && waiting == 0)
            {
                underWay++;
                return ValueTask.FromResult(true);
            }
            if (waiting >= maxWaiting && !TryDisplace(importance))
            {
                refused++;
                return ValueTask.FromResult(false);
            }
            var waiter = new Waiter(this, importance);
            waiter.Node = queues[(int)importance].AddLast(waiter);
            waiting++;
            waiter.Timer = time.CreateTimer(
                static one => ((Waiter)one!).GiveUp(), waiter, maxWait, Timeout.InfiniteTimeSpan);
            return new ValueTask<bool>(waiter.Taken.Task);
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            underWay--;
            Fill();
        }
    }

    private void Fill()
    {
        for (var importance = Importances.Count - 1; importance >= 0; importance--)
        {
            while (underWay < most && queues[importance].First is { } first)
            {
                underWay++;
                End(first.Value, true);
            }
        }
    }

    // The newest of those that matter least, if they matter less.
    private bool TryDisplace(Importance importance)
    {
        for (var less = 0; less < (int)importance; less++)
        {
            if (queues[less].Last is not { } last) continue;
            End(last.Value, false);
            return true;
        }
        return false;
    }

    private void End(Waiter waiter, bool taken)
    {
        if (waiter.Node is not { } node) return;
        queues[(int)waiter.Importance].Remove(node);
        waiter.Node = null;
        waiting--;
        if (!taken) refused++;
        waiter.Timer?.Dispose();
        waiter.Taken.SetResult(taken); // Whoever waits goes on elsewhere, not under the gate.
    }

    private sealed class Waiter(Places owner, Importance importance)
    {
        public Importance Importance => importance;

        public TaskCompletionSource<bool> Taken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Waiter>? Node { get; set; } // Null once it is over; under the gate.

        public ITimer? Timer { get; set; }

        public void GiveUp()
        {
            lock (owner.gate) owner.End(this, false);
        }
    }
}
