namespace Groundwork.Communication.Gateway.OpenApi.Requests;

/// <summary>Percent escapes where a plus is a plus: in paths and cookies.</summary>
internal static class Percents
{
    /// <summary>Decodes; the result is never longer. A half escape stands for itself.</summary>
    public static int Decode(ReadOnlySpan<byte> text, Span<byte> target)
    {
        var length = 0;
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '%' && at + 2 < text.Length && char.IsAsciiHexDigit((char)text[at + 1])
                && char.IsAsciiHexDigit((char)text[at + 2]))
            {
                target[length++] = (byte)((Digit(text[at + 1]) << 4) | Digit(text[at + 2]));
                at += 2;
            }
            else
            {
                target[length++] = text[at];
            }
        }
        return length;
    }

    private static int Digit(byte hex) => hex <= '9' ? hex - '0' : (hex | 0x20) - 'a' + 10;
}
