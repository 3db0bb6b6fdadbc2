using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Groundwork.Wire.Dns;

/// <summary>A whole message, such as the answer of another server, with its names uncompressed.</summary>
public sealed class DnsMessage
{
    /// <summary>Records of one message: as many of the smallest as 64 KiB hold would be 5,000.</summary>
    private const int MaxRecords = 2_000;

    public ushort Id { get; private init; }

    public ushort Flags { get; private init; }

    public bool IsResponse => (Flags & 0x8000) != 0;

    public bool Truncated => (Flags & 0x0200) != 0;

    public bool Authoritative => (Flags & 0x0400) != 0;

    public bool RecursionAvailable => (Flags & 0x0080) != 0;

    public DnsRcode Rcode => (DnsRcode)(Flags & 0xF);

    /// <summary>Null when there is none; of several the first.</summary>
    public DnsName? Name { get; private set; }

    public DnsType Type { get; private set; }

    public List<DnsRecord> Answers { get; } = [];

    public List<DnsRecord> Authority { get; } = [];

    /// <summary>Without OPT.</summary>
    public List<DnsRecord> Additional { get; } = [];

    /// <summary>Reads a message; false for what is none, whatever its bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DnsMessage? message)
    {
        message = null;
        if (bytes.Length < DnsLimits.HeaderBytes) return false;
        var read = new DnsMessage
        {
            Id = BinaryPrimitives.ReadUInt16BigEndian(bytes), Flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
        };
        var questions = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        int answers = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        int authority = BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]);
        int additional = BinaryPrimitives.ReadUInt16BigEndian(bytes[10..]);
        if (questions > 1 || answers + authority + additional > MaxRecords) return false;
        var reader = new DnsReader(bytes) { Position = DnsLimits.HeaderBytes };
        if (questions == 1)
        {
            if (!reader.TryRead(out DnsName? name) || !reader.TryRead(out ushort type)
                || !reader.TryRead(out ushort _)) return false;
            (read.Name, read.Type) = (name, (DnsType)type);
        }
        if (!TryRead(bytes, ref reader, answers, read.Answers) || !TryRead(bytes, ref reader, authority, read.Authority)
            || !TryRead(bytes, ref reader, additional, read.Additional)) return false;
        message = read;
        return true;
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, ref DnsReader reader, int count, List<DnsRecord> into)
    {
        for (; count > 0; count--)
        {
            if (!reader.TryRead(out DnsName? name) || !reader.TryRead(out ushort type) || !reader.TryRead(out ushort _)
                || !reader.TryRead(out uint ttl) || !reader.TryRead(out ushort length)) return false;
            var start = reader.Position;
            if (!reader.TryRead(length, out ReadOnlySpan<byte> content)) return false;
            if ((DnsType)type == DnsType.Opt) continue;
            var plain = WithoutPointers(bytes, start, content, (DnsType)type);
            if (plain is null) return false;
            into.Add(new DnsRecord(name, (DnsType)type, ttl, plain));
        }
        return true;
    }

    // Names in these types may be compressed (RFC 3597, 4), and would point into a message that is gone.
    private static byte[]? WithoutPointers(
        ReadOnlySpan<byte> bytes, int start, ReadOnlySpan<byte> content, DnsType type)
    {
        var (before, names) = type switch
        {
            DnsType.Ns or DnsType.Cname or DnsType.Ptr => (0, 1),
            DnsType.Mx => (2, 1),
            DnsType.Srv => (6, 1),
            DnsType.Soa => (0, 2),
            _ => (content.Length, 0),
        };
        if (names == 0) return content.ToArray();
        if (content.Length < before) return null;
        var plain = new List<byte>(content[..before].ToArray());
        var reader = new DnsReader(bytes[..(start + content.Length)]) { Position = start + before };
        for (; names > 0; names--)
        {
            if (!reader.TryRead(out DnsName? name)) return null;
            plain.AddRange(name.Wire);
        }
        var after = content[(reader.Position - start)..];
        if (after.Length != (type == DnsType.Soa ? 20 : 0)) return null;
        plain.AddRange(after);
        return [.. plain];
    }
}
