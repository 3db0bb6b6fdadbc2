using System.Collections.Immutable;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// The routes of one host pattern: immutable. Looks up whole paths, longest first, and never compares with a list.
/// </summary>
internal sealed class HostRoutes
{
    private readonly Dictionary<string, ImmutableArray<Route>> exact = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ImmutableArray<Route>> prefixes = new(StringComparer.Ordinal);
    private readonly ImmutableArray<Route> routes;

    // Deeper prefixes do not exist, so a path of a thousand slashes costs no thousand look-ups.
    private readonly int deepestPrefix;

    private HostRoutes(ImmutableArray<Route> routes)
    {
        this.routes = routes;
        foreach (var group in routes.GroupBy(route => route.Path))
        {
            // Those that list methods go before the one that serves all; the keys make the order the same on every
            // node.
            var ordered = group.OrderBy(route => route.Methods.IsEmpty).ThenBy(route => route.Key).ToImmutableArray();
            (group.Key.IsPrefix ? prefixes : exact).Add(group.Key.Literal, ordered);
            if (group.Key.IsPrefix) deepestPrefix = Math.Max(deepestPrefix, group.Key.Segments);
        }
    }

    public static HostRoutes Empty { get; } = new([]);

    public bool IsEmpty => routes.IsEmpty;

    public HostRoutes With(IReadOnlySet<Groundwork.Kernel.Resources.ResourceKey> gone, IEnumerable<Route> added) =>
        new([.. routes.Where(route => !gone.Contains(route.Key)), .. added]);

    /// <summary>
    /// The most specific route for the path and method; collects the methods of those that only lack the method.
    /// </summary>
    public Route? Match(ReadOnlySpan<char> path, string method, ref ImmutableSortedSet<string>? allowed)
    {
        if (exact.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(path, out var found)
            && Pick(found, method, ref allowed) is { } whole) return whole;
        var lookup = prefixes.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var rest = Cut(path); ; rest = rest[..rest.LastIndexOf('/')])
        {
            if (lookup.TryGetValue(rest, out found) && Pick(found, method, ref allowed) is { } route) return route;
            if (rest.IsEmpty) return null;
        }
    }

    // The path down to the depth of the deepest prefix.
    private ReadOnlySpan<char> Cut(ReadOnlySpan<char> path)
    {
        var end = 0;
        for (var segment = 0; segment < deepestPrefix; segment++)
        {
            var next = path[(end + 1)..].IndexOf('/');
            if (next < 0) return path;
            end += next + 1;
        }
        return path[..end];
    }

    private static Route? Pick(ImmutableArray<Route> candidates, string method, ref ImmutableSortedSet<string>? allowed)
    {
        foreach (var route in candidates)
        {
            if (route.Methods.IsEmpty || route.Methods.Contains(method)) return route;
            allowed = (allowed ?? ImmutableSortedSet.Create<string>(StringComparer.Ordinal)).Union(route.Methods);
        }
        return null;
    }
}
