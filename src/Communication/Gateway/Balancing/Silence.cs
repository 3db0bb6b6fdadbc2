namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// Whether an instance owes answers and has begun none for a while. A process that is stopped or swapped out still
/// takes connections, and says nothing for long before a time-out tells; what is known by then keeps others away.
/// </summary>
internal sealed class Silence(TimeSpan limit, TimeProvider time)
{
    private int awaited; // Requests whose answer has not begun. Interlocked.
    private long lastSign; // Timestamp of the last answer's beginning, or of the first request that waits.

    /// <summary>May be wrong for the moment of a race, which costs one choice.</summary>
    public bool IsSilent(long now) =>
        Volatile.Read(ref awaited) > 0 && time.GetElapsedTime(Volatile.Read(ref lastSign), now) > limit;

    public void Asked(long now)
    {
        if (Interlocked.Increment(ref awaited) == 1) Volatile.Write(ref lastSign, now);
    }

    /// <summary>The wait of one request is over.</summary>
    /// <param name="answered">True when the instance began an answer.</param>
    public void Ended(bool answered, long now)
    {
        if (answered) Volatile.Write(ref lastSign, now);
        Interlocked.Decrement(ref awaited);
    }
}
