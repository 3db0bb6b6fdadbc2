using System.Collections.Concurrent;
using System.Security.Cryptography;
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

    public Verdict Take(ReadOnlySpan<byte> key, long now, out LimitEntry entry)
    {
        while (true)
        {
            entry = byBytes.TryGetValue(key, out var known) ? known : Add(key, now);
            if (entry.Take(now) is { } verdict) return verdict;
            Remove(key.ToArray(), entry);
        }
    }

    /// <summary>Forgets those of whom there is nothing to remember.</summary>
    public void Sweep(long now)
    {
        foreach (var (key, entry) in entries)
            if (entry.TryForget(now)) Remove(key, entry);
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
