using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Timing;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>Exchanges that rest, with their buffers: as many as are under way at once on a busy machine.</summary>
internal sealed class ExchangePool(
    InstancePools pools, Deadlines deadlines, ClientLimits limits, GatewayOptions options, TimeProvider time)
{
    /// <summary>Exchanges kept; each holds about 8 KiB.</summary>
    private const int MaxKept = 512;

    private readonly HeadLimits answers = new(
        LineBytes: 8 * 1024, FieldsBytes: options.MaxResponseHeadKilobytes * 1024, Fields: 256);

    private readonly Lock gate = new();
    private readonly Stack<Exchange> kept = new(); // Under the gate.
    private int made; // Those that there are. Interlocked.

    /// <summary>Exchanges that somebody has.</summary>
    public int Out
    {
        get
        {
            lock (gate) return Volatile.Read(ref made) - kept.Count;
        }
    }

    public Exchange Rent()
    {
        lock (gate)
            if (kept.TryPop(out var exchange)) return exchange;
        Interlocked.Increment(ref made);
        return new Exchange(pools, deadlines, limits.Head, answers, time, options.TraceHeaders);
    }

    public void Return(Exchange exchange)
    {
        exchange.Clear();
        lock (gate)
        {
            if (kept.Count < MaxKept)
            {
                kept.Push(exchange);
                return;
            }
        }
        Interlocked.Decrement(ref made);
        exchange.Retire(deadlines);
    }
}
