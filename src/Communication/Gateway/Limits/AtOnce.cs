namespace Groundwork.Communication.Gateway.Limits;

/// <summary>Counts the requests that are under way.</summary>
internal sealed class AtOnce : ILimiter
{
    /// <summary>Nobody knows when one of those under way is over.</summary>
    private static readonly long Patience = TimeSpan.FromSeconds(1).Ticks;

    private int underWay;

    public Verdict Take(LimitShape shape, long now, int cost)
    {
        if (underWay >= shape.Requests) return new Verdict(false, 0, Patience, Patience);
        underWay++;
        return new Verdict(true, shape.Requests - underWay, 0, Patience);
    }

    public void Charge(LimitShape shape, long now, long uses)
    {
        // Those of other nodes are theirs.
    }

    public Room Look(LimitShape shape, long now) =>
        new(Math.Max(0, shape.Requests - underWay), underWay == 0 ? 0 : Patience);

    public void Return() => underWay--;

    public bool IsIdle(LimitShape shape, long now) => underWay == 0;
}
