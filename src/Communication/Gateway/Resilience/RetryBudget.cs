namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>
/// How many requests may be sent once more beside those of the last ten seconds: what fails for everybody is then not
/// called many times over, while a few failures are always retried. Thread-safe; requests are counted without a
/// lock.
/// </summary>
internal sealed class RetryBudget(BudgetSpec spec, TimeProvider time)
{
    /// <summary>Long enough for a burst of failures to draw on what was before it, short enough to forget.</summary>
    public const int WindowSeconds = 10;

    private readonly Lock taking = new();
    private readonly Slot[] slots = Array.ConvertAll(new int[WindowSeconds], _ => new Slot());

    private long refused; // Under the taking, read without it.

    public BudgetSpec Spec => spec;

    /// <summary>Counts a request's first try.</summary>
    /// <param name="now">Timestamp.</param>
    public void Called(long now) => Interlocked.Increment(ref At(now / time.TimestampFrequency).Calls);

    /// <summary>Takes another try; false when there is none left.</summary>
    public bool TryTake()
    {
        var second = Second();
        lock (taking)
        {
            var (calls, taken) = Sum(second);
            if (taken * 100 >= Hundredfold(calls))
            {
                refused++;
                return false;
            }
            Interlocked.Increment(ref At(second).Taken);
            return true;
        }
    }

    /// <summary>What was called and taken in the last ten seconds, what is left now, and how often there was nothing.
    /// </summary>
    public (long Calls, long Taken, long Left, long Refused) Read()
    {
        var (calls, taken) = Sum(Second());
        var left = Math.Max(0, ((Hundredfold(calls) + 99) / 100) - taken);
        return (calls, taken, left, Volatile.Read(ref refused));
    }

    // A hundred times as many as may be taken beside so many calls.
    private long Hundredfold(long calls) => (spec.Percent * calls) + (spec.MinPerSecond * WindowSeconds * 100L);

    private (long Calls, long Taken) Sum(long second)
    {
        var (calls, taken) = (0L, 0L);
        foreach (var slot in slots)
        {
            if (Volatile.Read(ref slot.Second) <= second - WindowSeconds) continue;
            calls += Volatile.Read(ref slot.Calls);
            taken += Volatile.Read(ref slot.Taken);
        }
        return (calls, taken);
    }

    private long Second() => time.GetTimestamp() / time.TimestampFrequency;

    // A second that begins takes the place of the one ten before it; a lost race costs a request more or less.
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
