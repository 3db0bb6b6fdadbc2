using System.Collections.Concurrent;
using Groundwork.Communication.Gateway.Content.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>What those wait for together: an address, and the fields by which its answers differ.</summary>
internal readonly record struct FlightKey(CacheKey Key, ulong Selection);

/// <summary>
/// What is kept of the answers of all routes, who is fetching what, and what was purged meanwhile. Outlives every
/// change of a route; a route that goes takes what was kept of it along.
/// </summary>
internal sealed class ResponseCache : IStepMaker, IDisposable
{
    /// <summary>Purges that are remembered for answers under way: of one that has seen more nothing is kept.</summary>
    private const int MaxPurges = 256;

    /// <summary>Addresses that are remembered to have answers for one request alone.</summary>
    private const int MaxUnshared = 8 * 1024;

    /// <summary>How long that is remembered: as long as a wait for nothing may cost at most.</summary>
    private static readonly TimeSpan UnsharedFor = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<FlightKey, Flight> flights = new();
    private readonly ConcurrentDictionary<CacheKey, long> unshared = new(); // Until when, by the clock's timestamp.
    private readonly ConcurrentDictionary<ResourceKey, CacheFigures> figures = new();
    private readonly Lock gate = new();
    private readonly Queue<Func<CacheKey, StoredAnswer, bool>> purged = new(); // The last ones; under the gate.
    private readonly IDisposable subscription;
    private long purges;
    private int waiting;

    public ResponseCache(
        long maxBytes, ISnapshotSource snapshots, OwnAnswers answers, GatewayCounters counters, InnerCalls calls,
        TimeProvider time)
    {
        Time = time;
        Calls = calls;
        Answers = answers;
        Store = new AnswerStore(maxBytes);
        Kept = new KeptAnswers(answers, counters);
        subscription = snapshots.Subscribe(Apply);
    }

    public TimeProvider Time { get; }

    public InnerCalls Calls { get; }

    public OwnAnswers Answers { get; }

    public AnswerStore Store { get; }

    public KeptAnswers Kept { get; }

    /// <summary>Purges so far: an answer that was asked for before one is not kept if it is meant.</summary>
    public long Purges => Volatile.Read(ref purges);

    /// <summary>Requests that wait for another's answer.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies is not RouteSpec { Cache: { } spec }) yield break;
        yield return new CacheStep(spec, context.Key, this, figures.GetOrAdd(context.Key, static _ => new()));
    }

    /// <summary>What is counted of each cached route.</summary>
    public IEnumerable<KeyValuePair<ResourceKey, CacheFigures>> Figures => figures;

    /// <summary>What was counted of each cached route.</summary>
    public IEnumerable<CachedRoute> Snapshots() =>
        figures.Select(pair => pair.Value.Take($"{pair.Key.Namespace}/{pair.Key.Name}"));

    public CachedRoute? SnapshotOf(ResourceKey route) =>
        figures.TryGetValue(route, out var counted) ? counted.Take($"{route.Namespace}/{route.Name}") : null;

    /// <summary>
    /// True when a refusal of this request would be replaced by a copy that is past its time (stale-if-error): who
    /// has a fallback of its own asks first.
    /// </summary>
    public bool HasStale(Exchange exchange)
    {
        for (var client = exchange.Client; client is PassingClient passing; client = passing.Next)
            if (passing is StoringClient storing) return storing.HasStale(Time.GetUtcNow());
        return false;
    }

    /// <summary>Keeps an answer, unless something was purged meanwhile that it is part of.</summary>
    public bool Put(in CacheKey key, StoredAnswer answer, long purgesBefore)
    {
        lock (gate)
        {
            var since = purges - purgesBefore;
            if (since > purged.Count) return false;
            if (since > 0)
                foreach (var holds in purged.Skip(purged.Count - (int)since))
                    if (holds(key, answer)) return false;
            Store.Put(key, answer);
            return true;
        }
    }

    /// <summary>Forgets what is kept of one address.</summary>
    public void Forget(CacheKey key) => Purge((other, _) => other.Equals(key), () => Store.Remove(key));

    /// <summary>Forgets every answer of which something holds, and those under way; how many were kept.</summary>
    public int Purge(Func<CacheKey, StoredAnswer, bool> holds) => Purge(holds, () => Store.RemoveWhere(holds));

    /// <summary>Takes a request's place as the one that asks the origin. False with whom to wait for instead.</summary>
    public bool TryLead(in FlightKey key, out Flight flight)
    {
        var mine = new Flight();
        flight = flights.GetOrAdd(key, mine);
        return ReferenceEquals(flight, mine);
    }

    /// <summary>How another's request ended; null when that takes too long.</summary>
    public async ValueTask<FlightEnd?> AwaitAsync(Flight flight, TimeSpan patience)
    {
        Interlocked.Increment(ref waiting);
        try
        {
            return await flight.End.WaitAsync(patience, Time);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    /// <summary>Says how it ended.</summary>
    public void Land(in CacheKey key, in FlightKey flightKey, Flight flight, FlightEnd how)
    {
        Leave(flightKey, flight);
        if (how == FlightEnd.NotShared)
        {
            if (unshared.Count >= MaxUnshared) unshared.Clear();
            unshared[key] = Time.GetTimestamp();
        }
        else if (how == FlightEnd.Kept)
        {
            unshared.TryRemove(key, out _);
        }
        flight.Complete(how);
    }

    /// <summary>Lets the next one ask the origin: this one takes too long.</summary>
    public void Leave(in FlightKey key, Flight flight) => flights.TryRemove(new(key, flight));

    /// <summary>True when answers to this address were for one request alone of late: nobody waits for one.</summary>
    public bool IsUnshared(in CacheKey key) =>
        !unshared.IsEmpty && unshared.TryGetValue(key, out var since) && Time.GetElapsedTime(since) < UnsharedFor;

    public void Dispose() => subscription.Dispose();

    private int Purge(Func<CacheKey, StoredAnswer, bool> holds, Func<int> remove)
    {
        lock (gate)
        {
            purges++;
            purged.Enqueue(holds);
            if (purged.Count > MaxPurges) purged.Dequeue();
            return remove();
        }
    }

    private void Apply(SnapshotChange change)
    {
        // What was purged while nobody told us is unknown.
        if (change.Before is null)
        {
            if (Store.Count > 0) Purge(static (_, _) => true);
            return;
        }
        foreach (var one in change.Changes)
        {
            if (one.Key.Kind == RouteKind.Name && one.After is null)
            {
                var prefix = CacheKeyForm.PrefixOf(one.Key);
                if (figures.TryRemove(one.Key, out _)) Purge((key, _) => key.Bytes.StartsWith(prefix));
            }
            else if (one.Key.Kind == CachePurgeKind.Name && one.After is { } resource)
            {
                Purge(PurgeFilter.Of(one.Key.Namespace, resource.As<CachePurgeSpec>()));
            }
        }
    }
}
