using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>What the cache part of a route must be.</summary>
internal static class CacheRules
{
    /// <summary>Parameters of a query that count.</summary>
    public const int MaxNames = 32;

    /// <summary>Fields that tell answers apart: each value is one more copy.</summary>
    public const int MaxVary = 8;

    /// <summary>Seconds of a year: RFC 9111 has no use for more.</summary>
    public const int MaxSeconds = 31_536_000;

    /// <summary>An answer is in memory as a whole.</summary>
    public const int MaxBodyKilobytes = 16 * 1024;

    public const int MaxWaitMs = 60_000;

    public static void Check(CacheSpec? spec, RouteSpec route, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (spec.Query is not ("exact" or "sorted" or "listed" or "ignored"))
            faults.Add(new FieldFault("spec.cache.query", "must be exact, sorted, listed or ignored"));
        if ((spec.Query == "listed") != (spec.QueryNames is not null))
            faults.Add(new FieldFault("spec.cache.queryNames", "goes with query: listed, and that with it"));
        CheckNames("queryNames", spec.QueryNames, MaxNames, faults);
        CheckNames("vary", spec.Vary, MaxVary, faults);
        CheckNames("tagHeader", [spec.TagHeader], 1, faults);
        foreach (var (status, seconds) in spec.TtlSeconds ?? new Dictionary<string, int>())
        {
            if (!StatusTimes.IsStatus(status))
                faults.Add(new FieldFault(
                    $"spec.cache.ttlSeconds.{status}", "must be a status of 200 to 599, or a class such as 4xx"));
            else if (seconds is < 0 or > MaxSeconds)
                faults.Add(new FieldFault($"spec.cache.ttlSeconds.{status}", $"must be 0 to {MaxSeconds}"));
        }
        FieldRules.CheckRange(
            "spec.cache.staleWhileRevalidateSeconds", spec.StaleWhileRevalidateSeconds, 0, MaxSeconds, faults);
        FieldRules.CheckRange("spec.cache.staleIfErrorSeconds", spec.StaleIfErrorSeconds, 0, MaxSeconds, faults);
        FieldRules.CheckRange("spec.cache.maxBodyKilobytes", spec.MaxBodyKilobytes, 1, MaxBodyKilobytes, faults);
        FieldRules.CheckRange("spec.cache.waitMs", spec.WaitMs, 0, MaxWaitMs, faults);
        var fields = route.Response?.Headers;
        foreach (var value in (fields?.Set?.Values ?? []).Concat(fields?.Add?.Values ?? []))
            if (value.Contains("{client}", StringComparison.Ordinal))
                faults.Add(new FieldFault(
                    "spec.cache", "would give the {client} of response.headers to all who get the kept answer"));
    }

    private static void CheckNames(
        string field, IReadOnlyList<string>? names, int most, ICollection<FieldFault> faults)
    {
        if (names is null) return;
        if (names.Count == 0 || names.Count > most)
            faults.Add(new FieldFault($"spec.cache.{field}", $"must have 1 to {most} names"));
        foreach (var name in names)
            if (name.Length is 0 or > 128 || name.Any(one => one is <= ' ' or > '~' or ',' or '&' or '='))
                faults.Add(new FieldFault(
                    $"spec.cache.{field}", "must be names of 1 to 128 visible ASCII characters but for , & and ="));
    }
}
