using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Contracts;
using Groundwork.Wire.Http1;
using PathForm = Groundwork.Communication.Gateway.Routing.PathForm;

namespace Groundwork.Communication.Gateway.Explaining;

/// <summary>
/// Says of each route of a request's host whether it took the request, and if not, what was in the way.
/// </summary>
internal static class RouteVerdicts
{
    public static IReadOnlyList<GatewayRouteVerdict> Of(
        RecordedRequest request, RequestHead head, Func<ResourceKey, bool> mayRead)
    {
        if (request.Table is not { } table) return [];
        var view = ViewOf(request, head);
        var verdicts = new List<(int Rank, int Shared, GatewayRouteVerdict Verdict)>();
        foreach (var route in table.Routes)
        {
            if (!route.Hosts.Any(host => HostPattern.Meets(host, request.Host)) || !mayRead(route.Key)) continue;
            var (rank, verdict, text) = Judge(route, request, view);
            verdicts.Add((
                rank, request.Path.AsSpan().CommonPrefixLength(route.Path.Literal),
                new GatewayRouteVerdict(route.Key.Namespace, route.Key.Name, verdict, text)));
        }
        return
        [
            .. verdicts.OrderBy(one => one.Rank).ThenByDescending(one => one.Shared)
                .ThenBy(one => one.Verdict.Name, StringComparer.Ordinal).Take(RequestExplainer.MaxRoutes)
                .Select(one => one.Verdict),
        ];
    }

    /// <summary>What routes are matched against, of a request that is over.</summary>
    public static RequestView ViewOf(RecordedRequest request, RequestHead head) => new()
    {
        Host = head.Host,
        Path = head.Path,
        Method = head.MethodName,
        Query = head.Query.IsEmpty ? head.Query : head.Query[1..],
        Fields = new ExchangeFields(head.Fields),
        Client = request.Client,
        Time = request.At,
    };

    private static (int Rank, string Verdict, string Text) Judge(
        Route route, RecordedRequest request, RequestView view)
    {
        if (route.Key == request.Route?.Key) return (0, "taken", $"took it, by {route.Path}");
        if (!route.Path.Meets(request.Path)) return (4, "path", $"takes {route.Path}, which this path is not");
        if (!route.Serves(view.Method))
            return (3, "method", $"takes {string.Join(", ", route.Methods)}, not {request.Method}");
        var unmet = route.Conditions.Unmet(view).ToList();
        if (unmet.Count > 0) return (2, "condition", $"asks for more: {string.Join(", ", unmet)}");
        return (1, "after", request.Route is { } taken
            ? $"would have taken it, had {taken.Name} not gone first: {WhyFirst(taken, route, request.Host)}"
            : "would have taken it");
    }

    private static string WhyFirst(Route first, Route after, string host)
    {
        if (RankOf(first, host) != RankOf(after, host)) return "its host is the more exact one";
        if (first.Path.Form != after.Path.Form) return $"{Word(first.Path.Form)} goes before {Word(after.Path.Form)}";
        if (PathPattern.Shape(first.Path.Text) != PathPattern.Shape(after.Path.Text) && first.Path.Expression is null)
            return "its path is the more exact one";
        if (first.Priority != after.Priority && (first.Path.Expression is not null
            || first.Specificity == after.Specificity)) return "its priority is higher";
        return first.Specificity != after.Specificity ? "it asks for more" : "its name comes first";
    }

    // The longest pattern that meets the host; the host itself before all.
    private static int RankOf(Route route, string host) => route.Hosts
        .Where(pattern => HostPattern.Meets(pattern, host))
        .Max(pattern => pattern == host ? int.MaxValue : pattern == HostPattern.Any ? 0 : pattern.Length);

    private static string Word(PathForm form) => form switch
    {
        PathForm.Exact => "an exact path",
        PathForm.Template => "a template",
        PathForm.Prefix => "a prefix",
        _ => "an expression",
    };
}
