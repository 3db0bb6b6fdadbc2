using System.Collections.Concurrent;
using System.Security.Cryptography;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Kernel.Cluster;

namespace Groundwork.Communication.Gateway.Limits;

/// <summary>
/// The callers of one limit. Those of whom there is nothing to remember are forgotten; while there are as many as may
/// be, new ones share one entry, so that nobody slips through and memory stays bounded.
/// </summary>
internal sealed class LimitTable
{
    /// <summary>For how long shared counters keep a use that is only asked for while it is new.</summary>
    private static readonly TimeSpan ShortestMemory = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<byte[], LimitEntry> entries = new(KeyBytes.Comparer);
    private readonly ConcurrentDictionary<byte[], LimitEntry>.AlternateLookup<ReadOnlySpan<byte>> byBytes;
    private readonly LimitEntry rest;
    private readonly LimitPolicy policy;
    private readonly SharedCounters? counters;
    private readonly string name;
    private readonly TimeSpan remembered;
    private int count; // Interlocked; of the entries.
    private ShardedCells? verdicts; // Made by the first request: of many limits most are never asked.

    /// <param name="name">The same on every node, and of this limit alone.</param>
    public LimitTable(LimitPolicy policy, SharedCounters? counters, string name)
    {
        this.policy = policy;
        this.counters = counters;
        this.name = name;
        byBytes = entries.GetAlternateLookup<ReadOnlySpan<byte>>();
        var period = TimeSpan.FromTicks(policy.Shape.Period);
        // A window has to know all of it; others ask for what is new, and a short window would be work for nothing.
        remembered = policy.HasHistory || period > ShortestMemory ? period : ShortestMemory;
        rest = new LimitEntry(policy.Shape, policy.Make(), null, null);
    }

    public int Count => Volatile.Read(ref count);

    /// <summary>Requests that were let pass, since the limit has its words.</summary>
    public long Passed => Volatile.Read(ref verdicts)?[0] ?? 0;

    public long Refused => Volatile.Read(ref verdicts)?[1] ?? 0;

    /// <summary>Among how many nodes, that do not hear of each other, the limit is parted; 1 while they do.</summary>
    public int Parts => policy.IsShared ? counters?.Parts ?? 1 : 1;

    public Verdict Take(ReadOnlySpan<byte> key, long now, out LimitEntry entry)
    {
        while (true)
        {
            entry = byBytes.TryGetValue(key, out var known) ? known : Add(key, now);
            if (entry.Take(now) is { } verdict)
            {
                ShardedCells.Add(Verdicts().Mine, verdict.Passes ? 0 : 1, 1);
                return verdict;
            }
            Remove(key.ToArray(), entry);
        }
    }

    /// <summary>Those who have used most of what they may, and what all have used at other nodes.</summary>
    public (IReadOnlyList<(byte[] Key, LimitUse Use)> Hottest, long FromOthers) Read(long now, int most)
    {
        var hottest = new PriorityQueue<(byte[] Key, LimitUse Use), (double, long)>();
        var fromOthers = 0L;
        foreach (var (key, entry) in entries)
        {
            var use = entry.Read(now);
            fromOthers += use.FromOthers;
            hottest.Enqueue((key, use), (use.Share, use.Passed + use.Refused));
            if (hottest.Count > most) hottest.Dequeue();
        }
        var found = new List<(byte[], LimitUse)>(hottest.Count);
        while (hottest.TryDequeue(out var one, out _)) found.Add(one);
        found.Reverse();
        return (found, fromOthers);
    }

    /// <summary>Forgets those of whom there is nothing to remember.</summary>
    public void Sweep(long now)
    {
        foreach (var (key, entry) in entries)
            if (entry.TryForget(now)) Remove(key, entry);
    }

    private ShardedCells Verdicts()
    {
        if (Volatile.Read(ref verdicts) is { } made) return made;
        Interlocked.CompareExchange(ref verdicts, new ShardedCells(2), null);
        return verdicts;
    }

    private LimitEntry Add(ReadOnlySpan<byte> key, long now)
    {
        if (Interlocked.Increment(ref count) > policy.MaxKeys)
        {
            Interlocked.Decrement(ref count);
            return rest;
        }
        var kept = key.ToArray();
        var use = policy.IsShared ? counters?.Use(NameOf(kept), remembered) : null;
        var made = new LimitEntry(policy.ShapeOf(key), policy.Make(), counters, use);
        if (use is not null && policy.HasHistory) made.Charge(now, use.History);
        var entry = entries.GetOrAdd(kept, made);
        if (entry != made) Interlocked.Decrement(ref count);
        return entry;
    }

    private void Remove(byte[] key, LimitEntry entry)
    {
        if (entries.TryRemove(KeyValuePair.Create(key, entry))) Interlocked.Decrement(ref count);
    }

    // A digest: keys may be secrets, and other nodes read it from the database.
    private string NameOf(byte[] key) => $"{name}/{Convert.ToHexStringLower(SHA256.HashData(key).AsSpan(0, 16))}";
}
