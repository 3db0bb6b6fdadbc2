using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>What the inspection of a route must be.</summary>
internal static class InspectRules
{
    /// <summary>Above it nothing would be found: all rules of one class together give less.</summary>
    public const int MaxThreshold = 100;

    public const int MaxLevel = 2;

    /// <summary>Fields that are looked up one by one.</summary>
    public const int MaxHeaders = 32;

    /// <summary>Bytes of a body in memory, of each request under way.</summary>
    public const int MaxBodyBytes = 1_048_576;

    public const int MaxExceptions = 64;

    /// <summary>Names of one exception.</summary>
    public const int MaxNames = 64;

    /// <summary>Characters of the name of a parameter.</summary>
    private const int MaxNameLength = 128;

    public static void Check(InspectSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (spec.Mode is not ("detect" or "block"))
            faults.Add(new FieldFault("spec.inspect.mode", "must be detect or block"));
        if (spec.Unseen is not ("refuse" or "pass"))
            faults.Add(new FieldFault("spec.inspect.unseen", "must be refuse or pass"));
        FieldRules.CheckRange("spec.inspect.threshold", spec.Threshold, 1, MaxThreshold, faults);
        FieldRules.CheckRange("spec.inspect.level", spec.Level, 1, MaxLevel, faults);
        FieldRules.CheckRange("spec.inspect.bodyBytes", spec.BodyBytes, 0, MaxBodyBytes, faults);
        CheckClasses(spec.Classes, faults);
        CheckHeaders(spec.Headers ?? [], faults);
        var exceptions = spec.Except ?? [];
        if (spec.Except is { Count: 0 or > MaxExceptions })
            faults.Add(new FieldFault("spec.inspect.except", $"must have 1 to {MaxExceptions} exceptions"));
        for (var index = 0; index < exceptions.Count; index++)
            Check($"spec.inspect.except[{index}]", exceptions[index], faults);
    }

    private static void CheckClasses(IReadOnlyList<string>? classes, ICollection<FieldFault> faults)
    {
        if (classes is null) return;
        if (classes.Count == 0)
            faults.Add(new FieldFault("spec.inspect.classes", "must name one at least; leave it out for all"));
        for (var index = 0; index < classes.Count; index++)
            if (InspectionRules.ClassOf(classes[index]) is null)
                faults.Add(new FieldFault(
                    $"spec.inspect.classes[{index}]", "must be sql, xss, traversal or command"));
    }

    private static void CheckHeaders(IReadOnlyList<string> headers, ICollection<FieldFault> faults)
    {
        if (headers.Count > MaxHeaders)
            faults.Add(new FieldFault("spec.inspect.headers", $"must have up to {MaxHeaders} names"));
        for (var index = 0; index < headers.Count; index++)
            if (!MatchRules.IsToken(headers[index]))
                faults.Add(new FieldFault($"spec.inspect.headers[{index}]", "must be the name of a header field"));
            else if (headers[index].Equals("cookie", StringComparison.OrdinalIgnoreCase))
                faults.Add(new FieldFault($"spec.inspect.headers[{index}]", "cookies are looked at one by one anyway"));
    }

    private static void Check(string at, InspectException exception, ICollection<FieldFault> faults)
    {
        if (exception is { Parameters: null, Rules: null })
            faults.Add(new FieldFault(at, "must have parameters or rules"));
        if (exception.Parameters is { Count: 0 or > MaxNames })
            faults.Add(new FieldFault($"{at}.parameters", $"must have 1 to {MaxNames} names"));
        if (exception.Rules is { Count: 0 or > MaxNames })
            faults.Add(new FieldFault($"{at}.rules", $"must have 1 to {MaxNames} ids"));
        for (var index = 0; index < exception.Parameters?.Count; index++)
            if (exception.Parameters[index].Length is 0 or > MaxNameLength)
                faults.Add(new FieldFault(
                    $"{at}.parameters[{index}]", $"must have 1 to {MaxNameLength} characters"));
        for (var index = 0; index < exception.Rules?.Count; index++)
            if (InspectionRules.Find(exception.Rules[index]) is null)
                faults.Add(new FieldFault($"{at}.rules[{index}]", "is no rule; docs/gateway/inspection.md lists them"));
    }
}
