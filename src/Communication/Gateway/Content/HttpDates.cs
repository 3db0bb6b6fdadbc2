using System.Globalization;
using System.Text;

namespace Groundwork.Communication.Gateway.Content;

/// <summary>Dates as header fields have them (RFC 9110, 5.6.7).</summary>
internal static class HttpDates
{
    private const int LongestBytes = 40;

    // The one that is written, and two that are still read.
    private static readonly string[] Forms =
        ["ddd, dd MMM yyyy HH:mm:ss 'GMT'", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"];

    /// <summary>Null for what is none, such as <c>0</c>.</summary>
    public static DateTimeOffset? Read(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > LongestBytes) return null;
        Span<char> characters = stackalloc char[LongestBytes];
        var length = Encoding.Latin1.GetChars(text, characters);
        foreach (var form in Forms)
            if (DateTimeOffset.TryParseExact(
                characters[..length], form, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite, out var time)) return time;
        return null;
    }

    public static string Write(DateTimeOffset time) =>
        time.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture);
}
