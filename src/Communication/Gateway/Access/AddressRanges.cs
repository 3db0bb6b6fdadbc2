using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>Networks as ranges in order: who is in one of a thousand is found in ten steps.</summary>
internal sealed class AddressRanges
{
    private readonly ImmutableArray<(uint From, uint To)> four;
    private readonly ImmutableArray<(UInt128 From, UInt128 To)> six;

    private AddressRanges(ImmutableArray<(uint From, uint To)> four, ImmutableArray<(UInt128 From, UInt128 To)> six)
    {
        this.four = four;
        this.six = six;
    }

    /// <summary>Networks as <see cref="MatchRules.TryReadNetwork"/> reads them. Null when one is none.</summary>
    public static AddressRanges? Compile(IEnumerable<string> texts)
    {
        var (four, six) = (new List<(uint From, uint To)>(), new List<(UInt128 From, UInt128 To)>());
        foreach (var text in texts)
        {
            if (!MatchRules.TryReadNetwork(text, out var network)) return null;
            var first = network.BaseAddress;
            if (first.AddressFamily == AddressFamily.InterNetwork)
            {
                var from = BinaryPrimitives.ReadUInt32BigEndian(first.GetAddressBytes());
                // A shift by all bits would be none.
                four.Add((from, from | (network.PrefixLength == 32 ? 0 : uint.MaxValue >>> network.PrefixLength)));
            }
            else
            {
                var from = BinaryPrimitives.ReadUInt128BigEndian(first.GetAddressBytes());
                six.Add((from, from | (network.PrefixLength == 128
                    ? UInt128.Zero
                    : UInt128.MaxValue >>> network.PrefixLength)));
            }
        }
        return new AddressRanges(Merge(four), Merge(six));
    }

    /// <summary>An IPv4 address that comes as an IPv6 one is what it stands for.</summary>
    public bool Contains(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var length)) return false;
        if (length == 4) return Contains(four.AsSpan(), BinaryPrimitives.ReadUInt32BigEndian(bytes));
        var value = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return value >> 32 == 0xffff
            ? Contains(four.AsSpan(), (uint)(value & uint.MaxValue))
            : Contains(six.AsSpan(), value);
    }

    private static bool Contains<T>(ReadOnlySpan<(T From, T To)> ranges, T value)
        where T : IComparable<T>
    {
        var (low, high) = (0, ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            if (value.CompareTo(ranges[middle].From) < 0) high = middle - 1;
            else if (value.CompareTo(ranges[middle].To) > 0) low = middle + 1;
            else return true;
        }
        return false;
    }

    // Networks contain each other or have nothing in common, so that a range inside the last one adds nothing.
    private static ImmutableArray<(T From, T To)> Merge<T>(List<(T From, T To)> ranges)
        where T : IComparable<T>
    {
        ranges.Sort(static (one, other) => one.From.CompareTo(other.From) is not 0 and var order
            ? order
            : other.To.CompareTo(one.To));
        var merged = ImmutableArray.CreateBuilder<(T From, T To)>(ranges.Count);
        foreach (var range in ranges)
            if (merged.Count == 0 || range.To.CompareTo(merged[^1].To) > 0) merged.Add(range);
        return merged.ToImmutable();
    }
}
