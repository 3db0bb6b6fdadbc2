using System.Collections.Concurrent;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// The figures of all routes and upstreams. A compiled route looks its own up once; they outlive its changes, and are
/// forgotten with it.
/// </summary>
internal sealed class TrafficCounters
{
    /// <summary>
    /// Routes with figures of their own, and as many upstreams: a scrape has about 25 lines for each. The others are
    /// counted together, as <see cref="Others"/>.
    /// </summary>
    public const int MaxSeries = 1_000;

    /// <summary>What those are called for which there is no room.</summary>
    public const string Others = "(others)";

    private readonly ConcurrentDictionary<ResourceKey, RouteSeries> routes = new();
    private readonly ConcurrentDictionary<string, UpstreamSeries> upstreams = new(StringComparer.Ordinal);
    private readonly RouteSeries unrouted = new("");
    private readonly RouteSeries otherRoutes = new(Others);
    private readonly UpstreamSeries otherUpstreams = new(Others);
    private readonly HashSet<string> idle = new(StringComparer.Ordinal); // Locked by its user.
    private int connections; // Interlocked.

    /// <summary>Connections of clients that speak HTTP/1.</summary>
    public int Connections => Volatile.Read(ref connections);

    public void ConnectionOpened() => Interlocked.Increment(ref connections);

    public void ConnectionClosed() => Interlocked.Decrement(ref connections);

    /// <summary>Those of a route; of requests that none takes when there is none.</summary>
    public RouteSeries Of(Route? route)
    {
        if (route is null) return unrouted;
        return route.Series ??= routes.TryGetValue(route.Key, out var known) ? known
            : routes.Count >= MaxSeries ? otherRoutes
            : routes.GetOrAdd(route.Key, static (_, name) => new RouteSeries(name), route.Name);
    }

    /// <summary>Those of a service or an upstream, by its name.</summary>
    public UpstreamSeries Of(string upstream) => upstreams.TryGetValue(upstream, out var known) ? known
        : upstreams.Count >= MaxSeries ? otherUpstreams
        : upstreams.GetOrAdd(upstream, static name => new UpstreamSeries(name));

    /// <summary>Forgets the routes that are gone.</summary>
    public void Retain(RouteTable table)
    {
        foreach (var key in routes.Keys)
            if (table.Find(key) is null) routes.TryRemove(key, out _);
    }

    /// <summary>
    /// Forgets the upstreams to which nothing leads any more, the second time that it hears so: the first may have been
    /// said while somebody took one up.
    /// </summary>
    public void RetainUpstreams(IReadOnlySet<string> names)
    {
        lock (idle)
        {
            foreach (var name in upstreams.Keys)
            {
                if (names.Contains(name)) idle.Remove(name);
                else if (!idle.Add(name) && idle.Remove(name)) upstreams.TryRemove(name, out _);
            }
        }
    }

    public IEnumerable<RouteReading> Routes() => routes.Values.OrderBy(one => one.Name, StringComparer.Ordinal)
        .Append(otherRoutes).Append(unrouted).Select(one => one.Read()).Where(one => one.Answers.Count > 0);

    public IEnumerable<UpstreamReading> Upstreams() => upstreams.Values
        .OrderBy(one => one.Name, StringComparer.Ordinal)
        .Append(otherUpstreams).Select(one => one.Read()).Where(one => one.Total > 0);
}
