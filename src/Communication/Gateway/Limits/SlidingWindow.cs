namespace Groundwork.Communication.Gateway.Limits;

/// <summary>
/// Counts in tenths of the window, and the tenth that is half over counts whole: no span of the window's length ever
/// has more than the limit, and one who has used it up waits up to a tenth longer than needed.
/// </summary>
internal sealed class SlidingWindow : ILimiter
{
    public const int Slices = 10;

    private readonly int[] counts = new int[Slices + 1]; // By the slice's number, modulo; the eleventh is half over.
    private long slice; // The newest that is counted.
    private int sum;

    public Verdict Take(LimitShape shape, long now, int cost)
    {
        Turn(shape, now);
        var needed = Math.Min(cost, shape.Requests); // Where the part of a node is less than one, it is one.
        if (sum + needed > shape.Requests)
            return new Verdict(false, 0, UntilRoom(shape, now, needed), Reset(shape, now));
        Add(needed);
        return new Verdict(true, shape.Requests - sum, 0, Reset(shape, now));
    }

    public void Charge(LimitShape shape, long now, long uses)
    {
        Turn(shape, now);
        Add((int)Math.Min(uses, LimitRules.MaxRequests));
    }

    public Room Look(LimitShape shape, long now)
    {
        Turn(shape, now);
        return new Room(Math.Max(0, shape.Requests - sum), sum == 0 ? 0 : Reset(shape, now));
    }

    public void Return()
    {
        // A request is counted when it comes.
    }

    public bool IsIdle(LimitShape shape, long now)
    {
        Turn(shape, now);
        return sum == 0;
    }

    private void Add(int uses)
    {
        counts[slice % counts.Length] += uses;
        sum += uses;
    }

    private void Turn(LimitShape shape, long now)
    {
        var current = now / Length(shape);
        if (current - slice >= counts.Length)
        {
            Array.Clear(counts);
            (sum, slice) = (0, current);
        }
        while (slice < current)
        {
            slice++;
            ref var oldest = ref counts[slice % counts.Length];
            sum -= oldest;
            oldest = 0;
        }
    }

    // Until so many of the oldest are over that there is room.
    private long UntilRoom(LimitShape shape, long now, int needed)
    {
        var left = sum;
        for (var old = slice - Slices; old <= slice; old++)
        {
            if (old >= 0) left -= counts[old % counts.Length];
            if (left + needed <= shape.Requests) return ((old + counts.Length) * Length(shape)) - now;
        }
        return shape.Period;
    }

    private long Reset(LimitShape shape, long now) => ((slice + counts.Length) * Length(shape)) - now;

    private static long Length(LimitShape shape) => shape.Period / Slices;
}
