namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>
/// Refuses requests while the process has more than it can do, those that matter least first: by the number under way,
/// and by how long work waits for a thread. A wait counts when it was never shorter for a second: a burst is none.
/// </summary>
internal sealed class ProcessGuard : IDisposable
{
    /// <summary>How often the wait for a thread is measured.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);

    /// <summary>Measurements of a second, of which the shortest counts.</summary>
    private const int Kept = 10;

    // Of the most that may be under way, in percent; by importance.
    private static readonly int[] Shares = [70, 90, 100];

    private readonly RequestsUnderWay underWay;
    private readonly GatewayOptions options;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private readonly long[] waits = new long[Kept]; // Ticks; of the one that measures.
    private readonly long[] refused = new long[Importances.Count]; // Interlocked.
    private int next; // Of the one that measures.
    private int measuring; // 1 while a measurement waits for its thread.
    private long asked; // Timestamp; of the timer.
    private long wait; // Ticks. Interlocked.

    public ProcessGuard(RequestsUnderWay underWay, GatewayOptions options, TimeProvider time)
    {
        this.underWay = underWay;
        this.options = options;
        this.time = time;
        timer = time.CreateTimer(static self => ((ProcessGuard)self!).Measure(), this, Every, Every);
    }

    /// <summary>How long work waits for a thread: the shortest time of the last second.</summary>
    public TimeSpan ThreadWait => TimeSpan.FromTicks(Interlocked.Read(ref wait));

    /// <summary>True when a request must be refused; it is under way already, and counted as refused then.</summary>
    public bool Refuses(Importance importance)
    {
        if (!WouldRefuse(importance)) return false;
        Interlocked.Increment(ref refused[(int)importance]);
        return true;
    }

    /// <summary>The same for who only looks.</summary>
    public bool WouldRefuse(Importance importance) =>
        Refuses(importance, underWay.Count, options.MaxUnderWay, ThreadWait, options.MaxThreadWait);

    public int MaxUnderWay => options.MaxUnderWay;

    public TimeSpan MaxThreadWait => options.MaxThreadWait;

    /// <summary>Requests that were refused.</summary>
    public long Refused(Importance importance) => Interlocked.Read(ref refused[(int)importance]);

    public static bool Refuses(Importance importance, int count, int most, TimeSpan wait, TimeSpan longest)
    {
        if ((long)count * 100 > (long)most * Shares[(int)importance]) return true;
        return importance switch
        {
            Importance.Low => wait >= longest,
            Importance.Normal => wait >= 4 * longest,
            _ => false, // What is critical is refused by number alone.
        };
    }

    public void Dispose() => timer.Dispose();

    private void Measure()
    {
        if (Interlocked.Exchange(ref measuring, 1) != 0) return; // The last one still waits, and will tell.
        asked = time.GetTimestamp();
        ThreadPool.UnsafeQueueUserWorkItem(static self => self.Take(), this, preferLocal: false);
    }

    private void Take()
    {
        waits[next] = time.GetElapsedTime(asked).Ticks;
        next = (next + 1) % Kept;
        var least = long.MaxValue;
        foreach (var one in waits) least = Math.Min(least, one);
        Interlocked.Exchange(ref wait, least);
        Volatile.Write(ref measuring, 0);
    }
}
