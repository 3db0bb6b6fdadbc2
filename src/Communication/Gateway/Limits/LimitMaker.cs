using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Limits;

/// <summary>
/// Makes the limits of routes and listeners. What callers have used stays while the limit's words do, whatever else of
/// the route changes; it is let go with the last route that leads to it.
/// </summary>
internal sealed class LimitMaker : IStepMaker, IDisposable
{
    /// <summary>How often callers of whom there is nothing to remember are forgotten.</summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly Dictionary<(ResourceKey Owner, string Text), WeakReference<LimitTable>> tables = []; // Gate.
    private readonly SharedCounters? counters;
    private readonly TimeProvider time;
    private readonly long origin;
    private readonly ITimer timer;

    /// <param name="counters">Null where nodes share nothing: each then counts by itself.</param>
    public LimitMaker(SharedCounters? counters, TimeProvider time)
    {
        this.counters = counters;
        this.time = time;
        origin = time.GetTimestamp();
        timer = time.CreateTimer(static self => ((LimitMaker)self!).Sweep(), this, SweepEvery, SweepEvery);
    }

    /// <summary>Callers that are remembered.</summary>
    public int Callers => Living().Sum(table => table.Count);

    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        foreach (var spec in context.Policies.Limits ?? [])
            if (LimitPolicy.TryCompile(spec, context.Path, out var policy))
                yield return new LimitStep(policy, TableOf(context.Key, spec, policy), time, origin);
    }

    public void Dispose() => timer.Dispose();

    private LimitTable TableOf(ResourceKey owner, LimitSpec spec, LimitPolicy policy)
    {
        var text = Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(spec, RouteJson.Default.LimitSpec));
        lock (gate)
        {
            if (tables.TryGetValue((owner, text), out var known) && known.TryGetTarget(out var table)) return table;
            var name = KeyHash.Of($"{owner}/{spec.Name}").ToString("x16", CultureInfo.InvariantCulture);
            table = new LimitTable(policy, counters, $"limit/{name}");
            tables[(owner, text)] = new WeakReference<LimitTable>(table);
            return table;
        }
    }

    private List<LimitTable> Living()
    {
        lock (gate)
        {
            var living = new List<LimitTable>(tables.Count);
            foreach (var (key, held) in tables)
            {
                if (held.TryGetTarget(out var table)) living.Add(table);
                else tables.Remove(key);
            }
            return living;
        }
    }

    private void Sweep()
    {
        var now = time.GetElapsedTime(origin).Ticks;
        foreach (var table in Living()) table.Sweep(now);
    }
}
