namespace Groundwork.Kernel.Cluster;

/// <summary>
/// The uses of one key by all nodes, for who limits it by rules of its own: it counts what it allows, and hears what
/// the others have, up to <see cref="SharedCounters.ExchangeEvery"/> late. Not thread-safe.
/// </summary>
public sealed class SharedUse
{
    private readonly SharedCounters counters;
    private readonly string key;
    private readonly long windowMilliseconds;
    private SharedCounters.StrongBox? used; // Null when there are too many keys: they are limited per node.
    private CounterKey running;
    private CounterKey before; // The window before that: its end is heard of in this one.
    private long seenRunning;
    private long seenBefore;
    private long seenExchange;

    internal SharedUse(SharedCounters counters, string key, TimeSpan window)
    {
        this.counters = counters;
        this.key = key;
        windowMilliseconds = Math.Max(1000, (long)window.TotalMilliseconds);
        var (number, _) = counters.Now(windowMilliseconds);
        before = new CounterKey(key, windowMilliseconds, number - 1);
        running = before with { Window = number };
        used = counters.OwnOf(running);
        seenExchange = counters.Exchanges;
        (seenBefore, seenRunning) = (counters.OthersOf(before), counters.OthersOf(running));
    }

    /// <summary>
    /// What the others had used within the last window when this began: all of the running one, and of the one before
    /// the part that is not over.
    /// </summary>
    public long History
    {
        get
        {
            var (_, passed) = counters.Now(windowMilliseconds);
            return seenRunning + (seenBefore * (windowMilliseconds - passed) / windowMilliseconds);
        }
    }

    /// <summary>Counts a use of this node.</summary>
    public void Add()
    {
        Turn();
        if (used is not null) Interlocked.Increment(ref used.Value);
    }

    /// <summary>What the others have used since the last call, or since this began.</summary>
    public long TakeOthers()
    {
        Turn();
        var exchange = counters.Exchanges;
        if (exchange == seenExchange) return 0;
        seenExchange = exchange;
        return Take(before, ref seenBefore) + Take(running, ref seenRunning);
    }

    private long Take(CounterKey slot, ref long seen)
    {
        var now = counters.OthersOf(slot);
        var fresh = now - seen;
        if (fresh <= 0) return 0; // A node that left the list took its count with it.
        seen = now;
        return fresh;
    }

    private void Turn()
    {
        var (number, _) = counters.Now(windowMilliseconds);
        if (number <= running.Window) return; // The database's clock may be read a little earlier than before.
        (before, seenBefore) = number == running.Window + 1
            ? (running, seenRunning)
            : (new CounterKey(key, windowMilliseconds, number - 1), 0);
        (running, seenRunning) = (running with { Window = number }, 0);
        used = counters.OwnOf(running);
    }
}
