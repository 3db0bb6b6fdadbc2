namespace Groundwork.Load;

/// <summary>
/// Counts durations in buckets whose width is a thirty-second of their value, so that a percentile is within 3.2 %. One
/// thread writes; the runner adds the workers' up when they have ended.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 5;
    private const int Subs = 1 << SubBits;

    private readonly long[] counts = new long[(64 - SubBits) * Subs];

    public long Count { get; private set; }

    public void Add(TimeSpan duration)
    {
        counts[Bucket(Math.Max(0, duration.Ticks))]++;
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < counts.Length; i++) counts[i] += other.counts[i];
        Count += other.Count;
    }

    /// <summary>The duration that this part of all, between 0 and 1, does not exceed.</summary>
    public TimeSpan Percentile(double part)
    {
        var rank = (long)Math.Ceiling(part * Count);
        for (var i = 0; i < counts.Length; i++)
            if ((rank -= counts[i]) <= 0) return TimeSpan.FromTicks(UpperTicks(i));
        return TimeSpan.Zero;
    }

    private static int Bucket(long ticks)
    {
        if (ticks < Subs) return (int)ticks;
        var shift = 63 - long.LeadingZeroCount(ticks) - SubBits;
        return (int)((shift + 1) * Subs + (ticks >> (int)shift) - Subs);
    }

    private static long UpperTicks(int bucket)
    {
        if (bucket < Subs) return bucket;
        var shift = bucket / Subs - 1;
        return ((long)(bucket % Subs + Subs + 1) << shift) - 1;
    }
}
