using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// Makes lines of entries. Whatever a client sends stays inside its own text: control characters, quotes, backslashes
/// and bytes that are no UTF-8 are escaped, so that a line is a line.
/// </summary>
internal static class AccessLine
{
    private static readonly SearchValues<byte> PlainInJson = SearchValues.Create(
        Enumerable.Range(0x20, 0x5f).Select(value => (byte)value).Where(value => value is not ((byte)'"' or (byte)'\\'))
            .ToArray());

    public static void WriteJson(ReadOnlySpan<byte> entry, ArrayBufferWriter<byte> output)
    {
        var reader = new EntryReader(entry);
        ref readonly var head = ref reader.Head;
        Add(output, "{\"time\":\""u8);
        Add(output, new DateTime(head.At, DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
            CultureInfo.InvariantCulture));
        Add(output, "\",\"trace\":\""u8);
        Add(output, reader.Trace);
        Add(output, "\",\"request\":\""u8);
        Add(output, reader.Request);
        Add(output, "\",\"sampled\":"u8);
        Add(output, head.IsSampled == 1 ? "true"u8 : "false"u8);
        Text(output, ",\"client\":"u8, reader.Next(head.Client));
        Text(output, ",\"method\":"u8, reader.Next(head.Method));
        Text(output, ",\"host\":"u8, reader.Next(head.Host));
        Text(output, ",\"path\":"u8, reader.Next(head.Path));
        Text(output, ",\"protocol\":"u8, ProtocolOf(head.Protocol));
        Number(output, ",\"status\":"u8, head.Status);
        Number(output, ",\"bytesIn\":"u8, head.BytesIn);
        Number(output, ",\"bytesOut\":"u8, head.BytesOut);
        Millis(output, ",\"ms\":"u8, head.Micros);
        Number(output, ",\"attempts\":"u8, head.Attempts);
        var referer = reader.Next(head.Referer);
        var agent = reader.Next(head.Agent);
        Text(output, ",\"route\":"u8, reader.Next(head.Route));
        Text(output, ",\"instance\":"u8, reader.Next(head.Instance));
        Text(output, ",\"code\":"u8, reader.Next(head.Code));
        Text(output, ",\"referer\":"u8, referer);
        Text(output, ",\"agent\":"u8, agent);
        Add(output, "}\n"u8);
    }

    // client - - [time] "request line" status bytes "referer" "agent" and ours by their names.
    public static void WriteCombined(ReadOnlySpan<byte> entry, ArrayBufferWriter<byte> output)
    {
        var reader = new EntryReader(entry);
        ref readonly var head = ref reader.Head;
        Escaped(output, reader.Next(head.Client), "-"u8);
        var method = reader.Next(head.Method);
        var host = reader.Next(head.Host);
        var path = reader.Next(head.Path);
        var referer = reader.Next(head.Referer);
        var agent = reader.Next(head.Agent);
        Add(output, " - - ["u8);
        Add(output, new DateTime(head.At, DateTimeKind.Utc).ToString("dd/MMM/yyyy:HH:mm:ss +0000",
            CultureInfo.InvariantCulture));
        Add(output, "] \""u8);
        Escaped(output, method, "-"u8);
        Add(output, " "u8);
        Escaped(output, path, "-"u8);
        Add(output, " "u8);
        Add(output, ProtocolOf(head.Protocol));
        Number(output, "\" "u8, head.Status);
        Number(output, " "u8, head.BytesOut);
        Add(output, " \""u8);
        Escaped(output, referer, "-"u8);
        Add(output, "\" \""u8);
        Escaped(output, agent, "-"u8);
        Add(output, "\" trace="u8);
        Add(output, reader.Trace);
        Add(output, " request="u8);
        Add(output, reader.Request);
        Add(output, " host="u8);
        Escaped(output, host, "-"u8);
        Add(output, " route="u8);
        Escaped(output, reader.Next(head.Route), "-"u8);
        Add(output, " instance="u8);
        Escaped(output, reader.Next(head.Instance), "-"u8);
        Add(output, " code="u8);
        Escaped(output, reader.Next(head.Code), "-"u8);
        Millis(output, " ms="u8, head.Micros);
        Add(output, "\n"u8);
    }

    private static ReadOnlySpan<byte> ProtocolOf(byte protocol) =>
        protocol switch { 0 => "HTTP/1.0"u8, 1 => "HTTP/1.1"u8, _ => "HTTP/2.0"u8 };

    // Left out when there is none.
    private static void Text(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return;
        Add(output, name);
        Add(output, "\""u8);
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAnyExcept(PlainInJson);
            if (plain < 0) plain = text.Length;
            Add(output, text[..plain]);
            text = text[plain..];
            if (text.IsEmpty) break;
            var status = Rune.DecodeFromUtf8(text, out var rune, out var consumed);
            // What is no UTF-8, and what some terminal or reader takes for an end of a line or an order.
            if (status != OperationStatus.Done) Add(output, "\\ufffd"u8);
            else if (rune.Value < 0xa0 || rune.Value is 0x2028 or 0x2029)
                Add(output, string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"));
            else Add(output, text[..consumed]);
            text = text[consumed..];
        }
        Add(output, "\""u8);
    }

    // As nginx does: everything but printable ASCII by its number, and what ends a text too.
    private static void Escaped(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> text, ReadOnlySpan<byte> none)
    {
        if (text.IsEmpty) Add(output, none);
        foreach (var value in text)
        {
            if (value is >= 0x20 and < 0x7f and not ((byte)'"' or (byte)'\\'))
            {
                output.GetSpan(1)[0] = value;
                output.Advance(1);
            }
            else Add(output, string.Create(CultureInfo.InvariantCulture, $"\\x{value:X2}"));
        }
    }

    private static void Number(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, long value)
    {
        Add(output, name);
        Utf8Formatter.TryFormat(value, output.GetSpan(20), out var written); // The longest there is.
        output.Advance(written);
    }

    private static void Millis(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> name, long micros)
    {
        Number(output, name, micros / 1000);
        Add(output, "."u8);
        Utf8Formatter.TryFormat(micros % 1000, output.GetSpan(20), out var written, new StandardFormat('D', 3));
        output.Advance(written);
    }

    private static void Add(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> bytes) => output.Write(bytes);

    private static void Add(ArrayBufferWriter<byte> output, string ascii) => Encoding.ASCII.GetBytes(ascii, output);

    private ref struct EntryReader(ReadOnlySpan<byte> entry)
    {
        private ReadOnlySpan<byte> rest = entry[(AccessEntry.Size + AccessEntry.IdBytes)..];
        private readonly ReadOnlySpan<byte> all = entry;

        public readonly ref readonly AccessEntry Head => ref MemoryMarshal.AsRef<AccessEntry>(all);

        public readonly ReadOnlySpan<byte> Trace => all.Slice(AccessEntry.Size, 32);

        public readonly ReadOnlySpan<byte> Request => all.Slice(AccessEntry.Size + 32, 16);

        public ReadOnlySpan<byte> Next(int length)
        {
            var text = rest[..length];
            rest = rest[length..];
            return text;
        }
    }
}
