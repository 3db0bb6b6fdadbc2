namespace Groundwork.Communication.Gateway.Timing;

/// <summary>
/// All waits of a gateway that have an end, looked at together a few times a second: setting and lifting a deadline is
/// one write to memory each, and no timer is made for a request. One that is due expires up to
/// <see cref="Granularity"/> late.
/// </summary>
internal sealed class Deadlines : IDisposable
{
    /// <summary>How often they are looked at: the shortest limits there are, of 10 ms, are rounded up to it.</summary>
    public static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly List<Deadline> all = []; // Under the gate.
    private readonly List<(Deadline Deadline, object Target)> due = []; // Of the timer's callback, which runs alone.
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private int looking; // 1 while a callback runs: a slow one is not overtaken.

    public Deadlines(TimeProvider time)
    {
        this.time = time;
        timer = time.CreateTimer(static self => ((Deadlines)self!).Look(), this, Granularity, Granularity);
    }

    /// <summary>How many wait for something right now.</summary>
    public int Armed
    {
        get
        {
            lock (gate) return all.Count(deadline => deadline.IsArmed);
        }
    }

    public Deadline Add(IExpiring owner)
    {
        var deadline = new Deadline(owner, time);
        lock (gate)
        {
            deadline.Place = all.Count;
            all.Add(deadline);
        }
        return deadline;
    }

    public void Remove(Deadline deadline)
    {
        deadline.Disarm();
        lock (gate)
        {
            var last = all[^1];
            all[deadline.Place] = last;
            last.Place = deadline.Place;
            all.RemoveAt(all.Count - 1);
        }
    }

    public void Dispose() => timer.Dispose();

    private void Look()
    {
        if (Interlocked.Exchange(ref looking, 1) != 0) return;
        var now = time.GetTimestamp();
        lock (gate)
            foreach (var deadline in all)
                if (deadline.TryExpire(now) is { } target) due.Add((deadline, target));
        // Outside the gate: to expire is to close a socket, and whoever waits for it may run here.
        foreach (var (deadline, target) in due) deadline.Owner.Expire(target);
        due.Clear();
        Volatile.Write(ref looking, 0);
    }
}

/// <summary>Is told, on a timer's thread, that a wait took too long.</summary>
internal interface IExpiring
{
    /// <param name="target">What the deadline was armed for: the owner may be waiting for something else by now.
    /// </param>
    void Expire(object target);
}

/// <summary>
/// The limit of one wait at a time. Armed and disarmed by its owner alone; it expires once for each arming.
/// </summary>
internal sealed class Deadline(IExpiring owner, TimeProvider time)
{
    private const long Never = long.MaxValue;
    private const long Over = long.MinValue;

    private long due = Never; // Timestamp. Interlocked.
    private object? target; // Written before due.

    public IExpiring Owner => owner;

    /// <summary>Where it stands in the list; under that one's gate.</summary>
    public int Place { get; set; }

    public bool IsArmed => Volatile.Read(ref due) is not (Never or Over);

    /// <summary>True from when it expired until it is armed again.</summary>
    public bool IsOver => Volatile.Read(ref due) == Over;

    public void Arm(TimeSpan limit, object waitedFor) => Arm(limit, waitedFor, time.GetTimestamp());

    /// <param name="now">The clock's timestamp, of one who has just looked at it.</param>
    public void Arm(TimeSpan limit, object waitedFor, long now)
    {
        target = waitedFor;
        Volatile.Write(ref due, limit == Timeout.InfiniteTimeSpan
            ? Never
            : now + (long)(limit.TotalSeconds * time.TimestampFrequency));
    }

    /// <summary>Lifts the limit. False when it has expired: what was waited for is being ended, or is ended.</summary>
    public bool Disarm() => Volatile.Read(ref due) == Never || Interlocked.Exchange(ref due, Never) != Over;

    /// <summary>What was waited for, when it is due.</summary>
    internal object? TryExpire(long now)
    {
        var before = Volatile.Read(ref due);
        if (before > now || before == Over) return null;
        var waitedFor = target;
        return Interlocked.CompareExchange(ref due, Over, before) == before ? waitedFor : null;
    }
}
