using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>A route of the gateway as far as a client of xDS can follow it.</summary>
/// <param name="Name">Of the route.</param>
/// <param name="Hosts">Those that it writes out.</param>
/// <param name="TakesCalls">Calls of gRPC are among what it takes.</param>
/// <param name="Path">Null where a client could not do what it says.</param>
/// <param name="IsBelow">Everything below the path, too.</param>
internal sealed record XdsRoute(
    string Name,
    ImmutableArray<string> Hosts,
    int Priority,
    bool TakesCalls,
    string? Path,
    bool IsBelow,
    ImmutableArray<(ServiceKey Service, uint Weight)> Targets)
{
    private const string Below = "/**";

    public static XdsRoute Of(Resource resource)
    {
        var spec = resource.As<RouteSpec>();
        var match = spec.Match;
        var targets = TargetsOf(spec, resource.Key.Namespace);
        var isBelow = match.Path.EndsWith(Below, StringComparison.Ordinal);
        var path = isBelow ? match.Path[..^Below.Length] : match.Path;
        var isPlain = path.AsSpan().IndexOfAny("{}*~") < 0 && SaysNoMore(spec) && !targets.IsEmpty;
        return new XdsRoute(
            resource.Key.ToString(), [.. match.Hosts.Where(host => !host.Contains('*'))], spec.Priority,
            match.Methods is null || match.Methods.Contains("POST", StringComparer.OrdinalIgnoreCase),
            isPlain ? path : null, isBelow, targets);
    }

    // What becomes of its records and of one header is all that may be beside the path and the target.
    private static bool SaysNoMore(RouteSpec spec) =>
        spec == new RouteSpec(
            new MatchSpec(spec.Match.Hosts, spec.Match.Path, spec.Match.Methods), spec.Service, spec.Priority,
            Split: spec.Split, Observe: spec.Observe, ExposeRevision: spec.ExposeRevision);

    private static ImmutableArray<(ServiceKey Service, uint Weight)> TargetsOf(RouteSpec spec, string @namespace)
    {
        var parts = spec.Split is { } split ? split.Parts : [new SplitPart(1, spec.Service)];
        var targets = ImmutableArray.CreateBuilder<(ServiceKey, uint)>();
        foreach (var part in parts)
        {
            if (part.Upstream is not null || part.Version is not null || part.Metadata is not null) return [];
            if (!ServiceKey.TryParse(part.Service, @namespace, out var service)) return [];
            if (part.Weight > 0) targets.Add((service.Value, (uint)part.Weight));
        }
        return spec.Split?.By is null ? targets.ToImmutable() : [];
    }
}
