using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway;

/// <summary>What the targets of a route must be.</summary>
internal static class DeliveryRules
{
    /// <summary>Targets of one split.</summary>
    public const int MaxParts = 16;

    /// <summary>Rules of one route: they are gone through for each request.</summary>
    public const int MaxCanaries = 16;

    /// <summary>The weight of one target.</summary>
    public const int MaxWeight = 10_000;

    /// <summary>Metadata that choose instances.</summary>
    public const int MaxMetadata = 8;

    private const string NoService = "must be a service, such as catalog, shop/catalog or shop/blue@@catalog";

    public static void Check(RouteSpec spec, PathPattern? path, ICollection<FieldFault> faults)
    {
        var answers = (spec.Redirect is null ? 0 : 1) + (spec.Respond is null ? 0 : 1)
            + (spec.Files is null ? 0 : 1) + (spec.Compose is null ? 0 : 1);
        var targets = (spec.Service is null ? 0 : 1) + (spec.Upstream is null ? 0 : 1) + (spec.Split is null ? 0 : 1);
        if (answers + targets != 1)
            faults.Add(new FieldFault(
                "spec", "must have exactly one of service, upstream, split, redirect, respond, files and compose"));
        CheckTarget("spec", spec.Service, spec.Upstream, faults);
        if (spec.Split is { } split) CheckSplit(split, path, faults);
        if (spec.Canary is not { } canaries) return;
        if (answers > 0) faults.Add(new FieldFault("spec.canary", "has no use where the gateway answers itself"));
        if (canaries.Count is 0 or > MaxCanaries)
            faults.Add(new FieldFault("spec.canary", $"must have 1 to {MaxCanaries} rules"));
        for (var index = 0; index < canaries.Count; index++)
            CheckCanary($"spec.canary[{index}]", canaries[index], path, faults);
    }

    public static bool TryReadUpstream(string? text, string defaultNamespace, out Kernel.Resources.ResourceKey key)
    {
        key = default;
        return text is not null
            && FieldRules.TryReadName(text, defaultNamespace, Upstreams.UpstreamKind.Name, out key);
    }

    public static void CheckKey(string at, string? by, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (by is not null && RequestKey.Explain(by, path) is { } wrong) faults.Add(new FieldFault(at, wrong));
    }

    private static void CheckSplit(SplitSpec split, PathPattern? path, ICollection<FieldFault> faults)
    {
        if (split.Parts.Count is 0 or > MaxParts)
            faults.Add(new FieldFault("spec.split.parts", $"must have 1 to {MaxParts} targets"));
        for (var index = 0; index < split.Parts.Count; index++)
        {
            var (at, part) = ($"spec.split.parts[{index}]", split.Parts[index]);
            if (part.Weight is < 0 or > MaxWeight)
                faults.Add(new FieldFault($"{at}.weight", $"must be 0 to {MaxWeight}"));
            CheckOne(at, part.Service, part.Upstream, part.Metadata, faults);
        }
        if (split.Parts.Count > 0 && split.Parts.All(part => part.Weight == 0))
            faults.Add(new FieldFault("spec.split.parts", "must have one with a weight above 0"));
        CheckKey("spec.split.by", split.By, path, faults);
    }

    private static void CheckCanary(string at, CanarySpec canary, PathPattern? path, ICollection<FieldFault> faults)
    {
        CheckOne(at, canary.Service, canary.Upstream, canary.Metadata, faults);
        if (canary is { Headers: null, Cookies: null, Percent: null })
            faults.Add(new FieldFault(at, "must have one of headers, cookies and percent"));
        MatchRules.CheckFields($"{at}.headers", FieldPlace.Header, canary.Headers, faults);
        MatchRules.CheckFields($"{at}.cookies", FieldPlace.Cookie, canary.Cookies, faults);
        if (canary.Percent is not (null or (>= 0 and <= 100)))
            faults.Add(new FieldFault($"{at}.percent", "must be 0 to 100"));
        if (canary is { By: not null, Percent: null })
            faults.Add(new FieldFault($"{at}.by", "has no use without percent"));
        CheckKey($"{at}.by", canary.By, path, faults);
    }

    private static void CheckOne(
        string at, string? service, string? upstream, IReadOnlyDictionary<string, string>? metadata,
        ICollection<FieldFault> faults)
    {
        if ((service is null) == (upstream is null))
            faults.Add(new FieldFault(at, "must have exactly one of service and upstream"));
        CheckTarget(at, service, upstream, faults);
        if (metadata is { Count: 0 or > MaxMetadata })
            faults.Add(new FieldFault($"{at}.metadata", $"must have 1 to {MaxMetadata} entries"));
    }

    // The namespace they are read against is not known here and does not matter for their form.
    private static void CheckTarget(string at, string? service, string? upstream, ICollection<FieldFault> faults)
    {
        if (service is not null && !ServiceKey.TryParse(service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault($"{at}.service", NoService));
        if (upstream is not null && !TryReadUpstream(upstream, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault($"{at}.upstream", "must be an upstream, such as legacy or shop/legacy"));
    }
}
