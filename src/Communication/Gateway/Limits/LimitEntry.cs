using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Cluster;

namespace Groundwork.Communication.Gateway.Limits;

/// <summary>One caller of a limit, with what it has used.</summary>
internal sealed class LimitEntry(LimitShape shape, ILimiter limiter, SharedCounters? counters, SharedUse? others)
    : IHeld
{
    private readonly Lock gate = new(); // Guards the limiter and the uses.
    private bool isForgotten;
    private long passed; // Under the gate, as all that follows.
    private long refused;
    private long heard; // Of other nodes.

    /// <summary>Takes one request; null when the entry was forgotten meanwhile, and another is to be made.</summary>
    public Verdict? Take(long now)
    {
        lock (gate)
        {
            if (isForgotten) return null;
            if (shape.Requests == 0)
            {
                refused++;
                return new Verdict(false, 0, shape.Period, shape.Period);
            }
            var cost = 1;
            if (others is not null)
            {
                var uses = others.TakeOthers();
                if (uses > 0) Hear(now, uses);
                cost = counters?.Parts ?? 1;
            }
            var verdict = limiter.Take(shape, now, cost);
            if (verdict.Passes)
            {
                passed++;
                others?.Add();
            }
            else
            {
                refused++;
            }
            return verdict;
        }
    }

    /// <summary>Counts what others used before this one came.</summary>
    public void Charge(long now, long uses)
    {
        lock (gate)
            if (uses > 0) Hear(now, uses);
    }

    /// <summary>What it has used, for who only looks.</summary>
    public LimitUse Read(long now)
    {
        lock (gate)
        {
            var room = shape.Requests == 0 ? default : limiter.Look(shape, now);
            return new LimitUse(passed, refused, heard, shape.Requests == 0 ? 0 : shape.Burst, room);
        }
    }

    private void Hear(long now, long uses)
    {
        heard += uses;
        limiter.Charge(shape, now, uses);
    }

    /// <summary>True when there was nothing to remember; nothing is let pass by it any more.</summary>
    public bool TryForget(long now)
    {
        lock (gate) return isForgotten = isForgotten || limiter.IsIdle(shape, now);
    }

    public void End(Exchange exchange)
    {
        lock (gate) limiter.Return();
    }
}

/// <summary>What one caller has used, since there was something to remember of it.</summary>
/// <param name="FromOthers">Requests that other nodes have let pass.</param>
/// <param name="Quota">How many may come at once.</param>
internal readonly record struct LimitUse(long Passed, long Refused, long FromOthers, long Quota, Room Room)
{
    /// <summary>How much of it is used, 0 to 1.</summary>
    public double Share => Quota == 0 ? 1 : 1 - ((double)Math.Min(Quota, Room.Remaining) / Quota);
}
