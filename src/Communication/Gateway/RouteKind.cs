using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway;

/// <summary>Says which requests of the outside go to which service.</summary>
public sealed record RouteSpec(
    [Description(
        "Names that the request may be for: shop.example.com, *.example.com (any name below it), 127.0.0.1, "
        + "[::1], or * for any host, which must be written out. At least one, at most 64; without port.")]
    [Length(1, 64)]
    IReadOnlyList<string> Hosts,
    [Description("/cart: exactly this path. /api/catalog/**: /api/catalog and everything below it. /**: everything.")]
    string Path,
    [Description("[namespace/][group@@]service; of the route's own namespace unless it names another.")]
    string Service,
    [Description("The methods it serves, such as GET; all when not given.")]
    IReadOnlyList<string>? Methods = null,
    [Description("Start of the path that the service does not get to see, such as /api.")]
    string? StripPrefix = null,
    [Description("How long the route waits for its service.")]
    RouteTimeouts? Timeouts = null,
    [Description("True: answers carry Groundwork-Revision, the revision in force.")]
    bool ExposeRevision = false);

/// <summary>How long a route waits for its service.</summary>
public sealed record RouteTimeouts(
    [Description("For a connection, 10 to 30,000.")]
    [Range(10, 30_000)]
    int ConnectMs = 1_000,
    [Description(
        "From the end of the request to the head of the answer, and for each piece of the request's body to be "
        + "taken; 10 to 3,600,000.")]
    [Range(10, 3_600_000)]
    int ResponseHeadMs = 3_000,
    [Description(
        "Between two pieces of the answer's body; 1,000 to 86,400,000. Streams of events send something more "
        + "often.")]
    [Range(1_000, 86_400_000)]
    int IdleMs = 120_000);

/// <summary>
/// The kind <c>route</c>. Two routes that would want the same request cannot both exist, whatever their namespaces.
/// </summary>
public static class RouteKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "route";

    /// <summary>Routes of all namespaces: a commit compares its routes with each of them.</summary>
    public const int MaxRoutes = 10_000;

    /// <summary>Hosts of one route.</summary>
    public const int MaxHosts = 64;

    /// <summary>Methods of one route: there are about a dozen in use.</summary>
    public const int MaxMethods = 16;

    /// <summary>Characters of a method: the longest registered one has 17.</summary>
    public const int MaxMethodLength = 24;

    public static Kind<RouteSpec> Kind { get; } = new(Name, RouteJson.Default.RouteSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "Which requests of the outside go to which service.",
        Validate = Validate,
        ValidateAgainst = ValidateAgainst,
    };

    private static void Validate(RouteSpec spec, ICollection<FieldFault> faults)
    {
        CheckHosts(spec.Hosts, faults);
        CheckPath(spec, faults);
        CheckMethods(spec.Methods, faults);
        // The namespace it is read against is not known here and does not matter for its form.
        if (!ServiceKey.TryParse(spec.Service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault(
                "spec.service", "must be a service, such as catalog, shop/catalog or shop/blue@@catalog"));
        if (spec.Timeouts is not { } timeouts) return;
        CheckRange("connectMs", timeouts.ConnectMs, 10, 30_000, faults);
        CheckRange("responseHeadMs", timeouts.ResponseHeadMs, 10, 3_600_000, faults);
        CheckRange("idleMs", timeouts.IdleMs, 1_000, 86_400_000, faults);
    }

    private static void CheckHosts(IReadOnlyList<string> hosts, ICollection<FieldFault> faults)
    {
        if (hosts.Count is 0 or > MaxHosts)
            faults.Add(new FieldFault("spec.hosts", $"must have 1 to {MaxHosts} hosts; write \"*\" to serve any"));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < hosts.Count; index++)
        {
            if (HostPattern.Explain(hosts[index]) is { } wrong)
                faults.Add(new FieldFault($"spec.hosts[{index}]", wrong));
            else if (!seen.Add(hosts[index]))
                faults.Add(new FieldFault($"spec.hosts[{index}]", $"'{hosts[index]}' stands here twice"));
        }
    }

    private static void CheckPath(RouteSpec spec, ICollection<FieldFault> faults)
    {
        if (PathPattern.Explain(spec.Path) is { } wrong)
        {
            faults.Add(new FieldFault("spec.path", wrong));
            return;
        }
        if (spec.StripPrefix is { } prefix && !PathPattern.Parse(spec.Path).BeginsWith(prefix))
            faults.Add(new FieldFault(
                "spec.stripPrefix", "must be whole leading segments of the path, such as /api of /api/catalog/**"));
    }

    private static void CheckMethods(IReadOnlyList<string>? methods, ICollection<FieldFault> faults)
    {
        if (methods is null) return;
        if (methods.Count is 0 or > MaxMethods)
            faults.Add(
                new FieldFault("spec.methods", $"must have 1 to {MaxMethods} methods; leave it out to serve all"));
        for (var index = 0; index < methods.Count; index++)
        {
            var method = methods[index];
            if (method is "CONNECT" or "TRACE")
                faults.Add(new FieldFault($"spec.methods[{index}]", $"{method} is never forwarded"));
            else if (method.Length is 0 or > MaxMethodLength
                || !method.All(c => char.IsAsciiLetterUpper(c) || c == '-'))
                faults.Add(new FieldFault($"spec.methods[{index}]", "must be a method in capitals, such as GET"));
        }
    }

    private static void CheckRange(string field, int value, int least, int most, ICollection<FieldFault> faults)
    {
        if (value < least || value > most)
            faults.Add(new FieldFault($"spec.timeouts.{field}", $"must be {least} to {most}"));
    }

    private static void ValidateAgainst(
        Snapshot head, ResourceKey key, RouteSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        var routes = head.Of(Name);
        if (routes.Count >= MaxRoutes && !routes.ContainsKey(key))
            faults.Add(new FieldFault("", $"there are {MaxRoutes} routes already, which is the limit"));
        foreach (var (otherKey, resource) in routes)
        {
            if (otherKey == key || resource.As<RouteSpec>() is not { } other || other.Path != spec.Path) continue;
            if (!SharesMethod(spec.Methods, other.Methods)) continue;
            foreach (var host in spec.Hosts.Intersect(other.Hosts, StringComparer.Ordinal))
                faults.Add(new FieldFault("spec", $"{host} {spec.Path} is taken by the {otherKey}"));
        }
    }

    // One that lists methods goes before one that serves all, so those two do not meet.
    private static bool SharesMethod(IReadOnlyList<string>? mine, IReadOnlyList<string>? others) =>
        mine is null || others is null
            ? mine is null && others is null
            : mine.Intersect(others, StringComparer.Ordinal).Any();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RouteSpec))]
internal sealed partial class RouteJson : JsonSerializerContext;
