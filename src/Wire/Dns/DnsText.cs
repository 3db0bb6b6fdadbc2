using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Groundwork.Wire.Dns;

/// <summary>What records and types look like to people.</summary>
public static class DnsText
{
    /// <summary>The type as it is written, such as <c>AAAA</c>; <c>TYPE65</c> for one without a name here.</summary>
    public static string Describe(DnsType type) => Enum.IsDefined(type)
        ? type.ToString().ToUpperInvariant()
        : string.Create(CultureInfo.InvariantCulture, $"TYPE{(ushort)type}");

    /// <summary>The type of <c>AAAA</c>, <c>28</c> or <c>TYPE28</c>; null for anything else.</summary>
    public static DnsType? ParseType(string text)
    {
        var digits = text.StartsWith("TYPE", StringComparison.OrdinalIgnoreCase) ? text[4..] : text;
        if (ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number == 0 ? null : (DnsType)number;
        return Enum.TryParse<DnsType>(text, ignoreCase: true, out var type) && Enum.IsDefined(type) ? type : null;
    }

    /// <summary>A record's data as zone files have it; <c>\# length hex</c> where nothing is known of it.</summary>
    public static string Describe(in DnsRecord record)
    {
        var content = record.Content.Span;
        var reader = new DnsReader(content);
        switch (record.Type)
        {
            case DnsType.A when content.Length == 4:
            case DnsType.Aaaa when content.Length == 16:
                return new IPAddress(content).ToString();
            case DnsType.Ns or DnsType.Cname or DnsType.Ptr when reader.TryRead(out DnsName? name):
                return name.ToString();
            case DnsType.Mx when reader.TryRead(out ushort preference) && reader.TryRead(out DnsName? exchange):
                return $"{preference} {exchange}";
            case DnsType.Srv when reader.TryRead(out ushort priority) && reader.TryRead(out ushort weight)
                && reader.TryRead(out ushort port) && reader.TryRead(out DnsName? target):
                return $"{priority} {weight} {port} {target}";
            case DnsType.Soa when reader.TryRead(out DnsName? server) && reader.TryRead(out DnsName? mailbox)
                && reader.TryRead(20, out var numbers):
                return $"{server} {mailbox} {Numbers(numbers)}";
            case DnsType.Txt or DnsType.Hinfo when DescribeTexts(content) is { } texts:
                return texts;
            default:
                return $"\\# {content.Length} {Convert.ToHexStringLower(content)}";
        }
    }

    private static string Numbers(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        for (; !bytes.IsEmpty; bytes = bytes[4..])
            text.Append(text.Length == 0 ? "" : " ").Append(BinaryPrimitives.ReadUInt32BigEndian(bytes));
        return text.ToString();
    }

    private static string? DescribeTexts(ReadOnlySpan<byte> content)
    {
        var text = new StringBuilder();
        var reader = new DnsReader(content);
        while (reader.TryRead(out byte length))
        {
            if (!reader.TryRead(length, out var part)) return null;
            if (text.Length > 0) text.Append(' ');
            text.Append('"');
            foreach (var value in part)
            {
                if (value is (byte)'"' or (byte)'\\') text.Append('\\').Append((char)value);
                else if (value is >= 0x20 and < 0x7F) text.Append((char)value);
                else text.Append(CultureInfo.InvariantCulture, $"\\{value:D3}");
            }
            text.Append('"');
        }
        return text.ToString();
    }
}
