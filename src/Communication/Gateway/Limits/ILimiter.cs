namespace Groundwork.Communication.Gateway.Limits;

/// <summary>
/// Counts the requests of one caller in one of the ways there are. Times are ticks of <see cref="TimeSpan"/> since the
/// gateway began. Used under its entry's gate.
/// </summary>
internal interface ILimiter
{
    /// <summary>Takes one request.</summary>
    /// <param name="cost">How much it counts: more than 1 where nodes that do not hear of each other part the
    /// limit.</param>
    Verdict Take(LimitShape shape, long now, int cost);

    /// <summary>Counts what other nodes have let pass.</summary>
    void Charge(LimitShape shape, long now, long uses);

    /// <summary>What is left now, for who only looks.</summary>
    Room Look(LimitShape shape, long now);

    /// <summary>One that was let pass is over.</summary>
    void Return();

    /// <summary>True when it is as if nobody had ever asked.</summary>
    bool IsIdle(LimitShape shape, long now);
}

/// <summary>How many of one caller: compiled.</summary>
/// <param name="Requests">In the period, or at once; 0: never.</param>
/// <param name="Period">Ticks.</param>
/// <param name="Burst">Of a bucket.</param>
/// <param name="MaxWait">Of a pace, in ticks.</param>
/// <param name="WarmUp">Ticks; 0: none.</param>
internal sealed record LimitShape(int Requests, long Period, int Burst, long MaxWait, long WarmUp);

/// <summary>What becomes of one request.</summary>
/// <param name="Remaining">How many more may come at once.</param>
/// <param name="Wait">When let pass: until its turn. When not: until another try makes sense. In ticks.</param>
/// <param name="Reset">Until all may come again, in ticks.</param>
internal readonly record struct Verdict(bool Passes, long Remaining, long Wait, long Reset);

/// <summary>What is left of a limit.</summary>
/// <param name="Remaining">How many more may come at once.</param>
/// <param name="Reset">Until all may come again, in ticks.</param>
internal readonly record struct Room(long Remaining, long Reset);

/// <summary>How much of a limit is open to a caller who comes after a pause: a third, growing to all.</summary>
internal struct Warmth
{
    private const double Cold = 1.0 / 3;

    private long begun;
    private long last;
    private bool isUsed;

    public double Share(LimitShape shape, long now)
    {
        if (shape.WarmUp == 0) return 1;
        if (!isUsed || now - last > shape.WarmUp) (begun, isUsed) = (now, true);
        last = now;
        return Look(shape, now);
    }

    /// <summary>The same for who only looks.</summary>
    public readonly double Look(LimitShape shape, long now) =>
        shape.WarmUp == 0 ? 1
        : IsCold(shape, now) ? Cold
        : Cold + ((1 - Cold) * Math.Min(1, (double)(now - begun) / shape.WarmUp));

    public readonly bool IsCold(LimitShape shape, long now) =>
        shape.WarmUp == 0 || !isUsed || now - last > shape.WarmUp;
}
