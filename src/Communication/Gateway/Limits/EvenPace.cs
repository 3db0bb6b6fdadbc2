namespace Groundwork.Communication.Gateway.Limits;

/// <summary>Gives each request its turn, evenly spaced; one whose turn is too far off is refused.</summary>
internal sealed class EvenPace : ILimiter
{
    private double next; // Ticks at which the next turn is.
    private Warmth warmth;

    public Verdict Take(LimitShape shape, long now, int cost)
    {
        var space = shape.Period / (shape.Requests * warmth.Share(shape, now));
        var turn = Math.Max(next, now);
        var wait = (long)Math.Ceiling(turn - now);
        var passed = wait <= shape.MaxWait;
        if (passed) next = turn + (space * cost);
        var reset = (long)Math.Max(0, next - now);
        var room = (long)Math.Max(0, ((now + shape.MaxWait - next) / space) + 1);
        return new Verdict(passed, passed ? room : 0, passed ? wait : wait - shape.MaxWait, reset);
    }

    public void Charge(LimitShape shape, long now, long uses) =>
        next = Math.Min(
            Math.Max(next, now) + ((double)shape.Period / shape.Requests * uses),
            // As with a bucket, for what happened in one exchange and not for ever.
            Math.Max(next, now + shape.MaxWait + TimeSpan.FromSeconds(10).Ticks));

    public Room Look(LimitShape shape, long now)
    {
        var space = shape.Period / (shape.Requests * warmth.Look(shape, now));
        var room = ((now + shape.MaxWait - Math.Max(next, now)) / space) + 1;
        return new Room((long)Math.Max(0, room), (long)Math.Max(0, next - now));
    }

    public void Return()
    {
        // A request is counted when it comes.
    }

    public bool IsIdle(LimitShape shape, long now) => next <= now && warmth.IsCold(shape, now);
}
