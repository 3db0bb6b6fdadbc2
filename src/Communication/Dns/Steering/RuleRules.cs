using System.Globalization;
using System.Net;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Steering;

/// <summary>What a rule must keep to, and how its texts are read.</summary>
internal static class RuleRules
{
    /// <summary>Names of one rule.</summary>
    public const int MaxNames = 64;

    /// <summary>Either way.</summary>
    public const int MaxOrder = 10_000;

    /// <summary>Networks of one rule: those of a provider in a country are hundreds.</summary>
    public const int MaxNetworks = 1_000;

    /// <summary>Labels of one rule.</summary>
    public const int MaxLabels = 16;

    /// <summary>Places of one rule.</summary>
    public const int MaxPlaces = 16;

    /// <summary>Addresses of one rule, as many as an answer holds.</summary>
    public const int MaxAddresses = 64;

    /// <summary>Characters of a label, a place, a version or a tag.</summary>
    private const int MaxText = 128;

    public static void Check(DnsRuleSpec spec, ICollection<FieldFault> faults)
    {
        Each("names", spec.Names, text => NameOf(text), "must be a name, or *. and a name");
        Each("networks", spec.Networks, text => ZoneRules.ParseNetwork(text), "must be a network");
        Each("addresses", spec.Addresses, ParseAddress, "must be an IP address");
        Each("zones", spec.Zones, text => text.Length is > 0 and <= MaxText ? text : null, "must be a zone's name");
        if (spec.Labels is { Count: 0 or > MaxLabels }
            || spec.Labels?.Any(label => label.Key.Length is 0 or > MaxText || label.Value.Length > MaxText) == true)
            faults.Add(new FieldFault("spec.labels", $"has 1 to {MaxLabels} labels of {MaxText} characters at most"));
        if (spec.Hours is not null && ParseHours(spec.Hours) is null)
            faults.Add(new FieldFault("spec.hours", "must be two times of day, such as 22:00-06:00"));
        if (spec.Version?.Length is 0 or > MaxText || spec.Tag?.Length is 0 or > MaxText)
            faults.Add(new FieldFault("spec", $"version and tag have 1 to {MaxText} characters"));
        if (spec.From >= spec.Until) faults.Add(new FieldFault("spec.until", "must be after from"));
        var chooses = spec.Zones is not null || spec.Version is not null || spec.Tag is not null;
        if (chooses == (spec.Addresses is not null))
            faults.Add(new FieldFault("spec", "has either addresses, or some of zones, version and tag"));

        void Each(string list, IReadOnlyList<string>? texts, Func<string, object?> read, string what)
        {
            for (var place = 0; place < (texts?.Count ?? 0); place++)
                if (read(texts![place]) is null) // Counted just above.
                    faults.Add(new FieldFault($"spec.{list}[{place}]", what));
        }
    }

    /// <summary>The name, and whether it stands for all names below it.</summary>
    public static (DnsName Name, bool IsBelow)? NameOf(string text)
    {
        var isBelow = text.StartsWith("*.", StringComparison.Ordinal);
        return DnsName.TryParse(isBelow ? text[2..] : text, out var name) && !name.IsRoot ? (name, isBelow) : null;
    }

    public static (TimeOnly From, TimeOnly Until)? ParseHours(string text)
    {
        var parts = text.Split('-');
        return parts.Length == 2 && TryRead(parts[0], out var from) && TryRead(parts[1], out var until) && from != until
            ? (from, until)
            : null;

        static bool TryRead(string time, out TimeOnly read) => TimeOnly.TryParseExact(
            time, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out read);
    }

    public static IPAddress? ParseAddress(string text) =>
        IPAddress.TryParse(text, out var address)
        && (text.Contains(':', StringComparison.Ordinal) || text.Count(c => c == '.') == 3) ? address : null;
}
