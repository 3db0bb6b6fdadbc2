using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Groundwork.Wire.Dns;

/// <summary>
/// Reads the parts of a message, whoever wrote it: every length is checked, and a pointer leads back only, so that a
/// name ends.
/// </summary>
internal ref struct DnsReader(ReadOnlySpan<byte> message)
{
    private const int PointerBits = 0xC0;

    private readonly ReadOnlySpan<byte> message = message;

    /// <summary>Where the next part begins.</summary>
    public int Position { get; set; }

    public readonly int Left => message.Length - Position;

    public bool TryRead(out byte value)
    {
        value = 0;
        if (Left < 1) return false;
        value = message[Position++];
        return true;
    }

    public bool TryRead(out ushort value)
    {
        value = 0;
        if (Left < 2) return false;
        value = BinaryPrimitives.ReadUInt16BigEndian(message[Position..]);
        Position += 2;
        return true;
    }

    public bool TryRead(out uint value)
    {
        value = 0;
        if (Left < 4) return false;
        value = BinaryPrimitives.ReadUInt32BigEndian(message[Position..]);
        Position += 4;
        return true;
    }

    public bool TryRead(int length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (length < 0 || Left < length) return false;
        bytes = message.Slice(Position, length);
        Position += length;
        return true;
    }

    public bool TryRead([NotNullWhen(true)] out DnsName? name)
    {
        Span<byte> bytes = stackalloc byte[DnsLimits.MaxNameBytes];
        name = TryReadName(bytes, out var length) ? DnsName.OfWire(bytes[..length]) : null;
        return name is not null;
    }

    /// <summary>Passes a name by.</summary>
    public bool TrySkipName() => TryReadName(stackalloc byte[DnsLimits.MaxNameBytes], out _);

    private bool TryReadName(scoped Span<byte> into, out int length)
    {
        length = 0;
        var at = Position;
        var end = -1; // Where the name ends in place: behind its first pointer, if it has one.
        var before = Position; // A pointer leads before the part that it stands in (RFC 1035: to a prior occurrence).
        while (at < message.Length)
        {
            var head = message[at];
            if ((head & PointerBits) == PointerBits)
            {
                if (at + 1 >= message.Length) return false;
                var target = ((head & ~PointerBits) << 8) | message[at + 1];
                if (end < 0) end = at + 2;
                if (target >= before) return false;
                at = before = target;
                continue;
            }
            // The two other kinds of heads are of no protocol that lives.
            if (head > DnsLimits.MaxLabelBytes || at + 1 + head > message.Length) return false;
            if (length + 1 + head > into.Length - (head == 0 ? 0 : 1)) return false;
            message.Slice(at, head + 1).CopyTo(into[length..]);
            length += head + 1;
            at += head + 1;
            if (head != 0) continue;
            Position = end < 0 ? at : end;
            return true;
        }
        return false;
    }
}
