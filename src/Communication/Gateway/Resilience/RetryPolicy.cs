namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>How often a request is sent, and after what wait: compiled.</summary>
/// <param name="Statuses">One bit for each of 502, 503 and 504 that counts as a failure.</param>
internal sealed record RetryPolicy(int Tries, int Statuses, int BackoffMs, int MaxBackoffMs)
{
    private const int FirstStatus = 502;

    /// <summary>One more, at once: another instance has nothing to recover from.</summary>
    public static RetryPolicy Default { get; } = new(2, 0, 0, 0);

    public static RetryPolicy? Of(RetrySpec? spec)
    {
        if (spec is null) return null;
        var bits = 0;
        foreach (var status in spec.Statuses ?? []) bits |= 1 << (status - FirstStatus);
        return new RetryPolicy(spec.Tries, bits, spec.BackoffMs, spec.MaxBackoffMs);
    }

    public bool Retries(int status) =>
        status is >= FirstStatus and <= 504 && (Statuses & 1 << (status - FirstStatus)) != 0;

    /// <summary>The wait after a try: anything up to a bound that doubles (full jitter), so that those who failed
    /// together do not come back together.</summary>
    /// <param name="tried">1 after the first.</param>
    public TimeSpan WaitAfter(int tried, Random random)
    {
        if (BackoffMs == 0) return TimeSpan.Zero;
        var most = Math.Min(MaxBackoffMs, (long)BackoffMs << Math.Min(tried - 1, 20));
        return TimeSpan.FromMilliseconds(random.NextDouble() * most);
    }
}
