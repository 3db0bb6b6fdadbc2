using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Storage;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Cluster;

/// <summary>
/// Counters that all nodes share without a cache server: each node writes what it used of its hottest keys and reads
/// the others' every 200 ms. A limit can be overshot by at most nodes × rate × 0.2 s. While the database is away each
/// node allows its part, limit / live nodes.
/// </summary>
public sealed partial class SharedCounters : IAsyncDisposable
{
    /// <summary>How often nodes exchange what they used; the overshoot grows with it.</summary>
    public static readonly TimeSpan ExchangeEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Keys per node in the exchange: the hottest; the rest are limited per node only.</summary>
    public const int MaxExchangedKeys = 512;

    /// <summary>Keys in memory per node; a key beyond it shares one counter, so that nobody slips through.</summary>
    public const int MaxKeys = 100_000;

    private const string Overflow = "*";

    /// <summary>Without an exchange for so long, the others' numbers say nothing.</summary>
    private static readonly TimeSpan BlindAfter = TimeSpan.FromSeconds(1);

    private readonly IStorage storage;
    private readonly NodeLeases nodes;
    private readonly TimeProvider time;
    private readonly ILogger<SharedCounters> log;
    private readonly ConcurrentDictionary<CounterKey, StrongBox> own = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly PeriodicTimer timer;
    private readonly Task exchanging;
    private FrozenDictionary<CounterKey, long> others = FrozenDictionary<CounterKey, long>.Empty;
    private long exchangedAt;
    private long exchanges;

    public SharedCounters(IStorage storage, NodeLeases nodes, TimeProvider time, ILoggerFactory logs)
    {
        this.storage = storage;
        this.nodes = nodes;
        this.time = time;
        log = logs.CreateLogger<SharedCounters>();
        exchangedAt = time.GetTimestamp();
        timer = new PeriodicTimer(ExchangeEvery, time);
        exchanging = Task.Run(ExchangeLoopAsync, CancellationToken.None);
    }

    /// <summary>
    /// Counts one use of a key within a window, unless the cluster has used the limit up. Windows are aligned to the
    /// database's clock, so that nodes whose own clocks differ count in the same one.
    /// </summary>
    /// <param name="key">Who and what is limited, at most 256 characters.</param>
    /// <param name="limit">Uses allowed in the window, by all nodes together.</param>
    /// <param name="window">At least a second.</param>
    public bool TryUse(string key, long limit, TimeSpan window)
    {
        var slot = new CounterKey(key, (long)window.TotalMilliseconds, WindowOf(window));
        if (own.Count >= MaxKeys && !own.ContainsKey(slot)) slot = slot with { Key = Overflow };
        var used = own.GetOrAdd(slot, static _ => new StrongBox());
        var allowed = IsBlind
            ? limit / Math.Max(1, nodes.Live.Count)
            : limit - Volatile.Read(ref others).GetValueOrDefault(slot);
        if (Interlocked.Increment(ref used.Value) <= allowed) return true;
        Interlocked.Decrement(ref used.Value);
        return false;
    }

    /// <summary>A key's uses, for who decides by itself: see <see cref="SharedUse"/>.</summary>
    /// <param name="key">Who and what is limited, at most 256 characters.</param>
    /// <param name="window">At least a second; how long uses are remembered.</param>
    public SharedUse Use(string key, TimeSpan window) => new(this, key, window);

    /// <summary>
    /// Among how many each limit is parted now: 1 while nodes hear of each other, the live nodes while they do not.
    /// </summary>
    public int Parts => IsBlind ? Math.Max(1, nodes.Live.Count) : 1;

    /// <summary>Rounds that have ended well, with or without something to exchange.</summary>
    internal long Exchanges => Interlocked.Read(ref exchanges);

    /// <summary>The milliseconds of the running window that have passed, and the window's number.</summary>
    internal (long Window, long Passed) Now(long windowMilliseconds)
    {
        var clock = nodes.DatabaseClock;
        return (clock / windowMilliseconds, clock % windowMilliseconds);
    }

    /// <summary>What this node has used of a key; null when there are too many keys.</summary>
    internal StrongBox? OwnOf(CounterKey slot)
    {
        if (own.Count >= MaxKeys && !own.ContainsKey(slot)) return null;
        var used = own.GetOrAdd(slot, static _ => new StrongBox());
        used.Stays = true;
        return used;
    }

    internal long OthersOf(CounterKey slot) => Volatile.Read(ref others).GetValueOrDefault(slot);

    private bool IsBlind => time.GetElapsedTime(Volatile.Read(ref exchangedAt)) > BlindAfter;

    private long WindowOf(TimeSpan window) =>
        nodes.DatabaseClock / Math.Max(1000, (long)window.TotalMilliseconds);

    private async Task ExchangeLoopAsync()
    {
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                try
                {
                    Forget();
                    await ExchangeAsync();
                    Interlocked.Increment(ref exchanges);
                }
                catch (StorageException fault)
                {
                    if (!IsBlind) NotExchanged(log, fault.Fault.Detail);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task ExchangeAsync()
    {
        var hottest = own
            .Where(entry => entry.Value.Value > 0)
            .OrderByDescending(entry => entry.Value.Value)
            .Take(MaxExchangedKeys)
            .Select(entry => new CounterUse(
                entry.Key.Key, entry.Key.WindowMilliseconds, entry.Key.Window, entry.Value.Value))
            .ToList();
        // A node that is alone, or has used nothing and knows of nothing, leaves the database in peace.
        if (nodes.Live.Count <= 1 || (hottest.Count == 0 && others.Count == 0 && own.IsEmpty))
        {
            Volatile.Write(ref others, FrozenDictionary<CounterKey, long>.Empty);
            Volatile.Write(ref exchangedAt, time.GetTimestamp());
            return;
        }
        var text = JsonSerializer.Serialize(hottest, CountersJson.Default.ListCounterUse);
        var rows = await storage.WriteAsync(
            session => ClusterStore.ExchangeCounters(session, nodes.Self, text), stopping.Token);
        var sums = new Dictionary<CounterKey, long>();
        foreach (var row in rows)
        {
            foreach (var use in JsonSerializer.Deserialize(row.Used, CountersJson.Default.ListCounterUse) ?? [])
            {
                var slot = new CounterKey(use.Key, use.WindowMilliseconds, use.Window);
                sums[slot] = sums.GetValueOrDefault(slot) + use.Used;
            }
        }
        Volatile.Write(ref others, sums.ToFrozenDictionary());
        Volatile.Write(ref exchangedAt, time.GetTimestamp());
    }

    private void Forget()
    {
        var now = nodes.DatabaseClock;
        foreach (var (slot, used) in own)
        {
            var running = now / Math.Max(1000, slot.WindowMilliseconds);
            if (slot.Window < (used.Stays ? running - 1 : running)) own.TryRemove(slot, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await exchanging;
        timer.Dispose();
        stopping.Dispose();
    }

    internal sealed class StrongBox
    {
        public long Value;

        /// <summary>True when it is told for one more window: others still ask for what was used at its end.</summary>
        public volatile bool Stays;
    }

    [LoggerMessage(
        LogLevel.Warning, "Shared counters cannot be exchanged ({Detail}); each node allows its part of every limit.")]
    private static partial void NotExchanged(ILogger log, string detail);
}

/// <summary>A key in one window of time.</summary>
internal readonly record struct CounterKey(string Key, long WindowMilliseconds, long Window);

/// <summary>How often a node used a key in a window.</summary>
internal sealed record CounterUse(string Key, long WindowMilliseconds, long Window, long Used);

[JsonSerializable(typeof(List<CounterUse>))]
internal sealed partial class CountersJson : JsonSerializerContext;
