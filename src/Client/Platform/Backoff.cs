namespace Groundwork.Client.Platform;

/// <summary>
/// Waits between failed tries: each twice the last, less up to half at random so that many clients of one platform do
/// not come back in step. Used by one loop.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    // Zero: the first wait is next.
    private TimeSpan last;

    public TimeSpan Next()
    {
        last = last == TimeSpan.Zero ? first : TimeSpan.FromTicks(Math.Min(last.Ticks * 2, longest.Ticks));
        return last * (0.5 + (Random.Shared.NextDouble() / 2));
    }

    public void Reset() => last = TimeSpan.Zero;
}
