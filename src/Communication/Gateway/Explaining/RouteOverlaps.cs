using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Explaining;

/// <summary>How another route stands to one, for the requests that both would take.</summary>
internal enum Standing
{
    /// <summary>The other goes first, for some of them.</summary>
    Before,

    /// <summary>The other goes after it.</summary>
    After,

    /// <summary>The other takes all of them: this one is never reached.</summary>
    Covers,

    /// <summary>This one takes all of the other's: the other is never reached.</summary>
    Covered,

    /// <summary>Only their names decide, where the conditions of both hold.</summary>
    Even,
}

/// <summary>Another route that wants some of a route's requests.</summary>
internal readonly record struct Overlap(Route Other, Standing Standing);

/// <summary>
/// Finds the routes that want requests of a route, and which goes first. Expressions are taken to meet every path of
/// their hosts: which they meet cannot be told.
/// </summary>
internal static class RouteOverlaps
{
    public static IEnumerable<Overlap> Of(Route route, IEnumerable<Route> routes)
    {
        foreach (var other in routes)
            if (other.Key != route.Key && SharesMethod(route, other) && Compare(route, other) is { } standing)
                yield return new Overlap(other, standing);
    }

    private static Standing? Compare(Route route, Route other)
    {
        if (!PathsMeet(route.Path, other.Path)) return null;
        var (first, after) = (false, false);
        foreach (var host in route.Hosts)
        {
            foreach (var theirs in other.Hosts)
            {
                if (Meet(host, theirs) is not { } byHost) continue;
                var order = byHost != 0 ? byHost : ByPath(route.Path, other.Path);
                if (order == 0) return AtOnePlace(route, other);
                if (order < 0) after = true;
                else first = true;
            }
        }
        return first ? Standing.Before : after ? Standing.After : null;
    }

    private static Standing AtOnePlace(Route route, Route other)
    {
        var isFirst = Route.Order.Compare(route, other) < 0;
        if (Covers(other, route) && !isFirst) return Standing.Covers;
        if (Covers(route, other) && isFirst) return Standing.Covered;
        if (route.Specificity == other.Specificity && route.Priority == other.Priority) return Standing.Even;
        return isFirst ? Standing.After : Standing.Before;
    }

    // Every request of the one is one of the wide one's.
    private static bool Covers(Route wide, Route one) =>
        wide.Conditions.Cover(one.Conditions)
        && (wide.Methods.IsEmpty || (!one.Methods.IsEmpty && one.Methods.All(wide.Methods.Contains)))
        && one.Hosts.All(wide.Hosts.Contains)
        && PathPattern.Shape(wide.Path.Text) == PathPattern.Shape(one.Path.Text);

    private static bool SharesMethod(Route one, Route other) =>
        one.Methods.IsEmpty || other.Methods.IsEmpty || one.Methods.Any(other.Methods.Contains);

    /// <summary>Below 0 when the first pattern is the more specific of two that meet; null when they do not.</summary>
    private static int? Meet(string one, string other)
    {
        if (one == other) return 0;
        if (IsBelow(one, other)) return -1;
        return IsBelow(other, one) ? 1 : null;
    }

    private static bool IsBelow(string host, string pattern) =>
        pattern == HostPattern.Any
        || (pattern[0] == '*' && host.Length >= pattern.Length
            && host.EndsWith(pattern[1..], StringComparison.Ordinal));

    private static bool PathsMeet(PathPattern one, PathPattern other)
    {
        if (one.Form == PathForm.Expression || other.Form == PathForm.Expression) return true;
        var (mine, theirs) = (Segments(one), Segments(other));
        for (var index = 0; index < Math.Min(mine.Length, theirs.Length); index++)
            if (!IsParameter(mine[index]) && !IsParameter(theirs[index]) && mine[index] != theirs[index]) return false;
        return mine.Length == theirs.Length
            || (mine.Length < theirs.Length ? one : other).Form == PathForm.Prefix;
    }

    private static int ByPath(PathPattern one, PathPattern other)
    {
        if (one.Form != other.Form) return one.Form.CompareTo(other.Form);
        if (one.Form == PathForm.Expression) return 0;
        var (mine, theirs) = (Segments(one), Segments(other));
        for (var index = 0; index < Math.Min(mine.Length, theirs.Length); index++)
        {
            var literal = IsParameter(mine[index]).CompareTo(IsParameter(theirs[index]));
            if (literal != 0) return literal;
        }
        return theirs.Length.CompareTo(mine.Length);
    }

    private static string[] Segments(PathPattern path) =>
        (path.Form == PathForm.Prefix ? path.Text[..^3] : path.Text).Split('/');

    private static bool IsParameter(string segment) => segment.StartsWith('{');
}
