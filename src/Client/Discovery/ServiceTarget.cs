using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Discovery;

/// <summary>How a try to call an instance ended.</summary>
internal enum CallOutcome
{
    /// <summary>An answer came, whatever its status.</summary>
    Answered,

    /// <summary>No connection could be made.</summary>
    ConnectFailed,

    /// <summary>Connected, and no answer in time, or broken off.</summary>
    NoAnswer,
}

/// <summary>
/// An instance as this process calls it, with what calling it has taught: lives on while lists are swapped around it.
/// Thread-safe without locks; a lost race costs one failure more or less.
/// </summary>
internal sealed class ServiceTarget(InstanceDocument instance, string id, TimeProvider time)
{
    /// <summary>Failures in a row after which an instance is left out.</summary>
    private const int FailuresToEject = 2;

    private static readonly TimeSpan FirstEjection = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestEjection = TimeSpan.FromSeconds(60);

    /// <summary>
    /// An instance that is doubted is tried with calls that can be repeated elsewhere. When none comes for so long, any
    /// call may try it.
    /// </summary>
    private static readonly TimeSpan TrialPatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// An instance that owes answers and has begun none for so long is doubted before a time-out tells: a process that
    /// is stopped or swapped out still takes connections.
    /// </summary>
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(1);

    private static readonly UriCreationOptions AsWritten =
        new() { DangerousDisablePathAndQueryCanonicalization = true };

    // Scheme, host and port; an IPv6 address gets its brackets here.
    private readonly string root = new UriBuilder(instance.Scheme ?? Uri.UriSchemeHttp, instance.Host, instance.Port)
        .Uri.GetLeftPart(UriPartial.Authority);

    private int inFlight;
    private int awaited; // Calls whose answer has not begun.
    private long lastSign; // Timestamp of the last answer's beginning, or of the first call that waits.
    private int trials; // 0 or 1.
    private long lastFailure; // Timestamp.
    private int failures;
    private int ejections;

    // Timestamp of the clock until which it is left out; 0 when it is not.
    private long ejectedUntil;

    // What was not yet reported to the platform, by outcome.
    private readonly int[] unreported = new int[3];

    public string Id { get; } = id;

    public string Scheme { get; } = instance.Scheme ?? Uri.UriSchemeHttp;

    public string Host { get; } = instance.Host;

    public int Port { get; } = instance.Port;

    public long? Incarnation { get; } = instance.Incarnation;

    public string? Zone { get; } = instance.Zone;

    public string? Version { get; } = instance.Version;

    /// <summary>Of the id, the same in every process.</summary>
    public ulong Hash { get; } = StableHash.Of(id);

    /// <summary>Above 0.</summary>
    public int Weight { get; } = instance.Weight ?? 100;

    public int InFlight => Volatile.Read(ref inFlight);

    public bool IsEjected => Volatile.Read(ref ejectedUntil) is > 0 and var until && time.GetTimestamp() < until;

    /// <summary>
    /// True while something speaks against it: its last call failed, or it is silent. Then one call at a time may find
    /// out.
    /// </summary>
    private bool IsDoubted => Volatile.Read(ref failures) != 0 || IsSilent;

    private bool IsSilent =>
        Volatile.Read(ref awaited) > 0 && time.GetElapsedTime(Volatile.Read(ref lastSign)) > SilenceLimit;

    /// <summary>True when nothing speaks against this call.</summary>
    /// <param name="repeatable">True when the call can be repeated elsewhere if it fails here.</param>
    public bool CanTake(bool repeatable)
    {
        if (IsEjected) return false;
        if (!IsDoubted) return true;
        if (Volatile.Read(ref trials) != 0) return false;
        if (repeatable) return true;
        var since = Math.Max(Volatile.Read(ref lastFailure), Volatile.Read(ref ejectedUntil));
        return !IsSilent && time.GetElapsedTime(since) >= TrialPatience;
    }

    /// <summary>
    /// True when this process need not learn anew: the same place, the same run, and the same weight.
    /// </summary>
    public bool Is(InstanceDocument other) =>
        Host == other.Host && Port == other.Port && Incarnation == other.Incarnation && Zone == other.Zone
        && Version == other.Version
        && Weight == (other.Weight ?? 100) && Scheme == (other.Scheme ?? Uri.UriSchemeHttp);

    /// <summary>The same path and query at this instance, sent as the caller wrote them.</summary>
    public Uri Rewrite(Uri asked) => new(string.Concat(root, asked.PathAndQuery), AsWritten);

    /// <summary>Takes a place for a call; null when another call took the trial meanwhile.</summary>
    public CallPlace? TryBegin(ChoiceReason reason)
    {
        var isTrial = IsDoubted;
        if (isTrial && Interlocked.CompareExchange(ref trials, 1, 0) != 0) return null;
        Interlocked.Increment(ref inFlight);
        return new CallPlace(this, isTrial, reason);
    }

    /// <summary>Takes a place whatever speaks against it, where there is nobody better.</summary>
    public CallPlace Begin(ChoiceReason reason)
    {
        Interlocked.Increment(ref inFlight);
        return new CallPlace(this, isTrial: false, reason);
    }

    public void End() => Interlocked.Decrement(ref inFlight);

    public void EndTrial() => Volatile.Write(ref trials, 0);

    public void Asked()
    {
        if (Interlocked.Increment(ref awaited) == 1) Volatile.Write(ref lastSign, time.GetTimestamp());
    }

    public void Heard(long? answeredAt)
    {
        if (answeredAt is { } sign) Volatile.Write(ref lastSign, sign);
        Interlocked.Decrement(ref awaited);
    }

    /// <summary>Learns from a try. True: this failure has the instance left out.</summary>
    public bool Learn(CallOutcome outcome)
    {
        Interlocked.Increment(ref unreported[(int)outcome]);
        if (outcome == CallOutcome.Answered)
        {
            if (Volatile.Read(ref failures) == 0) return false;
            Volatile.Write(ref failures, 0);
            Volatile.Write(ref ejections, 0);
            Volatile.Write(ref ejectedUntil, 0);
            return false;
        }
        Volatile.Write(ref lastFailure, time.GetTimestamp());
        if (Interlocked.Increment(ref failures) < FailuresToEject || IsEjected) return false;
        var doublings = Math.Min(Interlocked.Increment(ref ejections) - 1, 8);
        var length = TimeSpan.FromTicks(Math.Min(FirstEjection.Ticks << doublings, LongestEjection.Ticks));
        // Then it is on trial, one call at a time: the next failure has it left out again, for twice as long.
        Volatile.Write(ref ejectedUntil, time.GetTimestamp() + (long)(length.TotalSeconds * time.TimestampFrequency));
        return true;
    }

    /// <summary>Takes what was not yet reported of an outcome.</summary>
    public int TakeUnreported(CallOutcome outcome) => Interlocked.Exchange(ref unreported[(int)outcome], 0);
}
