namespace Groundwork.Kernel.Hosting.Streaming;

/// <summary>
/// Reminds streams whose peer has heard nothing for long, so that both ends notice a dead connection: one timer for all
/// of them, which rests while there are none.
/// </summary>
/// <param name="silence">After which a stream is reminded, at most <see cref="Step"/> later.</param>
public sealed class StreamPulse
{
    /// <summary>How often it looks. To look at ten thousand streams takes a fraction of a millisecond.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new(); // Held while the streams are looked at, and nothing else.
    private readonly HashSet<StreamWait> streams = [];
    private readonly TimeProvider time;
    private readonly TimeSpan silence;
    private readonly ITimer timer;

    public StreamPulse(TimeProvider time, TimeSpan silence)
    {
        this.time = time;
        this.silence = silence;
        timer = time.CreateTimer(
            static pulse => ((StreamPulse?)pulse)?.Beat(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A stream begins; nothing was told yet.</summary>
    public void Join(StreamWait stream)
    {
        stream.ToldAt = time.GetTimestamp();
        lock (gate)
        {
            streams.Add(stream);
            if (streams.Count == 1) timer.Change(Step, Step);
        }
    }

    public void Leave(StreamWait stream)
    {
        lock (gate)
        {
            if (streams.Remove(stream) && streams.Count == 0)
                timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private void Beat()
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            foreach (var stream in streams)
                if (time.GetElapsedTime(stream.ToldAt, now) >= silence) stream.Remind();
        }
    }
}
