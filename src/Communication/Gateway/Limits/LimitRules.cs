using System.Net;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Limits;

/// <summary>What limits must be.</summary>
internal static class LimitRules
{
    /// <summary>Limits of one route: each is asked for each request.</summary>
    public const int MaxLimits = 8;

    /// <summary>Parts of one key.</summary>
    public const int MaxParts = 4;

    /// <summary>The highest number of a limit: more in a second than one node serves.</summary>
    public const int MaxRequests = 100_000;

    /// <summary>The longest time: a day.</summary>
    public const int MaxSeconds = 86_400;

    /// <summary>Callers of one limit that are told apart: about 20 MB.</summary>
    public const int MaxKeys = 100_000;

    /// <summary>Values with a number of their own.</summary>
    public const int MaxExceptions = 64;

    /// <param name="path">The route's; null for a listener.</param>
    public static void Check(IReadOnlyList<LimitSpec>? limits, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (limits is null) return;
        if (limits.Count is 0 or > MaxLimits)
            faults.Add(new FieldFault("spec.limits", $"must have 1 to {MaxLimits} limits"));
        for (var index = 0; index < limits.Count; index++)
        {
            var (at, limit) = ($"spec.limits[{index}]", limits[index]);
            if (!Names.IsSegment(limit.Name)) faults.Add(new FieldFault($"{at}.name", "must be one segment of a name"));
            if (limits.Take(index).Any(other => other.Name == limit.Name))
                faults.Add(new FieldFault($"{at}.name", $"{limit.Name} stands here twice"));
            CheckKey(at, limit, path, faults);
            CheckAmount(at, limit, faults);
            CheckExceptions(at, limit, faults);
            FieldRules.CheckRange($"{at}.maxKeys", limit.MaxKeys, 1, MaxKeys, faults);
        }
    }

    private static void CheckKey(string at, LimitSpec limit, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (limit.By is not { } by) return;
        if (by.Count is 0 or > MaxParts) faults.Add(new FieldFault($"{at}.by", $"must have 1 to {MaxParts} parts"));
        for (var index = 0; index < by.Count; index++)
            if (LimitKey.Explain(by[index], path) is { } wrong)
                faults.Add(new FieldFault($"{at}.by[{index}]", wrong));
    }

    private static void CheckAmount(string at, LimitSpec limit, ICollection<FieldFault> faults)
    {
        var said = (limit.Bucket is null ? 0 : 1) + (limit.Window is null ? 0 : 1) + (limit.Pace is null ? 0 : 1)
            + (limit.Concurrent is null ? 0 : 1);
        if (said != 1) faults.Add(new FieldFault(at, "must have exactly one of bucket, window, pace and concurrent"));
        if (limit.Bucket is { } bucket)
        {
            CheckRate($"{at}.bucket", bucket.Requests, bucket.Seconds, faults);
            if (bucket.Burst is { } burst) FieldRules.CheckRange($"{at}.bucket.burst", burst, 1, MaxRequests, faults);
        }
        if (limit.Window is { } window) CheckRate($"{at}.window", window.Requests, window.Seconds, faults);
        if (limit.Pace is { } pace)
        {
            CheckRate($"{at}.pace", pace.Requests, pace.Seconds, faults);
            FieldRules.CheckRange($"{at}.pace.maxWaitMs", pace.MaxWaitMs, 0, 60_000, faults);
        }
        if (limit.Concurrent is { } most) FieldRules.CheckRange($"{at}.concurrent", most, 1, MaxRequests, faults);
        FieldRules.CheckRange($"{at}.warmUpSeconds", limit.WarmUpSeconds, 0, 3_600, faults);
        if (limit.WarmUpSeconds > 0 && limit is { Bucket: null, Pace: null })
            faults.Add(new FieldFault($"{at}.warmUpSeconds", "is for bucket and pace"));
    }

    private static void CheckExceptions(string at, LimitSpec limit, ICollection<FieldFault> faults)
    {
        if (limit.Exceptions is not { } exceptions) return;
        if (exceptions.Count is 0 or > MaxExceptions)
            faults.Add(new FieldFault($"{at}.exceptions", $"must have 1 to {MaxExceptions} values"));
        if (limit.By is not { Count: 1 } by)
        {
            faults.Add(new FieldFault($"{at}.exceptions", "are values of a key that has one part"));
            return;
        }
        for (var index = 0; index < exceptions.Count; index++)
        {
            var (here, one) = ($"{at}.exceptions[{index}]", exceptions[index]);
            if (one.Value.Length is 0 or > MatchRules.MaxTextLength)
                faults.Add(new FieldFault($"{here}.value", $"must have 1 to {MatchRules.MaxTextLength} characters"));
            else if (by[0] == "client" && !IPAddress.TryParse(one.Value, out _))
                faults.Add(new FieldFault($"{here}.value", "must be an address"));
            else if (exceptions.Take(index).Any(other => other.Value == one.Value))
                faults.Add(new FieldFault($"{here}.value", "stands here twice"));
            FieldRules.CheckRange($"{here}.requests", one.Requests, 0, MaxRequests, faults);
        }
    }

    private static void CheckRate(string at, int requests, int seconds, ICollection<FieldFault> faults)
    {
        FieldRules.CheckRange($"{at}.requests", requests, 1, MaxRequests, faults);
        FieldRules.CheckRange($"{at}.seconds", seconds, 1, MaxSeconds, faults);
    }
}
