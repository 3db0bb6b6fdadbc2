using System.Collections.Concurrent;
using System.Text;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>What became of the requests of one route.</summary>
internal sealed class CacheFigures
{
    /// <summary>Addresses that are counted; of more the rarest makes room (Space-Saving).</summary>
    private const int MaxAddresses = 128;

    private const int MaxAddressCharacters = 512;

    private readonly Lock gate = new();
    private readonly Dictionary<string, long> origin = []; // Under the gate.
    private long hits;
    private long stale;
    private long collapsed;
    private long misses;
    private long bypassed;
    private long revalidated;
    private long bytesKept;
    private long bytesFetched;
    private long heldBytes;
    private int held;

    public void Hit(long bytes)
    {
        Interlocked.Increment(ref hits);
        Interlocked.Add(ref bytesKept, bytes);
    }

    public void Stale(long bytes)
    {
        Interlocked.Increment(ref stale);
        Interlocked.Add(ref bytesKept, bytes);
    }

    public void Collapsed() => Interlocked.Increment(ref collapsed);

    public void Bypassed() => Interlocked.Increment(ref bypassed);

    public void Revalidated() => Interlocked.Increment(ref revalidated);

    public void Fetched(long bytes) => Interlocked.Add(ref bytesFetched, bytes);

    /// <summary>An answer is kept from now on.</summary>
    public void Came(long bytes)
    {
        Interlocked.Increment(ref held);
        Interlocked.Add(ref heldBytes, bytes);
    }

    /// <summary>One that was kept is no longer.</summary>
    public void Left(long bytes)
    {
        Interlocked.Decrement(ref held);
        Interlocked.Add(ref heldBytes, -bytes);
    }

    /// <summary>The origin was asked.</summary>
    public void Miss(ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        Interlocked.Increment(ref misses);
        var address = Encoding.ASCII.GetString(path) + Encoding.Latin1.GetString(query);
        if (address.Length > MaxAddressCharacters) address = address[..MaxAddressCharacters];
        lock (gate)
        {
            if (origin.TryGetValue(address, out var count)) origin[address] = count + 1;
            else if (origin.Count < MaxAddresses) origin.Add(address, 1);
            else
            {
                var rarest = origin.MinBy(static pair => pair.Value);
                origin.Remove(rarest.Key);
                origin.Add(address, rarest.Value + 1);
            }
        }
    }

    /// <summary>What was counted since the process began.</summary>
    public CachedRoute Take(string route)
    {
        KeyValuePair<string, long>[] top;
        lock (gate) top = [.. origin];
        var (fresh, late, asked) = (
            Volatile.Read(ref hits), Volatile.Read(ref stale), Volatile.Read(ref misses));
        var all = fresh + late + asked;
        return new CachedRoute(
            route, fresh, late, Volatile.Read(ref collapsed), asked, Volatile.Read(ref revalidated),
            Volatile.Read(ref bypassed), all == 0 ? 0 : Math.Round((double)(fresh + late) / all, 4),
            Volatile.Read(ref bytesKept), Volatile.Read(ref bytesFetched),
            [
                .. top.OrderByDescending(static pair => pair.Value).ThenBy(static pair => pair.Key)
                    .Take(CachedRoute.MaxTop).Select(static pair => new OriginAddress(pair.Key, pair.Value)),
            ],
            Volatile.Read(ref held), Volatile.Read(ref heldBytes));
    }
}
