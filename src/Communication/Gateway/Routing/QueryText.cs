using System.Buffers;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>Reads a query as forms write it: <c>a=1&amp;b=two+words&amp;c=%C3%A9</c>.</summary>
internal static class QueryText
{
    private static readonly SearchValues<byte> Escapes = SearchValues.Create("%+"u8);

    /// <summary>Takes the next parameter off the front; the value is empty where there is none.</summary>
    public static bool TryTakeNext(
        scoped ref ReadOnlySpan<byte> query, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!query.IsEmpty)
        {
            var end = query.IndexOf((byte)'&');
            var parameter = end < 0 ? query : query[..end];
            query = end < 0 ? [] : query[(end + 1)..];
            if (parameter.IsEmpty) continue;
            var equals = parameter.IndexOf((byte)'=');
            name = equals < 0 ? parameter : parameter[..equals];
            value = equals < 0 ? [] : parameter[(equals + 1)..];
            return true;
        }
        name = value = [];
        return false;
    }

    public static bool IsEscaped(ReadOnlySpan<byte> text) => text.ContainsAny(Escapes);

    /// <summary>True when the text, decoded, is the other.</summary>
    public static bool Means(ReadOnlySpan<byte> text, ReadOnlySpan<byte> plain)
    {
        if (!IsEscaped(text)) return text.SequenceEqual(plain);
        for (var at = 0; at < text.Length; plain = plain[1..])
            if (plain.IsEmpty || plain[0] != Next(text, ref at)) return false;
        return plain.IsEmpty;
    }

    /// <summary>Decodes; the result is never longer than the text. A half escape stands for itself.</summary>
    public static int Decode(ReadOnlySpan<byte> text, Span<byte> target)
    {
        var length = 0;
        for (var at = 0; at < text.Length;) target[length++] = Next(text, ref at);
        return length;
    }

    private static byte Next(ReadOnlySpan<byte> text, ref int at)
    {
        var value = text[at++];
        if (value == '+') return (byte)' ';
        if (value != '%' || at + 2 > text.Length) return value;
        var (high, low) = (char.ToLowerInvariant((char)text[at]), char.ToLowerInvariant((char)text[at + 1]));
        if (!char.IsAsciiHexDigit(high) || !char.IsAsciiHexDigit(low)) return value;
        at += 2;
        return (byte)(Digit(high) << 4 | Digit(low));
    }

    private static int Digit(char hex) => hex <= '9' ? hex - '0' : hex - 'a' + 10;
}
