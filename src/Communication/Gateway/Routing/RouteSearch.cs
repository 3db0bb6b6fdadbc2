using System.Collections.Immutable;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>One search for the route of a request: what has been found and seen so far.</summary>
internal ref struct RouteSearch(in RequestView view, bool collectMethods)
{
    public readonly RequestView View = view;

    /// <summary>What the way to the place in the tree has captured.</summary>
    public PathParameters Parameters;

    /// <summary>Nodes and expressions looked at: what the search has cost.</summary>
    public int Visited;

    public Route? Found { get; private set; }

    /// <summary>True when some route would take the request but for its method.</summary>
    public bool LacksMethod { get; private set; }

    /// <summary>Those methods, when they are collected.</summary>
    public ImmutableSortedSet<string>? Methods { get; private set; }

    public bool TryTake(ImmutableArray<Route> routes)
    {
        foreach (var route in routes)
            if (TryTake(route)) return true;
        return false;
    }

    public bool TryTake(Route route)
    {
        if (route.Serves(View.Method))
        {
            if (!route.Conditions.Hold(View)) return false;
            Found = route;
            return true;
        }
        if ((collectMethods || !LacksMethod) && route.Conditions.Hold(View))
        {
            LacksMethod = true;
            if (collectMethods) Methods = (Methods ?? NoMethods).Union(route.Methods);
        }
        return false;
    }

    private static ImmutableSortedSet<string> NoMethods => ImmutableSortedSet.Create<string>(StringComparer.Ordinal);
}
