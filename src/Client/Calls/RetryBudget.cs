namespace Groundwork.Client.Calls;

/// <summary>
/// How many retries and hedges there may be beside the calls of the last ten seconds. What fails for everybody is then
/// not called many times over, while a few failures are always retried. Thread-safe; calls are counted without a lock.
/// </summary>
internal sealed class RetryBudget(BudgetPolicy policy, TimeProvider time)
{
    /// <summary>Long enough for a burst of failures to draw on the calls before it, short enough to forget.</summary>
    private const int WindowSeconds = 10;

    private readonly Lock taking = new();
    private readonly Slot[] slots = Enumerable.Range(0, WindowSeconds).Select(_ => new Slot()).ToArray();

    public BudgetPolicy Policy => policy;

    /// <summary>Counts a call's first try.</summary>
    /// <param name="timestamp">Now, of the clock's timestamps.</param>
    public void Called(long timestamp) => Interlocked.Increment(ref At(Second(timestamp)).Calls);

    /// <summary>Takes a retry; false when there is none left.</summary>
    public bool TryTake()
    {
        var second = Second(time.GetTimestamp());
        lock (taking)
        {
            var calls = 0L;
            var taken = 0L;
            foreach (var slot in slots)
            {
                if (Volatile.Read(ref slot.Second) <= second - WindowSeconds) continue;
                calls += Volatile.Read(ref slot.Calls);
                taken += Volatile.Read(ref slot.Taken);
            }
            if (taken >= (policy.Ratio * calls) + (policy.MinPerSecond * WindowSeconds)) return false;
            Interlocked.Increment(ref At(second).Taken);
            return true;
        }
    }

    private long Second(long timestamp) => timestamp / time.TimestampFrequency;

    // A second that begins takes the place of the one ten before it; a lost race costs a call more or less.
    private Slot At(long second)
    {
        var slot = slots[second % WindowSeconds];
        var seen = Volatile.Read(ref slot.Second);
        if (seen < second && Interlocked.CompareExchange(ref slot.Second, second, seen) == seen)
        {
            Volatile.Write(ref slot.Calls, 0);
            Volatile.Write(ref slot.Taken, 0);
        }
        return slot;
    }

    private sealed class Slot
    {
        public long Second = long.MinValue;
        public int Calls;
        public int Taken;
    }
}
