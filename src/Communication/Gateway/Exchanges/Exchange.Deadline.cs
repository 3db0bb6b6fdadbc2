using System.Buffers.Text;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Timing;

namespace Groundwork.Communication.Gateway.Exchanges;

// How long the whole of it may take, a try of it, and how often it was tried.
internal sealed partial class Exchange
{
    private const long Never = long.MaxValue;

    /// <summary>A longer wait is none that anybody waits for.</summary>
    private const long MaxDeadlineMs = 24L * 60 * 60 * 1000;

    /// <summary>Who counts further has lost count.</summary>
    private const long MaxAttempt = 1000;

    private readonly Deadline ending; // The end of a try, and after its answer has begun of all.
    private long due = Never; // Timestamp of the end of all.
    private bool endsAll; // What the deadline is armed for.
    private volatile bool outOfTime; // It was the end of all that expired.

    /// <summary>Instances that have failed this request.</summary>
    public List<Upstream> Failed { get; } = [];

    /// <summary>Which try of the client's call this is, as instances are told; counted on from what a peer that is
    /// trusted says.</summary>
    public int Attempt { get; set; } = 1;

    /// <summary>True once the time for the whole request is over.</summary>
    public bool IsOverdue => outOfTime || (due != Never && time.GetTimestamp() >= due);

    /// <summary>Milliseconds that somebody still waits for the answer; null when nobody says how long.</summary>
    public long? LeftMs => due == Never ? null : Math.Max(0, (long)Left.TotalMilliseconds);

    private TimeSpan Left => time.GetElapsedTime(time.GetTimestamp(), due);

    /// <summary>Takes note of how long the route, and a peer that is trusted, wait.</summary>
    public void TakeDeadline()
    {
        if (Route.TotalTimeout != Timeout.InfiniteTimeSpan) due = Began + Ticks(Route.TotalTimeout);
        if (!Trusted) return;
        if (Number("groundwork-deadline-ms"u8) is { } wait)
            due = Math.Min(due, time.GetTimestamp() + Ticks(TimeSpan.FromMilliseconds(Math.Min(wait, MaxDeadlineMs))));
        Attempt = (int)Math.Clamp(Number("groundwork-attempt"u8) ?? 1, 1, MaxAttempt);
    }

    /// <summary>A wait that ends with all at the latest.</summary>
    public TimeSpan Within(TimeSpan limit)
    {
        if (due == Never || Left > limit) return limit;
        return Left > TimeSpan.Zero ? Left : TimeSpan.FromMilliseconds(1);
    }

    private long Ticks(TimeSpan length) => (long)(length.TotalSeconds * time.TimestampFrequency);

    // Who sends something else says nothing that we could hold ourselves to.
    private long? Number(ReadOnlySpan<byte> name) =>
        Request.Fields.TryGet(name, out var text) && Utf8Parser.TryParse(text, out long number, out var length)
        && length == text.Length
            ? Math.Max(0, number)
            : null;

    private TimeSpan ConnectLimit() => Within(
        Route.TryTimeout != Timeout.InfiniteTimeSpan && Route.TryTimeout < Route.ConnectTimeout
            ? Route.TryTimeout
            : Route.ConnectTimeout);

    /// <summary>Limits the rest of a try, up to the head of its answer.</summary>
    private void LimitTry(IEndable to, long began)
    {
        if (Route.TryTimeout == Timeout.InfiniteTimeSpan && due == Never) return;
        var left = Route.TryTimeout == Timeout.InfiniteTimeSpan
            ? TimeSpan.MaxValue
            : Route.TryTimeout - time.GetElapsedTime(began);
        endsAll = due != Never && Left <= left;
        if (endsAll) left = Left;
        ending.Arm(left > TimeSpan.Zero ? left : TimeSpan.Zero, to);
    }

    /// <summary>The answer has begun: from now on only the end of all counts.</summary>
    private void LimitRest(IEndable from)
    {
        if (due == Never || Answer.Status == 101) return;
        endsAll = true;
        ending.Arm(Left > TimeSpan.Zero ? Left : TimeSpan.Zero, from);
    }

    private void LiftEnding()
    {
        if (ending.Disarm()) return;
        timedOut = true;
        if (endsAll) outOfTime = true;
    }

    private void ClearDeadline()
    {
        due = Never;
        outOfTime = endsAll = false;
        Attempt = 1;
        Failed.Clear();
    }
}
