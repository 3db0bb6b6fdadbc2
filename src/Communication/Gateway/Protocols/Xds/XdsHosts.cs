using System.Collections.Frozen;
using System.Collections.Immutable;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>The hosts of the gateway's routes, in step with the snapshots.</summary>
internal sealed class XdsHosts : IDisposable
{
    private readonly ResourceTable<XdsRoute> routes;
    private Made made = new([], FrozenDictionary<string, XdsHost>.Empty); // Any thread; all would make the same.

    public XdsHosts(ISnapshotSource snapshots) =>
        routes = new ResourceTable<XdsRoute>(snapshots, RouteKind.Kind.Name, XdsRoute.Of);

    /// <summary>Another one when a route has changed.</summary>
    public object Edition => routes.Current;

    /// <summary>Null: no route writes the host out, or a client could not do what they say.</summary>
    public XdsHost? Find(string host)
    {
        var now = routes.Current;
        var known = Volatile.Read(ref made);
        if (!ReferenceEquals(known.Of, now)) Volatile.Write(ref made, known = new Made(now, Make(now.Values)));
        return known.Hosts.GetValueOrDefault(host);
    }

    public void Dispose() => routes.Dispose();

    private static FrozenDictionary<string, XdsHost> Make(IEnumerable<XdsRoute> all)
    {
        var hosts = new Dictionary<string, XdsHost>(StringComparer.OrdinalIgnoreCase);
        var byHost = all.SelectMany(route => route.Hosts.Select(host => (Host: host, Route: route)))
            .GroupBy(pair => pair.Host, pair => pair.Route, StringComparer.OrdinalIgnoreCase);
        foreach (var group in byHost)
            if (XdsHost.Of(group) is { } host) hosts[group.Key] = host;
        return hosts.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    private sealed record Made(
        ImmutableDictionary<ResourceKey, XdsRoute> Of, FrozenDictionary<string, XdsHost> Hosts);
}
