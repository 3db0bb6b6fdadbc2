using System.Threading.Tasks.Sources;

namespace Groundwork.Kernel.Hosting.Streaming;

/// <summary>Why the loop of a stream goes on.</summary>
public enum Woken
{
    /// <summary>There is news.</summary>
    News,

    /// <summary>The peer has heard nothing for long.</summary>
    Silence,

    /// <summary>The stream is to end.</summary>
    Ended,
}

/// <summary>
/// Where the loop of one stream waits. Ten thousand of them wait at once and are woken by one change, so a wait is one
/// object that is used again: no task, timer or registration of its own. One waiter at a time; anyone may wake it.
/// </summary>
public sealed class StreamWait : IValueTaskSource<Woken>
{
    private readonly Lock gate = new(); // Innermost lock.
    private ManualResetValueTaskSourceCore<Woken> source; // Whoever has ended the wait completes it, once.
    private long toldAt; // Written by the loop, read by the pulse.
    private bool waits;
    private bool isSet;
    private bool ended;

    /// <summary>When the peer was told something last, as the time provider stamps it; kept by the loop.</summary>
    public long ToldAt
    {
        get => Volatile.Read(ref toldAt);
        set => Volatile.Write(ref toldAt, value);
    }

    /// <summary>Completes with the next waking, or at once if there was one since the last wait.</summary>
    public ValueTask<Woken> WaitAsync()
    {
        lock (gate)
        {
            if (ended) return ValueTask.FromResult(Woken.Ended);
            if (isSet)
            {
                isSet = false;
                return ValueTask.FromResult(Woken.News);
            }
            source.Reset();
            waits = true;
            return new ValueTask<Woken>(this, source.Version);
        }
    }

    /// <summary>There is news; the loop goes on elsewhere. May be called under locks.</summary>
    public void Wake()
    {
        if (TryEndWait(news: true)) Complete(Woken.News, here: false);
    }

    /// <summary>
    /// There is news; the loop goes on here, until it waits for something. Not to be called under locks.
    /// </summary>
    public void WakeHere()
    {
        if (TryEndWait(news: true)) Complete(Woken.News, here: true);
    }

    /// <summary>The peer has heard nothing for long; lost when the loop is at work.</summary>
    public void Remind()
    {
        if (TryEndWait(news: false)) Complete(Woken.Silence, here: false);
    }

    /// <summary>This wait and every later one ends.</summary>
    public void End()
    {
        lock (gate) ended = true;
        if (TryEndWait(news: false)) Complete(Woken.Ended, here: false);
    }

    /// <summary>Ends with the token. Dispose what it returns when the stream is over.</summary>
    public CancellationTokenRegistration EndWith(CancellationToken token) =>
        token.UnsafeRegister(static wait => ((StreamWait?)wait)?.End(), this);

    Woken IValueTaskSource<Woken>.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Woken>.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource<Woken>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);

    private bool TryEndWait(bool news)
    {
        lock (gate)
        {
            if (waits)
            {
                waits = false;
                return true;
            }
            if (news) isSet = true;
            return false;
        }
    }

    private void Complete(Woken why, bool here)
    {
        source.RunContinuationsAsynchronously = !here;
        source.SetResult(why);
    }
}
