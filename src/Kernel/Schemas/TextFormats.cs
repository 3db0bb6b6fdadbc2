using System.Buffers;
using System.Buffers.Text;

namespace Groundwork.Kernel.Schemas;

/// <summary>Formats of texts that are neither times nor addresses.</summary>
internal static class TextFormats
{
    private const int UuidLength = 36;

    /// <summary>RFC 9562, 4: hexadecimal digits in groups of 8, 4, 4, 4 and 12.</summary>
    public static bool IsUuid(string text)
    {
        if (text.Length != UuidLength) return false;
        for (var at = 0; at < text.Length; at++)
            if (at is 8 or 13 or 18 or 23 ? text[at] != '-' : !char.IsAsciiHexDigit(text[at])) return false;
        return true;
    }

    public static bool IsBase64(string text) =>
        text.Length % 4 == 0 && text.AsSpan().IndexOfAny(" \t\r\n") < 0 && Base64.IsValid(text);

    /// <summary>RFC 6901, 3.</summary>
    public static bool IsJsonPointer(string text)
    {
        if (text.Length > 0 && text[0] != '/') return false;
        for (var at = 0; at < text.Length; at++)
            if (text[at] == '~' && (at + 1 == text.Length || text[at + 1] is not ('0' or '1'))) return false;
        return true;
    }

    // Not run, only read; that of a text that comes with each request must not cost an automaton.
    public static bool IsPattern(string text) =>
        text.Length <= SchemaPattern.MaxLength && SchemaPattern.IsPattern(text);
}
