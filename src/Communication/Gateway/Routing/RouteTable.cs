using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// All routes: immutable. Of those that match, the one goes first with the most specific host, then path, then with
/// more conditions (listed methods are one), then of the higher priority, then by key. A change copies the ways from
/// the roots to the places it touches and shares the rest.
/// </summary>
internal sealed class RouteTable
{
    private readonly HostTree hosts;
    private readonly ImmutableDictionary<ResourceKey, Route> routes;

    private readonly ImmutableDictionary<Target, int> targets; // How many times routes lead to it.

    private RouteTable(
        HostTree hosts, ImmutableDictionary<ResourceKey, Route> routes, ImmutableDictionary<Target, int> targets)
    {
        this.hosts = hosts;
        this.routes = routes;
        this.targets = targets;
    }

    public static RouteTable Empty { get; } = new(
        HostTree.Empty, ImmutableDictionary<ResourceKey, Route>.Empty, ImmutableDictionary<Target, int>.Empty);

    public int Count => routes.Count;

    /// <summary>Where routes lead.</summary>
    public IEnumerable<Target> Targets => targets.Keys;

    public IEnumerable<Route> Routes => routes.Values;

    public Route? Find(ResourceKey key) => routes.GetValueOrDefault(key);

    /// <summary>
    /// The table without some routes and with others. A route whose key is in both lists is replaced.
    /// </summary>
    public RouteTable With(IReadOnlyCollection<ResourceKey> gone, IReadOnlyCollection<Route> added)
    {
        var next = hosts;
        var byKey = routes.ToBuilder();
        var counts = targets.ToBuilder();
        foreach (var key in gone.Concat(added.Select(route => route.Key)))
        {
            if (!byKey.Remove(key, out var before)) continue;
            Tally(counts, before, -1);
            foreach (var host in before.Hosts) next = next.Edit(host, routes => HostRoutes.Without(routes, before));
        }
        foreach (var route in added)
        {
            byKey.Add(route.Key, route);
            Tally(counts, route, 1);
            foreach (var host in route.Hosts) next = next.Edit(host, routes => HostRoutes.With(routes, route));
        }
        return new RouteTable(next, byKey.ToImmutable(), counts.ToImmutable());
    }

    /// <summary>True when no route leads any more where one of the earlier table did.</summary>
    public bool HasLeft(RouteTable before) => before.targets.Keys.Any(target => !targets.ContainsKey(target));

    /// <summary>The route of a request. Allocates nothing unless an expression captures, or only the method is
    /// wrong.</summary>
    public RouteMatch Match(in RequestView view)
    {
        var search = new RouteSearch(view, collectMethods: false);
        hosts.Search(ref search, out var known);
        if (search.Found is not null || !search.LacksMethod)
            return new RouteMatch(search.Found, known, null, search.Parameters, search.Visited);
        var again = new RouteSearch(view, collectMethods: true);
        hosts.Search(ref again, out known);
        return new RouteMatch(null, known, again.Methods, default, search.Visited + again.Visited);
    }

    private static void Tally(ImmutableDictionary<Target, int>.Builder counts, Route route, int by)
    {
        foreach (var target in route.Targets)
        {
            var count = counts.GetValueOrDefault(target) + by;
            if (count == 0) counts.Remove(target);
            else counts[target] = count;
        }
    }
}

/// <summary>What the table says of a request.</summary>
/// <param name="HostKnown">True when some route serves the host, be it another path.</param>
/// <param name="Allowed">Methods of the routes that lack only the method; null when there are none.</param>
/// <param name="Parameters">What the route's path captures.</param>
/// <param name="Visited">Places of the table that were looked at.</param>
internal readonly record struct RouteMatch(
    Route? Route, bool HostKnown, ImmutableSortedSet<string>? Allowed, PathParameters Parameters, int Visited)
{
    /// <summary>Why no route takes it; null when one does.</summary>
    public Fault? Refusal()
    {
        if (Route is not null) return null;
        if (!HostKnown) return new Fault(ErrorCodes.HostUnknown, "No route serves the host of this request.");
        return Allowed is null
            ? new Fault(ErrorCodes.RouteNotFound, "No route of this host serves the path.")
            : new Fault(ErrorCodes.MethodNotAllowed, "The routes of this path do not serve the method.");
    }
}
