using System.Buffers.Binary;
using System.Net;

namespace Groundwork.Wire.Dns;

/// <summary>What to do with bytes that came as a query.</summary>
public enum DnsQueryVerdict
{
    /// <summary>It is one.</summary>
    Query,

    /// <summary>It is answered with the header alone, and the code of <see cref="DnsQuery.Refusal"/>.</summary>
    Refused,

    /// <summary>No answer at all: it is too short to have one, or is itself an answer.</summary>
    Dropped,
}

/// <summary>The client's network, as a resolver in front of us says it (RFC 7871).</summary>
public readonly record struct DnsClientSubnet(IPAddress Address, byte PrefixLength);

/// <summary>One question, with what goes with it.</summary>
public sealed class DnsQuery
{
    private const ushort ClientSubnetOption = 8;

    public ushort Id { get; private init; }

    public bool RecursionDesired { get; private init; }

    public bool CheckingDisabled { get; private init; }

    /// <summary>As it came, so that an answer repeats its case.</summary>
    public DnsName Name { get; private init; } = DnsName.Root;

    public DnsType Type { get; private init; }

    public ushort Class { get; private init; }

    /// <summary>True when it has an OPT record, and so wants one back.</summary>
    public bool HasEdns { get; private set; }

    public byte EdnsVersion { get; private set; }

    public bool DnssecOk { get; private set; }

    /// <summary>Bytes that the client takes over UDP.</summary>
    public int DatagramBytes { get; private set; } = DnsLimits.PlainDatagramBytes;

    public DnsClientSubnet? ClientSubnet { get; private set; }

    /// <summary>With <see cref="DnsQueryVerdict.Refused"/>: why.</summary>
    public DnsRcode Refusal { get; private init; }

    /// <summary>The operation, for the answer's header.</summary>
    public byte Opcode { get; private init; }

    /// <summary>True when there is a question for the answer to repeat.</summary>
    public bool HasQuestion { get; private init; }

    /// <summary>A question of ours.</summary>
    public static DnsQuery Of(DnsName name, DnsType type, ushort id = 0, DnsClientSubnet? subnet = null) => new()
    {
        ClientSubnet = subnet,
        Id = id, Name = name, Type = type, Class = DnsLimits.ClassInternet, RecursionDesired = true, HasQuestion = true,
        HasEdns = true, DatagramBytes = DnsLimits.MaxDatagramBytes,
    };

    public static DnsQueryVerdict Read(ReadOnlySpan<byte> message, out DnsQuery query)
    {
        query = new DnsQuery();
        if (message.Length < DnsLimits.HeaderBytes) return DnsQueryVerdict.Dropped;
        var id = BinaryPrimitives.ReadUInt16BigEndian(message);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        if ((flags & 0x8000) != 0) return DnsQueryVerdict.Dropped;
        var opcode = (byte)((flags >> 11) & 0xF);
        var (desired, disabled) = ((flags & 0x0100) != 0, (flags & 0x0010) != 0);
        if (opcode != 0) return Refuse(DnsRcode.NotImp, out query);
        var questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        var answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        var authority = BinaryPrimitives.ReadUInt16BigEndian(message[8..]);
        var additional = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        var reader = new DnsReader(message) { Position = DnsLimits.HeaderBytes };
        if (questions != 1 || answers != 0 || authority != 0 || additional > DnsLimits.MaxQueryRecords
            || !reader.TryRead(out DnsName? name) || !reader.TryRead(out ushort type)
            || !reader.TryRead(out ushort @class)) return Refuse(DnsRcode.FormErr, out query);
        query = new DnsQuery
        {
            Id = id, Opcode = opcode, RecursionDesired = desired, CheckingDisabled = disabled, Name = name,
            Type = (DnsType)type, Class = @class, HasQuestion = true,
        };
        return query.ReadAdditional(ref reader, additional) && reader.Left == 0
            ? DnsQueryVerdict.Query
            : Refuse(DnsRcode.FormErr, out query);

        DnsQueryVerdict Refuse(DnsRcode code, out DnsQuery refused)
        {
            refused = new DnsQuery
            {
                Id = id, Opcode = opcode, RecursionDesired = desired, CheckingDisabled = disabled, Refusal = code,
            };
            return DnsQueryVerdict.Refused;
        }
    }

    private bool ReadAdditional(ref DnsReader reader, int count)
    {
        for (; count > 0; count--)
        {
            var nameAt = reader.Position;
            if (!reader.TryRead(out DnsName? owner) || !reader.TryRead(out ushort type)
                || !reader.TryRead(out ushort @class) || !reader.TryRead(out uint ttl)
                || !reader.TryRead(out ushort length) || !reader.TryRead(length, out ReadOnlySpan<byte> content))
                return false;
            if ((DnsType)type != DnsType.Opt) continue;
            // One, of the root (RFC 6891, 6.1.1), which is one byte long where nothing plays tricks.
            if (HasEdns || !owner.IsRoot || reader.Position - nameAt != 11 + length) return false;
            HasEdns = true;
            EdnsVersion = (byte)(ttl >> 16);
            DnssecOk = (ttl & 0x8000) != 0;
            DatagramBytes = Math.Clamp((int)@class, DnsLimits.PlainDatagramBytes, DnsLimits.MaxDatagramBytes);
            if (!ReadOptions(content)) return false;
        }
        return true;
    }

    private bool ReadOptions(ReadOnlySpan<byte> content)
    {
        var reader = new DnsReader(content);
        while (reader.Left > 0)
        {
            if (!reader.TryRead(out ushort code) || !reader.TryRead(out ushort length)
                || !reader.TryRead(length, out ReadOnlySpan<byte> value)) return false;
            if (code == ClientSubnetOption && !ReadSubnet(value)) return false;
        }
        return true;
    }

    private bool ReadSubnet(ReadOnlySpan<byte> value)
    {
        if (value.Length < 4 || ClientSubnet is not null) return false;
        var family = BinaryPrimitives.ReadUInt16BigEndian(value);
        var (prefix, scope) = (value[2], value[3]);
        var size = family switch { 1 => 4, 2 => 16, _ => 0 };
        // As long as the prefix says, and no longer (RFC 7871, 6); a family that is not known is nobody's fault.
        if (size == 0) return true;
        if (prefix > size * 8 || scope != 0 || value.Length - 4 != (prefix + 7) / 8) return false;
        Span<byte> address = stackalloc byte[size];
        address.Clear();
        value[4..].CopyTo(address);
        if (prefix % 8 != 0 && (address[prefix / 8] & (0xFF >> (prefix % 8))) != 0) return false;
        ClientSubnet = new DnsClientSubnet(new IPAddress(address), prefix);
        return true;
    }
}
