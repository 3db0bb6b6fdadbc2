using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Communication.Gateway.Content.Caching;
using Groundwork.Communication.Gateway.Content.Composing;
using Groundwork.Communication.Gateway.Content.Compression;
using Groundwork.Communication.Gateway.Content.Cors;
using Groundwork.Communication.Gateway.Content.Files;
using Groundwork.Communication.Gateway.Content.Referers;
using Groundwork.Communication.Gateway.Injection;
using Groundwork.Communication.Gateway.Inspection;
using Groundwork.Communication.Gateway.Mirroring;
using Groundwork.Communication.Gateway.OpenApi;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.SignedUrls;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// The kind <c>route</c>. Two routes that would want the same request with equal right cannot both exist, whatever
/// their namespaces.
/// </summary>
public static class RouteKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "route";

    /// <summary>Routes of all namespaces: a commit compares its routes with each of them.</summary>
    public const int MaxRoutes = 10_000;

    /// <summary>Routes of one host and path: their conditions are gone through one by one.</summary>
    public const int MaxRoutesOfOnePath = 64;

    /// <summary>Routes of one host whose path is an expression: they are gone through one by one.</summary>
    public const int MaxExpressionsOfOneHost = 32;

    /// <summary>A priority is this at most, and this below 0 at least.</summary>
    public const int MaxPriority = 1_000;

    public static Kind<RouteSpec> Kind { get; } = new(Name, RouteJson.Default.RouteSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "Which requests of the outside go to which service.",
        Version = 2,
        Converters = [FromVersion1],
        // The first version had its hosts and its path where this one has the block that they are in.
        VersionOf = static spec => !spec.TryGetProperty("match", out _)
            && (spec.TryGetProperty("hosts", out _) || spec.TryGetProperty("path", out _)) ? 1 : 2,
        Validate = Validate,
        ValidateAgainst = ValidateAgainst,
    };

    private static JsonObject FromVersion1(JsonObject old)
    {
        var match = new JsonObject();
        Move(old, "hosts", match, "hosts");
        Move(old, "path", match, "path");
        Move(old, "methods", match, "methods");
        old["match"] = match;
        var path = new JsonObject();
        Move(old, "stripPrefix", path, "stripPrefix");
        if (path.Count > 0) old["request"] = new JsonObject { ["path"] = path };
        return old;
    }

    private static void Move(JsonObject from, string name, JsonObject to, string newName)
    {
        if (from.Remove(name, out var value)) to[newName] = value;
    }

    private static void Validate(RouteSpec spec, ICollection<FieldFault> faults)
    {
        MatchRules.Check(spec.Match, faults);
        FieldRules.CheckRange("spec.priority", spec.Priority, -MaxPriority, MaxPriority, faults);
        var path = PathPattern.Explain(spec.Match.Path) is null ? PathPattern.Parse(spec.Match.Path) : null;
        DeliveryRules.Check(spec, path, faults);
        TransformRules.Check(spec, path, faults);
        AccessRules.Check(spec.Access, faults);
        Limits.LimitRules.Check(spec.Limits, path, faults);
        ResilienceRules.Check(spec.Resilience, spec is { Redirect: null, Respond: null }, faults);
        MirrorRules.Check(spec.Mirror, spec is { Redirect: null, Respond: null }, faults);
        InjectRules.Check(spec.Inject, faults);
        CorsRules.Check(spec.Cors, faults);
        CompressionRules.Check(spec.Compress, faults);
        CacheRules.Check(spec.Cache, spec, faults);
        RefererRules.Check(spec.Referers, faults);
        InspectRules.Check(spec.Inspect, faults);
        OpenApiRules.Check(spec.OpenApi, faults);
        SignedUrlRules.Check(spec.SignedUrls, faults);
        FilesRules.Check(spec.Files, faults);
        ComposeRules.Check(spec, path, faults);
        if (spec.Timeouts is not { } timeouts) return;
        ResilienceRules.Check(timeouts, faults);
        FieldRules.CheckRange("spec.timeouts.connectMs", timeouts.ConnectMs, 10, 30_000, faults);
        FieldRules.CheckRange("spec.timeouts.responseHeadMs", timeouts.ResponseHeadMs, 10, 3_600_000, faults);
        FieldRules.CheckRange("spec.timeouts.idleMs", timeouts.IdleMs, 1_000, 86_400_000, faults);
    }

    private static void ValidateAgainst(
        Snapshot head, ResourceKey key, RouteSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        var routes = head.Of(Name);
        if (routes.Count >= MaxRoutes && !routes.ContainsKey(key))
            faults.Add(new FieldFault("", $"there are {MaxRoutes} routes already, which is the limit"));
        RouteConflicts.Check(routes, key, spec, faults);
    }
}
