namespace Groundwork.Services.Registry.Leases;

/// <summary>
/// Lease time: it passes only while this process demonstrably ran. The expiry loop ticks it; when two ticks are further
/// apart than <see cref="StallLimit"/>, the process stood still, renewals may lie unread in its sockets, and the gap
/// does not count: every lease has it added.
/// </summary>
/// <remarks>
/// The loop runs on the thread pool, as requests do. What keeps requests from being answered (a stopped process, a
/// paused machine, a collection, a starved pool) keeps the tick from coming too, and is seen as a gap.
/// </remarks>
internal sealed class LeaseClock
{
    /// <summary>Ten ticks: longer than a busy machine delays a timer, shorter than half the shortest lease.</summary>
    public static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(2);

    private readonly TimeProvider time;
    private Mark mark; // Swapped whole by the ticking thread; read by all.

    public LeaseClock(TimeProvider time)
    {
        this.time = time;
        mark = new Mark(time.GetTimestamp(), 0);
    }

    /// <summary>Lease time in ticks of 100 ns. May step back by up to <see cref="StallLimit"/> after a stall.</summary>
    public long Now
    {
        get
        {
            var last = Volatile.Read(ref mark);
            var since = time.GetElapsedTime(last.Timestamp).Ticks;
            return last.LeaseTicks + Math.Min(since, StallLimit.Ticks);
        }
    }

    /// <summary>
    /// Moves lease time on, unless the process stood still since the last tick. One thread calls this.
    /// </summary>
    public LeaseTick Tick()
    {
        var last = mark;
        var timestamp = time.GetTimestamp();
        var gap = time.GetElapsedTime(last.Timestamp, timestamp);
        var stalled = gap > StallLimit;
        var next = new Mark(timestamp, stalled ? last.LeaseTicks : last.LeaseTicks + gap.Ticks);
        Volatile.Write(ref mark, next);
        return new LeaseTick(timestamp, next.LeaseTicks, stalled ? gap : TimeSpan.Zero);
    }

    /// <summary>
    /// True while the tick is recent. Asked again before every eviction: the process can be stopped between a tick and
    /// what it leads to, and then what the tick said is no longer so.
    /// </summary>
    public bool IsCurrent(LeaseTick tick) => time.GetElapsedTime(tick.Timestamp) <= StallLimit;

    private sealed record Mark(long Timestamp, long LeaseTicks);
}

/// <summary>One tick of the lease clock.</summary>
/// <param name="Stall">How long the process stood still before it; zero when it did not.</param>
internal readonly record struct LeaseTick(long Timestamp, long LeaseTicks, TimeSpan Stall);
