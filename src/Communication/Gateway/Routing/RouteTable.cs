using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// All routes: immutable, swapped as a whole. Of the routes that match host, path and method the most specific wins: an
/// exact host before the longest <c>*.</c> pattern before <c>*</c>; then an exact path before the longest prefix; then
/// listed methods before all. A change copies the table of hosts and rebuilds only the hosts it touches.
/// </summary>
internal sealed class RouteTable
{
    private readonly Dictionary<string, HostRoutes> hosts;
    private readonly ImmutableDictionary<ResourceKey, Route> routes;

    private RouteTable(Dictionary<string, HostRoutes> hosts, ImmutableDictionary<ResourceKey, Route> routes)
    {
        this.hosts = hosts;
        this.routes = routes;
    }

    public static RouteTable Empty { get; } =
        new(new(StringComparer.Ordinal), ImmutableDictionary<ResourceKey, Route>.Empty);

    public int Count => routes.Count;

    public IEnumerable<ServiceKey> Services => routes.Values.Select(route => route.Service).Distinct();

    /// <summary>
    /// The table without some routes and with others. A route whose key is in both lists is replaced.
    /// </summary>
    public RouteTable With(IReadOnlyCollection<ResourceKey> gone, IReadOnlyCollection<Route> added)
    {
        var keys = gone.Concat(added.Select(route => route.Key)).ToHashSet();
        var touched = keys.Where(routes.ContainsKey).SelectMany(key => routes[key].Hosts)
            .Concat(added.SelectMany(route => route.Hosts))
            .ToHashSet(StringComparer.Ordinal);
        var addedByHost = added
            .SelectMany(route => route.Hosts.Select(host => (host, route)))
            .ToLookup(pair => pair.host, pair => pair.route, StringComparer.Ordinal);
        var next = new Dictionary<string, HostRoutes>(hosts, StringComparer.Ordinal);
        foreach (var host in touched)
        {
            var rebuilt = hosts.GetValueOrDefault(host, HostRoutes.Empty).With(keys, addedByHost[host]);
            if (rebuilt.IsEmpty) next.Remove(host);
            else next[host] = rebuilt;
        }
        return new RouteTable(next, routes.RemoveRange(keys)
            .AddRange(added.Select(route => KeyValuePair.Create(route.Key, route))));
    }

    /// <param name="host">As <see cref="HostPattern.Normalize"/> gives it; null matches <c>*</c> alone.</param>
    /// <param name="path">As <see cref="RequestPath.Normalize"/> gives it.</param>
    public RouteMatch Match(string? host, ReadOnlySpan<char> path, string method)
    {
        ImmutableSortedSet<string>? allowed = null;
        var known = false;
        if (host is not null)
        {
            if (hosts.TryGetValue(host, out var own))
            {
                known = true;
                if (own.Match(path, method, ref allowed) is { } route) return new RouteMatch(route, true, null);
            }
            if (MatchWildcard(host, path, method, ref known, ref allowed) is { } below)
                return new RouteMatch(below, true, null);
        }
        if (!hosts.TryGetValue(HostPattern.Any, out var any)) return new RouteMatch(null, known, allowed);
        return new RouteMatch(any.Match(path, method, ref allowed), true, allowed);
    }

    // "a.b.example.com" looks for "*.b.example.com", "*.example.com" and "*.com". An address has dots too and is below
    // nothing.
    private Route? MatchWildcard(
        string host, ReadOnlySpan<char> path, string method, ref bool known, ref ImmutableSortedSet<string>? allowed)
    {
        if (host[0] == '[' || char.IsAsciiDigit(host[^1])) return null;
        Span<char> pattern = stackalloc char[host.Length + 1];
        var lookup = hosts.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var dot = host.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = host.IndexOf('.', dot + 1))
        {
            pattern[0] = '*';
            host.AsSpan(dot).CopyTo(pattern[1..]);
            if (!lookup.TryGetValue(pattern[..(host.Length - dot + 1)], out var routesBelow)) continue;
            known = true;
            if (routesBelow.Match(path, method, ref allowed) is { } route) return route;
        }
        return null;
    }
}

/// <summary>What the table says of a request.</summary>
/// <param name="HostKnown">True when some route serves the host, be it another path.</param>
/// <param name="Allowed">Methods of the routes that lack only the method; null when there are none.</param>
internal readonly record struct RouteMatch(Route? Route, bool HostKnown, ImmutableSortedSet<string>? Allowed);
