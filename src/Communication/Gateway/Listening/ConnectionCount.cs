using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>Connections at once: in all, and of each address.</summary>
internal sealed class ConnectionCount
{
    private readonly ConcurrentDictionary<UInt128, int> byAddress = new(); // As many as there are connections.
    private int all; // Interlocked.

    public int All => Volatile.Read(ref all);

    /// <summary>Takes a place; false when there is none.</summary>
    public bool TryEnter(int? most)
    {
        if (Interlocked.Increment(ref all) <= (most ?? int.MaxValue)) return true;
        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref all);

    /// <summary>Takes a place of an address; false when it has none left.</summary>
    public bool TryEnter(IPAddress? address, int? most)
    {
        if (byAddress.AddOrUpdate(KeyOf(address), 1, static (_, count) => count + 1) <= (most ?? int.MaxValue))
            return true;
        Leave(address);
        return false;
    }

    public void Leave(IPAddress? address)
    {
        var key = KeyOf(address);
        if (byAddress.AddOrUpdate(key, 0, static (_, count) => count - 1) <= 0)
            byAddress.TryRemove(new KeyValuePair<UInt128, int>(key, 0));
    }

    /// <summary>The address; of IPv6 the /64, of which one household has all.</summary>
    private static UInt128 KeyOf(IPAddress? address)
    {
        if (address is null) return 0;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length); // 16 are enough for either family.
        return length == 4
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes) + UInt128.One // Above the unknown one, below those of IPv6.
            : BinaryPrimitives.ReadUInt128BigEndian(bytes) >> 64 << 64;
    }
}
