using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Gateway.Explaining;

/// <summary>Says what a route takes and where it sends it, and which others want the same requests.</summary>
internal static class RouteExplainer
{
    /// <summary>Other routes that are told.</summary>
    public const int MaxOverlaps = 100;

    /// <param name="mayRead">Routes that the asker may not read are counted, and not told.</param>
    /// <param name="isInsecure">True for a target whose certificates are not verified.</param>
    public static RouteExplanation Explain(
        Route route, RouteTable table, Func<ResourceKey, bool> mayRead, Func<Target, bool>? isInsecure = null)
    {
        var all = RouteOverlaps.Of(route, table.Routes).ToList();
        var overlaps = all.Where(overlap => mayRead(overlap.Other.Key))
            .OrderBy(overlap => Rank(overlap.Standing)).ThenBy(overlap => overlap.Other.Key).ToList();
        return new RouteExplanation(
            route.Key.Namespace,
            route.Key.Name,
            Summary(route, all, overlaps),
            Takes(route),
            route.OwnAnswer is { } answer
                ? [$"answers {answer} itself"]
                : [.. route.Deliveries?.Targets.Select(target =>
                    isInsecure?.Invoke(target) == true
                        ? $"{target.Name} (insecure: its certificates are not verified)"
                        : target.Name) ?? []],
            all.Count,
            [
                .. overlaps.Take(MaxOverlaps).Select(overlap => new RouteOverlap(
                    overlap.Other.Key.Namespace, overlap.Other.Key.Name, Code(overlap.Standing), Takes(overlap.Other),
                    Text(overlap.Standing))),
            ]);
    }

    private static string Summary(Route route, List<Overlap> all, List<Overlap> overlaps)
    {
        if (overlaps.Find(overlap => overlap.Standing == Standing.Covers) is { Other: { } cover })
            return $"The route {route.Name} is never reached: {cover.Name} takes all of its requests.";
        return all.Count switch
        {
            0 => $"The route {route.Name} takes its requests alone.",
            1 => $"One other route wants some of the requests of {route.Name}.",
            var count => $"{count} other routes want some of the requests of {route.Name}.",
        };
    }

    private static string Takes(Route route)
    {
        var methods = route.Methods.IsEmpty ? "" : string.Join(',', route.Methods) + " ";
        var hosts = route.Hosts.Length > 2 ? $"{route.Hosts[0]} and {route.Hosts.Length - 1} more"
            : string.Join(", ", route.Hosts);
        var conditions = route.Conditions.Count == 0 ? "" : $" with {route.Conditions.Text}";
        var priority = route.Priority == 0 ? "" : $" (priority {route.Priority})";
        return $"{methods}{hosts} {route.Path}{conditions}{priority}";
    }

    // What somebody should look at comes first.
    private static int Rank(Standing standing) => standing switch
    {
        Standing.Covers => 0,
        Standing.Covered => 1,
        Standing.Even => 2,
        Standing.Before => 3,
        _ => 4,
    };

    private static string Code(Standing standing) => standing.ToString().ToLowerInvariant();

    private static string Text(Standing standing) => standing switch
    {
        Standing.Covers => "takes all requests of this route, which is never reached",
        Standing.Covered => "is never reached: this route takes all of its requests",
        Standing.Even => "is as specific and of the same priority; where both hold, the names decide",
        Standing.Before => "goes first where both would take a request",
        _ => "gets what this route does not take",
    };
}
