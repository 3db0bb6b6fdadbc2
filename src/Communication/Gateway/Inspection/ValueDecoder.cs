using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>What was odd about how a value was written.</summary>
[Flags]
internal enum Oddity
{
    None = 0,

    /// <summary>It has a NUL.</summary>
    Nul = 1,

    /// <summary>A character of ASCII is written in more bytes than it has.</summary>
    Overlong = 2,
}

/// <summary>
/// Turns what was sent into what programs on the way may make of it: escapes of addresses, of HTML and of scripts
/// undone, several of them over each other, and the one spelling of what has several. Everything shrinks or stays as
/// long, so that it is done in place; each pass is linear.
/// </summary>
internal static class ValueDecoder
{
    /// <summary>Codings over each other that are undone: two are met with, a third is somebody's attempt.</summary>
    public const int MaxPasses = 4;

    /// <summary>Characters of an entity of HTML or a number in one.</summary>
    private const int MaxEntity = 10;

    private static readonly SearchValues<byte> Marks = SearchValues.Create("%&\\"u8);

    /// <summary>The entities by which characters are hidden that mean something to a parser.</summary>
    private static readonly WordTable<byte> Entities = new(
        ((byte)'<', "lt LT"), ((byte)'>', "gt GT"), ((byte)'"', "quot QUOT"), ((byte)'\'', "apos"),
        ((byte)'&', "amp AMP"), ((byte)'(', "lpar"), ((byte)')', "rpar"), ((byte)':', "colon"), ((byte)'/', "sol"),
        ((byte)'\\', "bsol"), ((byte)'=', "equals"), ((byte)';', "semi"), ((byte)'.', "period"), ((byte)',', "comma"),
        ((byte)' ', "nbsp"), ((byte)'\t', "Tab"), ((byte)'\n', "NewLine"), ((byte)'`', "grave"), ((byte)'$', "dollar"),
        ((byte)'{', "lcub lbrace"), ((byte)'}', "rcub rbrace"), ((byte)'|', "verbar vert"), ((byte)'#', "num"),
        ((byte)'*', "ast"), ((byte)'%', "percnt"), ((byte)'+', "plus"), ((byte)'!', "excl"), ((byte)'[', "lsqb lbrack"),
        ((byte)']', "rsqb rbrack"), ((byte)'_', "lowbar"), ((byte)'-', "hyphen"));

    /// <summary>Undoes the escapes of an address once, as the service will.</summary>
    /// <param name="plusIsSpace">True in queries and forms.</param>
    public static int Unescape(ReadOnlySpan<byte> text, Span<byte> into, bool plusIsSpace)
    {
        var length = 0;
        for (var at = 0; at < text.Length;)
        {
            if (TryPercent(text[at..], out var value, out var taken)) at += taken;
            else
            {
                value = text[at] == '+' && plusIsSpace ? ' ' : text[at];
                at++;
            }
            length += Put(value, into[length..]);
        }
        return length;
    }

    /// <summary>Undoes whatever there is of escapes, until there are none or it is enough.</summary>
    /// <returns>How long it is now; as long as before where nothing was found.</returns>
    public static int UnescapeAll(Span<byte> text)
    {
        var length = text.Length;
        for (var pass = 0; pass < MaxPasses; pass++)
        {
            var shorter = Pass(text[..length]);
            if (shorter == length) return length;
            length = shorter;
        }
        return length;
    }

    /// <summary>True for text in which an escape may stand.</summary>
    public static bool MayBeEscaped(ReadOnlySpan<byte> text) => text.ContainsAny(Marks);

    /// <summary>
    /// Brings text to the form that rules look at: lower case, controls as blanks but for line ends, wide forms and
    /// overlong bytes as the characters that they are taken for, no NUL.
    /// </summary>
    public static int Fold(Span<byte> text, ref Oddity oddity)
    {
        var length = 0;
        for (var at = 0; at < text.Length;)
        {
            var one = text[at];
            if (one >= 0x80)
            {
                var taken = FoldWide(text[at..], out var folded, ref oddity);
                at += taken;
                if (folded != 0) text[length++] = folded;
                else
                    for (var kept = taken; kept > 0; kept--) text[length++] = text[at - kept];
                continue;
            }
            at++;
            if (one == 0) oddity |= Oddity.Nul;
            else if (one is >= (byte)'A' and <= (byte)'Z') text[length++] = (byte)(one | 0x20);
            else if (one < ' ' && one != '\n') text[length++] = (byte)' ';
            else text[length++] = one;
        }
        return length;
    }

    // Bytes taken, and the character of ASCII that they stand for; 0: they stand for themselves.
    private static int FoldWide(ReadOnlySpan<byte> text, out byte folded, ref Oddity oddity)
    {
        folded = 0;
        if (text is [0xC0 or 0xC1, >= 0x80 and <= 0xBF, ..])
            return Overlong(text[0] & 0x1F, text[1], 2, out folded, ref oddity);
        if (text is [0xE0, 0x80 or 0x81, >= 0x80 and <= 0xBF, ..])
            return Overlong(text[1] & 0x3F, text[2], 3, out folded, ref oddity);
        if (text is [0xF0, 0x80, 0x80 or 0x81, >= 0x80 and <= 0xBF, ..])
            return Overlong(text[2] & 0x3F, text[3], 4, out folded, ref oddity);
        // U+FF01 to U+FF5E, the wide forms of ASCII, which some databases narrow.
        if (text is [0xEF, 0xBC or 0xBD, >= 0x80 and <= 0xBF, ..])
        {
            var value = ((text[1] & 0x3F) << 6 | (text[2] & 0x3F)) - 0xF00 + 0x20;
            if (value is > 0x20 and < 0x7F)
            {
                folded = (byte)(value is >= 'A' and <= 'Z' ? value | 0x20 : value);
                return 3;
            }
        }
        if (text is [0xCA, 0xBC or 0xB9, ..]) // U+02BC and U+02B9, which are narrowed to an apostrophe.
        {
            folded = (byte)'\'';
            return 2;
        }
        if (text is [0xC2, 0xA0, ..]) // A blank that does not break.
        {
            folded = (byte)' ';
            return 2;
        }
        return 1;
    }

    // Only of characters that mean something: in other character sets than UTF-8 the same bytes are ordinary letters.
    private static int Overlong(int high, int low, int taken, out byte folded, ref Oddity oddity)
    {
        var value = (high << 6 | (low & 0x3F)) & 0x7F;
        folded = 0;
        if (char.IsAsciiLetterOrDigit((char)value) || value < ' ') return taken;
        oddity |= Oddity.Overlong;
        folded = (byte)value;
        return taken;
    }

    private static int Pass(Span<byte> text)
    {
        var next = text.IndexOfAny(Marks);
        if (next < 0) return text.Length;
        var length = next;
        for (var at = next; at < text.Length;)
        {
            var rest = (ReadOnlySpan<byte>)text[at..];
            if (TryEscape(rest, out var value, out var taken))
            {
                at += taken;
                length += Put(value, text[length..]); // An escape is never shorter than what it stands for.
                continue;
            }
            text[length++] = rest[0];
            at++;
        }
        return length;
    }

    private static bool TryEscape(ReadOnlySpan<byte> text, out int value, out int taken)
    {
        switch (text[0])
        {
            case (byte)'%': return TryPercent(text, out value, out taken);
            case (byte)'&': return TryEntity(text, out value, out taken);
            case (byte)'\\': return TryBackslash(text, out value, out taken);
            default:
                (value, taken) = (0, 0);
                return false;
        }
    }

    // %41 is a byte; %u0041 a character.
    private static bool TryPercent(ReadOnlySpan<byte> text, out int value, out int taken)
    {
        if (text is [(byte)'%', (byte)'u' or (byte)'U', ..] && text.Length >= 6 && TryHex(text.Slice(2, 4), out value))
        {
            taken = 6;
            value = value < 0x80 ? value : value | Character;
            return true;
        }
        taken = 3;
        value = 0;
        return text.Length >= 3 && text[0] == '%' && TryHex(text.Slice(1, 2), out value);
    }

    /// <summary>Set in values that are characters and no bytes.</summary>
    private const int Character = 1 << 24;

    private static bool TryEntity(ReadOnlySpan<byte> text, out int value, out int taken)
    {
        (value, taken) = (0, 0);
        if (text.Length < 3) return false;
        if (text[1] == '#')
        {
            var hex = text[2] is (byte)'x' or (byte)'X';
            var digits = text[(hex ? 3 : 2)..];
            digits = digits[..Math.Min(digits.Length, MaxEntity)];
            var end = hex ? digits.IndexOfAnyExcept(HexDigits) : digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (end < 0) end = digits.Length;
            if (end == 0 || !Utf8Parser.TryParse(digits[..end], out uint number, out _, hex ? 'x' : 'D')
                || number is 0 or > 0x10FFFF) return false;
            taken = (hex ? 3 : 2) + end;
            value = number < 0x80 ? (int)number : (int)number | Character;
        }
        else
        {
            var name = text[1..Math.Min(text.Length, MaxEntity)];
            var end = name.IndexOf((byte)';');
            if (end <= 0 || !Entities.TryFind(name[..end], out var known)) return false;
            taken = 1 + end;
            value = known;
        }
        if (taken < text.Length && text[taken] == ';') taken++;
        return true;
    }

    // Of JavaScript and JSON: \u0041, \u{41}, \x41. A backslash before anything else stands for itself.
    private static bool TryBackslash(ReadOnlySpan<byte> text, out int value, out int taken)
    {
        (value, taken) = (0, 0);
        if (text is [_, (byte)'x' or (byte)'X', _, _, ..])
        {
            taken = 4;
            return TryHex(text.Slice(2, 2), out value);
        }
        if (text is not [_, (byte)'u' or (byte)'U', ..]) return false;
        if (text is [_, _, (byte)'{', ..])
        {
            var end = text[..Math.Min(text.Length, MaxEntity)].IndexOf((byte)'}');
            taken = end + 1;
            if (end < 4 || !TryHex(text[3..end], out value)) return false;
        }
        else
        {
            taken = 6;
            if (text.Length < 6 || !TryHex(text.Slice(2, 4), out value)) return false;
        }
        if (value >= 0x80) value |= Character;
        return true;
    }

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    private static bool TryHex(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        return !text.ContainsAnyExcept(HexDigits)
            && int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            && value is >= 0 and <= 0x10FFFF;
    }

    private static int Put(int value, Span<byte> into)
    {
        if ((value & Character) == 0)
        {
            into[0] = (byte)value;
            return 1;
        }
        return Rune.TryCreate(value & ~Character, out var rune) ? rune.EncodeToUtf8(into) : Replace(into);
    }

    // Half a pair: no character.
    private static int Replace(Span<byte> into)
    {
        into[0] = (byte)'?';
        return 1;
    }
}
