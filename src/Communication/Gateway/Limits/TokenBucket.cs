namespace Groundwork.Communication.Gateway.Limits;

/// <summary>
/// Fills evenly up to the burst; each request takes one out. What other nodes let pass is taken out too, be it more
/// than there is: that is paid back before anybody passes.
/// </summary>
internal sealed class TokenBucket : ILimiter
{
    /// <summary>Sums of fractions are a little less than they should be.</summary>
    private const double Tolerance = 1e-6;

    /// <summary>Debts are for what happened in one exchange, not for ever.</summary>
    private static readonly long LongestDebt = TimeSpan.FromSeconds(10).Ticks;

    private double tokens;
    private long filled = -1; // -1: never.
    private Warmth warmth;

    public Verdict Take(LimitShape shape, long now, int cost)
    {
        var (rate, capacity) = Fill(shape, now, warmth.Share(shape, now));
        // Where the part of a node is less than one, it is one.
        var needed = Math.Min(cost, capacity);
        if (tokens + Tolerance < needed)
            return new Verdict(false, 0, (long)Math.Ceiling((needed - tokens) / rate), ToFill(rate, capacity));
        tokens -= needed;
        return new Verdict(true, (long)Math.Max(0, tokens + Tolerance), 0, ToFill(rate, capacity));
    }

    public void Charge(LimitShape shape, long now, long uses)
    {
        var (rate, _) = Fill(shape, now, 1);
        tokens = Math.Max(tokens - uses, Math.Min(tokens, -rate * LongestDebt));
    }

    public Room Look(LimitShape shape, long now)
    {
        var share = warmth.Look(shape, now);
        var (rate, capacity) = (share * shape.Requests / shape.Period, Math.Max(1, share * shape.Burst));
        var held = filled < 0 ? capacity : Math.Min(capacity, tokens + ((now - filled) * rate));
        return new Room(
            (long)Math.Max(0, held + Tolerance), (long)Math.Ceiling(Math.Max(0, capacity - held) / rate));
    }

    public void Return()
    {
        // A request is counted when it comes.
    }

    public bool IsIdle(LimitShape shape, long now)
    {
        if (filled < 0) return true;
        var missing = shape.Burst - tokens;
        return missing <= (double)(now - filled) * shape.Requests / shape.Period && warmth.IsCold(shape, now);
    }

    private (double Rate, double Capacity) Fill(LimitShape shape, long now, double share)
    {
        var rate = share * shape.Requests / shape.Period;
        var capacity = Math.Max(1, share * shape.Burst);
        tokens = filled < 0 ? capacity : Math.Min(capacity, tokens + ((now - filled) * rate));
        filled = now;
        return (rate, capacity);
    }

    private long ToFill(double rate, double capacity) => (long)Math.Ceiling(Math.Max(0, capacity - tokens) / rate);
}
