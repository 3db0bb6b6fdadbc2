using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Content.Cors;

/// <summary>What the CORS part of a route must be.</summary>
internal static class CorsRules
{
    /// <summary>Origins of one route: they are gone through one by one.</summary>
    public const int MaxOrigins = 64;

    /// <summary>Methods, or names of fields: they are in one field of an answer.</summary>
    public const int MaxNames = 64;

    /// <summary>Browsers remember no longer than a day.</summary>
    public const int MaxAgeSeconds = 86_400;

    public static void Check(CorsSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (spec.Origins.Count is 0 or > MaxOrigins)
            faults.Add(new FieldFault("spec.cors.origins", $"must have 1 to {MaxOrigins} origins"));
        for (var index = 0; index < spec.Origins.Count; index++)
        {
            var (at, origin) = ($"spec.cors.origins[{index}]", spec.Origins[index]);
            if (OriginPattern.TryParse(origin) is null)
                faults.Add(new FieldFault(
                    at, "must be an origin in lower case, such as https://shop.example.com or https://*.example.com"));
            if (origin is "*" && spec.Credentials)
                faults.Add(new FieldFault(at, "must not be * with credentials: any page could act as its visitor"));
            if (origin is "null" && spec.Credentials)
                faults.Add(new FieldFault(at, "must not be null with credentials: any page can be of that origin"));
        }
        CheckNames("methods", spec.Methods, mayBeAll: false, faults);
        CheckNames("headers", spec.Headers, mayBeAll: true, faults);
        CheckNames("exposed", spec.Exposed, mayBeAll: !spec.Credentials, faults);
        if (spec.MaxAgeSeconds is < 0 or > MaxAgeSeconds)
            faults.Add(new FieldFault("spec.cors.maxAgeSeconds", $"must be 0 to {MaxAgeSeconds}"));
    }

    private static void CheckNames(
        string field, IReadOnlyList<string>? names, bool mayBeAll, ICollection<FieldFault> faults)
    {
        if (names is null) return;
        if (names.Count is 0 or > MaxNames)
            faults.Add(new FieldFault($"spec.cors.{field}", $"must have 1 to {MaxNames} names"));
        for (var index = 0; index < names.Count; index++)
        {
            var name = names[index];
            if (name == "*" && mayBeAll && names.Count == 1) continue;
            if (name == "*" && !mayBeAll)
                faults.Add(new FieldFault($"spec.cors.{field}[{index}]", "must be written out instead of *"));
            else if (name == "*" || name.Length is 0 or > 128 || !IsToken(name))
                faults.Add(new FieldFault($"spec.cors.{field}[{index}]", "must be a token of 1 to 128 characters"));
        }
    }

    private static bool IsToken(string text) =>
        text.All(one => char.IsAsciiLetterOrDigit(one) || "!#$%&'*+-.^_`|~".Contains(one, StringComparison.Ordinal));
}
