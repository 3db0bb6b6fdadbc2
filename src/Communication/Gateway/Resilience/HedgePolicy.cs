namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>
/// When a request that takes long is sent to another instance as well, and what has come of it. Outlives changes of
/// everything but its own words. Thread-safe.
/// </summary>
internal sealed class HedgePolicy(HedgeSpec spec, TimeProvider time)
{
    private readonly RetryBudget budget = new(new BudgetSpec(spec.Percent, MinPerSecond: 0), time);
    private readonly LatencyDigest digest = new(time);
    private long won; // Interlocked, as what follows.
    private long lost;
    private long refused;

    public HedgeSpec Spec => spec;

    /// <summary>Requests that another instance has answered first.</summary>
    public long Won => Interlocked.Read(ref won);

    /// <summary>Requests that were sent a second time in vain.</summary>
    public long Lost => Interlocked.Read(ref lost);

    /// <summary>Requests that were late and not sent a second time, since a budget did not let them.</summary>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>After so long a request is late; null while too little is measured to say so.</summary>
    public TimeSpan? After => digest.P95 is not { } measured ? null
        : measured.TotalMilliseconds > spec.FloorMs ? measured
        : TimeSpan.FromMilliseconds(spec.FloorMs);

    /// <summary>Counts a request that could be sent a second time.</summary>
    /// <param name="now">Timestamp.</param>
    public void Called(long now) => budget.Called(now);

    /// <summary>An answer has begun.</summary>
    public void Took(TimeSpan length) => digest.Took(length);

    /// <summary>Takes a second try, out of its own budget and that of retries; false when one has nothing left.
    /// </summary>
    public bool TryTake(RetryBudget shared)
    {
        if (budget.TryTake() && shared.TryTake()) return true;
        Interlocked.Increment(ref refused);
        return false;
    }

    /// <summary>A second try is over.</summary>
    public void Ended(bool first) => Interlocked.Increment(ref first ? ref won : ref lost);
}
