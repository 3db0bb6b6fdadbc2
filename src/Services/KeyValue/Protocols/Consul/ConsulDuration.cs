using System.Globalization;
using System.Text;

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>Lengths of time as Go writes them: <c>1h2m3.5s</c>.</summary>
internal static class ConsulDuration
{
    /// <summary>Longer texts are none.</summary>
    private const int MaxLength = 64;

    private static readonly (string Unit, double Ticks)[] Units =
    [
        ("ns", TimeSpan.TicksPerMillisecond / 1e6), ("us", TimeSpan.TicksPerMillisecond / 1e3),
        ("µs", TimeSpan.TicksPerMillisecond / 1e3), ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0") return true;
        if (text.Length is 0 or > MaxLength) return false;
        var ticks = 0d;
        for (var rest = text.AsSpan(); rest.Length > 0;)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(
                rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAny("0123456789.");
            var unit = letters < 0 ? rest : rest[..letters];
            var known = 0;
            while (known < Units.Length && !unit.SequenceEqual(Units[known].Unit)) known++;
            if (known == Units.Length) return false;
            ticks += number * Units[known].Ticks;
            rest = rest[unit.Length..];
        }
        if (ticks > TimeSpan.MaxValue.Ticks / 2d) return false;
        duration = TimeSpan.FromTicks((long)ticks);
        return true;
    }

    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero) return "0s";
        var text = new StringBuilder();
        if (duration.TotalHours >= 1) text.Append(CultureInfo.InvariantCulture, $"{(long)duration.TotalHours}h");
        if (duration.TotalMinutes >= 1) text.Append(CultureInfo.InvariantCulture, $"{duration.Minutes}m");
        var seconds = duration.Seconds + duration.Milliseconds / 1000d;
        return text.Append(CultureInfo.InvariantCulture, $"{seconds}s").ToString();
    }
}
