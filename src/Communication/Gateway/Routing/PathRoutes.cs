using System.Collections.Immutable;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// The routes of one host whose paths are the same but for the names of parameters: immutable, in the order in which
/// they are tried.
/// </summary>
/// <param name="Whole">For paths that end here.</param>
/// <param name="Below">For this path and whatever is below it.</param>
internal sealed record PathRoutes(ImmutableArray<Route> Whole, ImmutableArray<Route> Below) : IRadixValue
{
    private static readonly PathRoutes None = new([], []);

    public RadixMarks Marks { get; } =
        (Whole.IsEmpty ? RadixMarks.None : RadixMarks.Whole) | (Below.IsEmpty ? RadixMarks.None : RadixMarks.Prefix);

    public static PathRoutes With(PathRoutes? before, Route route)
    {
        before ??= None;
        return route.Path.Form == PathForm.Prefix
            ? new PathRoutes(before.Whole, Insert(before.Below, route))
            : new PathRoutes(Insert(before.Whole, route), before.Below);
    }

    /// <summary>Null when none is left.</summary>
    public static PathRoutes? Without(PathRoutes? before, Route route)
    {
        if (before is null) return null;
        var after = new PathRoutes(before.Whole.Remove(route), before.Below.Remove(route));
        return after.Marks == RadixMarks.None ? null : after;
    }

    internal static ImmutableArray<Route> Insert(ImmutableArray<Route> routes, Route route)
    {
        var at = 0;
        while (at < routes.Length && Route.Order.Compare(routes[at], route) < 0) at++;
        return routes.Insert(at, route);
    }
}
