using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Groundwork.Wire.Dns;

/// <summary>A record of the Internet's class.</summary>
/// <param name="Ttl">Seconds.</param>
/// <param name="Content">Its data, with no name in it compressed.</param>
public readonly record struct DnsRecord(DnsName Name, DnsType Type, uint Ttl, ReadOnlyMemory<byte> Content)
{
    /// <summary>Bytes of one text of a TXT record: its length has one byte.</summary>
    public const int MaxTextBytes = 255;

    /// <summary>Where a CNAME, NS or PTR leads; the root for a record of any other type.</summary>
    public DnsName Target => Type is DnsType.Cname or DnsType.Ns or DnsType.Ptr
        ? DnsName.OfWire(Content.Span)
        : DnsName.Root;

    public static DnsRecord OfAddress(DnsName name, uint ttl, IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return new DnsRecord(name, bytes.Length == 4 ? DnsType.A : DnsType.Aaaa, ttl, bytes);
    }

    /// <summary>CNAME, NS or PTR.</summary>
    public static DnsRecord OfName(DnsName name, DnsType type, uint ttl, DnsName target) =>
        new(name, type, ttl, target.Wire.ToArray());

    public static DnsRecord OfSrv(
        DnsName name, uint ttl, ushort priority, ushort weight, ushort port, DnsName target)
    {
        var bytes = new byte[6 + target.Wire.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, priority);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), weight);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), port);
        target.Wire.CopyTo(bytes.AsSpan(6));
        return new DnsRecord(name, DnsType.Srv, ttl, bytes);
    }

    public static DnsRecord OfMx(DnsName name, uint ttl, ushort preference, DnsName exchange)
    {
        var bytes = new byte[2 + exchange.Wire.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, preference);
        exchange.Wire.CopyTo(bytes.AsSpan(2));
        return new DnsRecord(name, DnsType.Mx, ttl, bytes);
    }

    /// <summary>Texts longer than 255 bytes go on in the next one; none makes one empty text (RFC 6763, 6.1).</summary>
    public static DnsRecord OfTexts(DnsName name, uint ttl, IEnumerable<string> texts)
    {
        var bytes = new List<byte>();
        foreach (var text in texts)
        {
            foreach (var part in Encoding.UTF8.GetBytes(text).Chunk(MaxTextBytes))
            {
                bytes.Add((byte)part.Length);
                bytes.AddRange(part);
            }
        }
        return new DnsRecord(name, DnsType.Txt, ttl, bytes.Count == 0 ? new byte[] { 0 } : bytes.ToArray());
    }

    /// <param name="minimum">Seconds for which it may be remembered that there is nothing.</param>
    public static DnsRecord OfSoa(
        DnsName name, uint ttl, DnsName server, DnsName mailbox, uint serial, uint minimum)
    {
        // What secondaries go by, of which there are none; common values.
        const uint Refresh = 3600, Retry = 600, Expire = 86_400;
        var names = server.Wire.Length + mailbox.Wire.Length;
        var bytes = new byte[names + 20];
        server.Wire.CopyTo(bytes);
        mailbox.Wire.CopyTo(bytes.AsSpan(server.Wire.Length));
        var numbers = bytes.AsSpan(names);
        foreach (var (at, number) in new[] { (0, serial), (4, Refresh), (8, Retry), (12, Expire), (16, minimum) })
            BinaryPrimitives.WriteUInt32BigEndian(numbers[at..], number);
        return new DnsRecord(name, DnsType.Soa, ttl, bytes);
    }
}
