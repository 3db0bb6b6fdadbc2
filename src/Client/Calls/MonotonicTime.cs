namespace Groundwork.Client.Calls;

/// <summary>
/// A clock whose hands only go forward: Polly's breaker reckons with the time of day, and an hour set back would keep
/// it open for that hour.
/// </summary>
internal sealed class MonotonicTime(TimeProvider inner) : TimeProvider
{
    private readonly DateTimeOffset start = inner.GetUtcNow();
    private readonly long began = inner.GetTimestamp();

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => start + inner.GetElapsedTime(began);

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);
}
