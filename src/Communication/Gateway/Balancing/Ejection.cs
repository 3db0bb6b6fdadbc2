namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// Whether an instance is left out because calls to it failed. One failure makes it suspect: only what can be repeated
/// elsewhere goes to it until an answer comes. After some failures in a row it is ejected for a time that doubles with
/// every further round; then it is on trial, which is being suspect once more.
/// </summary>
internal sealed class Ejection(GatewayOptions options, TimeProvider time)
{
    private readonly Lock gate = new();
    private int failures; // In a row. Under the gate, read without it.
    private int rounds; // Ejections since it last proved itself. Under the gate.
    private long until; // Timestamp; 0 when neither ejected nor on trial. Under the gate, read without it.
    private long failed; // Timestamp of the last failure. Under the gate, read without it.
    private long returned; // Timestamp of the last answer after an ejection. Under the gate.

    /// <summary>Asked before it is ejected: not so many may be at once. Set by whoever knows the others.</summary>
    public Func<bool>? MayBegin { get; set; }

    /// <summary>True while it is ejected or on trial.</summary>
    public bool IsOut => Volatile.Read(ref until) != 0;

    /// <summary>Until it is on trial; zero where it is not ejected.</summary>
    public TimeSpan Left
    {
        get
        {
            var (end, now) = (Volatile.Read(ref until), time.GetTimestamp());
            return end > now ? time.GetElapsedTime(now, end) : TimeSpan.Zero;
        }
    }

    /// <summary>True when the last call failed, and that has not had it ejected.</summary>
    public bool IsSuspect => Volatile.Read(ref failures) != 0 && !IsOut;

    /// <summary>
    /// True when a request may go to it; <paramref name="repeatable"/> when the request can be repeated elsewhere.
    /// </summary>
    public bool Allows(bool repeatable, long now)
    {
        var end = Volatile.Read(ref until);
        if (end == 0)
        {
            return repeatable || Volatile.Read(ref failures) == 0
                || time.GetElapsedTime(Volatile.Read(ref failed), now) >= options.FirstEjection;
        }
        return now >= end && (repeatable || time.GetElapsedTime(end, now) >= options.TrialPatience);
    }

    public void Succeed()
    {
        if (Volatile.Read(ref failures) == 0 && !IsOut) return;
        lock (gate)
        {
            failures = 0;
            // An answer that was under way when the instance was ejected says nothing about now.
            if (until == 0 || time.GetTimestamp() < until) return;
            until = 0;
            returned = time.GetTimestamp();
        }
    }

    /// <summary>Counts a failure. The time it is ejected for, when this one ejected it.</summary>
    public TimeSpan? Fail()
    {
        lock (gate)
        {
            failures++;
            var now = time.GetTimestamp();
            Volatile.Write(ref failed, now);
            var onTrial = until != 0;
            if (onTrial && now < until) return null; // Was under way before the ejection, which stands.
            if (!onTrial && (failures < options.FailuresToEject || MayBegin?.Invoke() == false)) return null;
            // One that has answered for the longest time there is starts anew.
            if (!onTrial && returned != 0 && time.GetElapsedTime(returned, now) > options.LongestEjection) rounds = 0;
            var ticks = options.FirstEjection.Ticks << Math.Min(rounds, 20);
            var length = TimeSpan.FromTicks(Math.Min(ticks, options.LongestEjection.Ticks));
            rounds++;
            // Never 0, which means "in".
            Volatile.Write(ref until, Math.Max(1, now + (long)(length.TotalSeconds * time.TimestampFrequency)));
            return length;
        }
    }
}
