using System.Globalization;
using System.Text;

namespace Groundwork.Wire.Http1;

/// <summary>
/// What the fields of a head say about its body (RFC 9112, 6), read so that nobody can read them otherwise.
/// </summary>
internal static class BodyRules
{
    /// <summary>Digits of a length that fits in 63 bits; leading zeros count.</summary>
    private const int MaxDigits = 18;

    /// <param name="length">-1 when there is none.</param>
    public static HeadFault Read(FieldTable fields, int minorVersion, out bool chunked, out long length)
    {
        chunked = false;
        length = -1;
        if (!fields.Has(KnownField.ContentLength) && !fields.Has(KnownField.TransferEncoding)) return HeadFault.None;
        foreach (ref readonly var field in fields.Fields)
        {
            if (field.Known == KnownField.ContentLength)
            {
                if (!TryReadLength(fields.ValueOf(field), out var read) || (length >= 0 && length != read))
                    return HeadFault.ContentLength;
                length = read;
            }
            else if (field.Known == KnownField.TransferEncoding)
            {
                // Chunked alone, once, and not from before there were chunks.
                if (chunked || minorVersion == 0 || !Ascii.EqualsIgnoreCase(fields.ValueOf(field), "chunked"u8))
                    return HeadFault.TransferCoding;
                chunked = true;
            }
        }
        return HeadFault.None;
    }

    // No sign, no blank, no list: digits.
    private static bool TryReadLength(ReadOnlySpan<byte> text, out long length)
    {
        length = 0;
        return text.Length is > 0 and <= MaxDigits
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out length);
    }
}
