namespace Groundwork.Kernel.Schemas;

/// <summary>The times of RFC 3339.</summary>
internal static class TimeFormats
{
    public static bool IsDateTime(string text) =>
        text.Length > 11 && text[10] is 'T' or 't' && IsDate(text.AsSpan(0, 10)) && IsTime(text.AsSpan(11));

    public static bool IsDate(string text) => IsDate(text.AsSpan());

    public static bool IsTime(string text) => IsTime(text.AsSpan());

    /// <summary>Appendix A, which is ISO 8601's: <c>P1DT12H</c>, or weeks alone.</summary>
    public static bool IsDuration(string text)
    {
        var rest = text.AsSpan();
        if (rest.Length < 2 || rest[0] != 'P') return false;
        rest = rest[1..];
        if (rest[^1] == 'W') return IsDigits(rest[..^1]);
        var time = rest.IndexOf('T');
        var days = time < 0 ? rest : rest[..time];
        if (!AreParts(days, "YMD") || (time >= 0 && !AreParts(rest[(time + 1)..], "HMS"))) return false;
        return time < 0 ? days.Length > 0 : time + 1 < rest.Length;
    }

    private static bool IsDate(ReadOnlySpan<char> text) =>
        text.Length == 10 && text[4] == '-' && text[7] == '-'
        && IsDigits(text[..4]) && Two(text[5..], out var month) && Two(text[8..], out var day)
        && month is >= 1 and <= 12 && day >= 1
        // The year 0000 is one, to RFC 3339, and a leap year.
        && day <= DateTime.DaysInMonth(Math.Max(4, int.Parse(text[..4], null)), month);

    private static bool IsTime(ReadOnlySpan<char> text)
    {
        if (text.Length < 9 || text[2] != ':' || text[5] != ':' || !Two(text, out var hour)
            || !Two(text[3..], out var minute) || !Two(text[6..], out var second)) return false;
        if (hour > 23 || minute > 59 || second > 60) return false;
        var rest = text[8..];
        if (rest[0] == '.')
        {
            var end = 1;
            while (end < rest.Length && char.IsAsciiDigit(rest[end])) end++;
            if (end == 1) return false;
            rest = rest[end..];
        }
        if (!TryReadOffset(rest, out var offset)) return false;
        // A leap second is the last of a day, by UTC.
        return second < 60 || (((hour * 60) + minute - offset + 2_880) % 1_440) == 1_439;
    }

    private static bool TryReadOffset(ReadOnlySpan<char> text, out int minutes)
    {
        minutes = 0;
        if (text is ['Z' or 'z']) return true;
        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':' || !Two(text[1..], out var hours)
            || !Two(text[4..], out var rest) || hours > 23 || rest > 59) return false;
        minutes = ((hours * 60) + rest) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    // Digits and a letter, in the letters' order, with none left out between two that are there.
    private static bool AreParts(ReadOnlySpan<char> text, string letters)
    {
        var last = -1;
        while (!text.IsEmpty)
        {
            var end = 0;
            while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
            if (end == 0 || end == text.Length) return false;
            var letter = letters.IndexOf(text[end], StringComparison.Ordinal);
            if (letter < 0 || (last < 0 ? false : letter != last + 1)) return false;
            last = letter;
            text = text[(end + 1)..];
        }
        return true;
    }

    private static bool Two(ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        if (text.Length < 2 || !char.IsAsciiDigit(text[0]) || !char.IsAsciiDigit(text[1])) return false;
        number = ((text[0] - '0') * 10) + text[1] - '0';
        return true;
    }

    private static bool IsDigits(ReadOnlySpan<char> text) =>
        !text.IsEmpty && !text.ContainsAnyExceptInRange('0', '9');
}
