using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>Finds routes that would want the same request with equal right, and hosts with too many at one
/// place.</summary>
internal static class RouteConflicts
{
    public static void Check(
        ImmutableSortedDictionary<ResourceKey, Resource> routes, ResourceKey key, RouteSpec spec,
        ICollection<FieldFault> faults)
    {
        var shape = PathPattern.Shape(spec.Match.Path);
        var isExpression = shape.StartsWith('~');
        RouteConditions? conditions = null;
        var neighbours = new Dictionary<string, int>(StringComparer.Ordinal); // By host: routes at the same place.
        foreach (var (otherKey, resource) in routes)
        {
            if (otherKey == key || resource.As<RouteSpec>() is not { } other) continue;
            var same = PathPattern.Shape(other.Match.Path) == shape;
            if (!same && !(isExpression && other.Match.Path.StartsWith('~'))) continue;
            foreach (var host in spec.Match.Hosts.Intersect(other.Match.Hosts, StringComparer.Ordinal))
            {
                neighbours[host] = neighbours.GetValueOrDefault(host) + 1;
                if (!same || other.Priority != spec.Priority || !SharesMethod(spec.Match, other.Match)) continue;
                if (conditions is null && !RouteConditions.TryCompile(spec.Match, out conditions)) return;
                if (RouteConditions.TryCompile(other.Match, out var others) && others.Text == conditions.Text)
                    faults.Add(new FieldFault("spec", Taken(host, other, otherKey, conditions)));
            }
        }
        var most = isExpression ? RouteKind.MaxExpressionsOfOneHost : RouteKind.MaxRoutesOfOnePath;
        foreach (var (host, count) in neighbours)
            if (count >= most)
                faults.Add(new FieldFault("spec.match.path", isExpression
                    ? $"{host} has {most} routes with expressions already, which is the limit"
                    : $"{host} {spec.Match.Path} has {most} routes already, which is the limit"));
    }

    private static string Taken(string host, RouteSpec other, ResourceKey otherKey, RouteConditions conditions) =>
        conditions.Count == 0
            ? $"{host} {other.Match.Path} is taken by the {otherKey}"
            : $"{host} {other.Match.Path} with {conditions.Text} is taken by the {otherKey}";

    // One that lists methods goes before one that serves all, so those two do not meet.
    private static bool SharesMethod(MatchSpec mine, MatchSpec other) =>
        mine.Methods is null || other.Methods is null
            ? mine.Methods is null && other.Methods is null
            : mine.Methods.Intersect(other.Methods, StringComparer.Ordinal).Any();
}
