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

    /// <summary>Takes one request; null when the entry was forgotten meanwhile, and another is to be made.</summary>
    public Verdict? Take(long now)
    {
        lock (gate)
        {
            if (isForgotten) return null;
            if (shape.Requests == 0) return new Verdict(false, 0, shape.Period, shape.Period);
            var cost = 1;
            if (others is not null)
            {
                var uses = others.TakeOthers();
                if (uses > 0) limiter.Charge(shape, now, uses);
                cost = counters?.Parts ?? 1;
            }
            var verdict = limiter.Take(shape, now, cost);
            if (verdict.Passes) others?.Add();
            return verdict;
        }
    }

    /// <summary>Counts what others used before this one came.</summary>
    public void Charge(long now, long uses)
    {
        lock (gate)
            if (uses > 0) limiter.Charge(shape, now, uses);
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
