using System.Globalization;
using System.Text;

namespace Groundwork.Wire;

/// <summary>
/// Spans of time as Go writes them, which is how Consul's clients say them: <c>1m30s</c>, <c>500ms</c>.
/// </summary>
public static class GoDuration
{
    /// <summary>Ten units of text are more than anybody writes.</summary>
    private const int MaxLength = 64;

    private static readonly (string Name, double Ticks)[] Units =
    [
        ("ns", 0.01), ("us", 10), ("µs", 10), ("μs", 10), ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(string text, out TimeSpan span)
    {
        var parsed = Parse(text);
        span = parsed.GetValueOrDefault();
        return parsed is not null;
    }

    /// <summary>Null for what is no span of time, is negative, or is longer than a century.</summary>
    public static TimeSpan? Parse(string? text)
    {
        if (text is null or { Length: 0 or > MaxLength }) return null;
        if (text == "0") return TimeSpan.Zero;
        var rest = text.AsSpan();
        var ticks = 0d;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(
                rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                    out var count)) return null;
            rest = rest[digits..];
            var length = rest.IndexOfAny("0123456789.");
            var name = length < 0 ? rest : rest[..length];
            var unit = 0d;
            foreach (var (known, each) in Units)
                if (name.SequenceEqual(known)) unit = each;
            if (unit == 0) return null;
            ticks += count * unit;
            rest = length < 0 ? [] : rest[length..];
        }
        return ticks <= TimeSpan.FromDays(36_525).Ticks ? TimeSpan.FromTicks((long)ticks) : null;
    }

    /// <summary>As Go prints it: <c>1m30s</c>, <c>1.5s</c>, <c>0s</c>.</summary>
    public static string Write(TimeSpan span)
    {
        if (span < TimeSpan.FromSeconds(1) && span > TimeSpan.Zero)
            return string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0.###}ms");
        var text = new StringBuilder();
        var hours = (long)span.TotalHours;
        if (hours > 0) text.Append(CultureInfo.InvariantCulture, $"{hours}h");
        if (hours > 0 || span.Minutes > 0) text.Append(CultureInfo.InvariantCulture, $"{span.Minutes}m");
        return text.Append(CultureInfo.InvariantCulture, $"{span.TotalSeconds % 60:0.###}s").ToString();
    }
}
