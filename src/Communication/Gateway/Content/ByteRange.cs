using System.Buffers.Text;
using System.Text;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content;

/// <summary>What a client wants of a whole (RFC 9110, 14.2).</summary>
internal enum RangeWish
{
    /// <summary>All of it; also where what it says is not understood, or is several parts.</summary>
    Whole,

    Part,

    /// <summary>A part that there is none of: 416.</summary>
    None,
}

/// <summary>Reads a range of bytes.</summary>
internal static class ByteRange
{
    public static RangeWish Read(FieldTable fields, long length, out long from, out long count)
    {
        (from, count) = (0, length);
        var text = fields.First(KnownField.Range);
        if (text.Length < 6 || !Ascii.EqualsIgnoreCase(text[..6], "bytes="u8)) return RangeWish.Whole;
        text = text[6..].Trim(" \t"u8);
        var dash = text.IndexOf((byte)'-');
        if (dash < 0 || text.Contains((byte)',')) return RangeWish.Whole;
        var first = text[..dash].Trim(" \t"u8);
        var last = text[(dash + 1)..].Trim(" \t"u8);
        if (first.IsEmpty)
        {
            if (!TryNumber(last, out var suffix)) return RangeWish.Whole;
            if (suffix == 0 || length == 0) return RangeWish.None;
            count = Math.Min(suffix, length);
            from = length - count;
            return RangeWish.Part;
        }
        if (!TryNumber(first, out from)) return RangeWish.Whole;
        var end = length - 1;
        if (!last.IsEmpty)
        {
            if (!TryNumber(last, out end) || end < from)
            {
                from = 0;
                return RangeWish.Whole;
            }
        }
        if (from >= length) return RangeWish.None;
        count = Math.Min(end, length - 1) - from + 1;
        return RangeWish.Part;
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, out long number) =>
        Utf8Parser.TryParse(text, out number, out var consumed) && consumed == text.Length && text.Length > 0
        && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9');
}
