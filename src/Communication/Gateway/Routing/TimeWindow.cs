using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// A time of the week, or a span of time, on the clocks of one place. Where the clocks are turned it follows them: a
/// minute that is skipped does not come, and one that comes twice counts twice.
/// </summary>
internal sealed class TimeWindow
{
    private const int DayMinutes = 24 * 60;

    private readonly TimeZoneInfo zone;
    private readonly int days; // Bit n: it may begin on DayOfWeek n.
    private readonly int from;
    private readonly int to;
    private readonly DateTime begins;
    private readonly DateTime ends;

    private TimeWindow(
        TimeMatch spec, TimeZoneInfo zone, int days, int from, int to, DateTime begins, DateTime ends)
    {
        this.zone = zone;
        this.days = days;
        this.from = from;
        this.to = to;
        this.begins = begins;
        this.ends = ends;
        var week = spec.Days is null ? "" : $" on {string.Join(' ', spec.Days.Order(StringComparer.Ordinal))}";
        var day = from == 0 && to == DayMinutes ? "" : $" from {Write(from)} to {Write(to)}";
        var span = (begins == DateTime.MinValue ? "" : $" after {begins:s}")
            + (ends == DateTime.MaxValue ? "" : $" until {ends:s}");
        Text = $"time{week}{day}{span} in {spec.Zone}";
    }

    /// <summary>For people, and the same for windows that say the same.</summary>
    public string Text { get; }

    /// <summary>False for a window that this version, or this machine with its zones, does not understand.</summary>
    public static bool TryCompile(TimeMatch spec, [NotNullWhen(true)] out TimeWindow? window)
    {
        window = null;
        var week = 0;
        foreach (var day in spec.Days ?? MatchRules.Days)
        {
            if (MatchRules.Days.IndexOf(day) is not (>= 0 and var at)) return false;
            week |= 1 << at;
        }
        if (!TryReadZone(spec.Zone, out var place)
            || !TryReadMinute(spec.From, 0, out var start) || !TryReadMinute(spec.To, DayMinutes, out var end)
            || !TryReadTime(spec.Begins, DateTime.MinValue, out var earliest)
            || !TryReadTime(spec.Ends, DateTime.MaxValue, out var latest)) return false;
        window = new TimeWindow(spec, place, week, start, end, earliest, latest);
        return true;
    }

    public bool Holds(DateTimeOffset time)
    {
        var local = TimeZoneInfo.ConvertTime(time, zone).DateTime;
        if (local < begins || local >= ends) return false;
        var minute = local.Hour * 60 + local.Minute;
        if (from < to) return minute >= from && minute < to && BeginsOn(local.DayOfWeek);
        // Past midnight it belongs to the day on which it began.
        return minute >= from ? BeginsOn(local.DayOfWeek) : minute < to && BeginsOn(local.AddDays(-1).DayOfWeek);
    }

    public static bool TryReadZone(string name, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = null;
        // Names of Windows, which the runtime would translate, mean nothing to people elsewhere.
        if (!name.Contains('/', StringComparison.Ordinal) && name != "UTC") return false;
        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone);
    }

    public static bool TryReadMinute(string? text, int otherwise, out int minute)
    {
        minute = otherwise;
        if (text is null) return true;
        if (!TimeOnly.TryParseExact(
            text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)) return false;
        minute = time.Hour * 60 + time.Minute;
        return true;
    }

    public static bool TryReadTime(string? text, DateTime otherwise, out DateTime time)
    {
        time = otherwise;
        return text is null || DateTime.TryParseExact(
            text, "yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
    }

    private bool BeginsOn(DayOfWeek day) => (days >> (int)day & 1) != 0;

    private static string Write(int minute) =>
        string.Create(CultureInfo.InvariantCulture, $"{minute / 60:00}:{minute % 60:00}");
}
