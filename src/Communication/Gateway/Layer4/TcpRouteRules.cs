using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Layer4;

/// <summary>What a TCP route must be.</summary>
internal static class TcpRouteRules
{
    /// <summary>Characters of the place that it listens at.</summary>
    public const int MaxListen = 64;

    /// <summary>Server names of one route.</summary>
    public const int MaxNames = 64;

    /// <summary>TCP routes of all namespaces: each may hold a socket.</summary>
    public const int MaxRoutes = 256;

    public static void Check(TcpRouteSpec spec, ICollection<FieldFault> faults)
    {
        if (!IsPlace(spec.Listen))
            faults.Add(new FieldFault(
                "spec.listen",
                "must be the NAME of a listeners.tcp-NAME, or an address of loopback: a resource opens no other"));
        if (spec.Service is null == spec.Upstream is null)
            faults.Add(new FieldFault("spec", "must have exactly one of service and upstream"));
        if (spec.Service is not null && !ServiceKey.TryParse(spec.Service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault("spec.service", "must be a service, such as redis or shop/redis"));
        if (spec.Upstream is not null && !DeliveryRules.TryReadUpstream(spec.Upstream, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault("spec.upstream", "must be an upstream, such as redis or shop/redis"));
        if (spec.ServerNames is { } names)
        {
            if (names.Count is 0 or > MaxNames)
                faults.Add(new FieldFault("spec.serverNames", $"must have 1 to {MaxNames} names"));
            foreach (var name in names)
                if (name == HostPattern.Any || HostPattern.Explain(name) is not null)
                    faults.Add(new FieldFault("spec.serverNames", $"has {name}, which is no name in lower case"));
        }
        if (spec.Tls is { } tls) ListenerRules.CheckTls("spec.tls", tls, faults);
        ListenerRules.CheckNetworks("spec.allow", spec.Allow, 1, faults);
        ListenerRules.CheckNetworks("spec.deny", spec.Deny, 1, faults);
        ListenerRules.CheckNetworks("spec.proxyProtocol", spec.ProxyProtocol, 1, faults);
        FieldRules.CheckRange("spec.maxConnections", spec.MaxConnections, 1, ListenerRules.MaxConnections, faults);
        FieldRules.CheckRange(
            "spec.maxConnectionsPerAddress", spec.MaxConnectionsPerAddress, 1, ListenerRules.MaxConnections, faults);
        FieldRules.CheckRange("spec.connectMs", spec.ConnectMs, 10, 30_000, faults);
        FieldRules.CheckRange("spec.idleMs", spec.IdleMs, 1_000, 86_400_000, faults);
    }

    /// <summary>Two routes that want the same connections cannot both exist.</summary>
    public static void CheckAgainst(
        Snapshot head, ResourceKey key, TcpRouteSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        var routes = head.Of(TcpRouteKind.Name);
        if (routes.Count >= MaxRoutes && !routes.ContainsKey(key))
            faults.Add(new FieldFault("", $"there are {MaxRoutes} TCP routes already, which is the limit"));
        foreach (var (other, resource) in routes)
        {
            if (other == key || resource.As<TcpRouteSpec>() is not { } theirs || theirs.Listen != spec.Listen) continue;
            if (spec.ServerNames is null && theirs.ServerNames is null)
                faults.Add(new FieldFault("spec.listen", $"is where {other} takes all connections already"));
            foreach (var name in (spec.ServerNames ?? []).Intersect(theirs.ServerNames ?? []))
                faults.Add(new FieldFault("spec.serverNames", $"has {name}, which {other} takes already"));
        }
    }

    /// <summary>The address that a route opens itself; null for one of the process configuration.</summary>
    public static ListenAddress? LoopbackOf(string listen) =>
        ListenAddress.TryParse(listen, out var address, out _) && address.IsLoopback ? address : null;

    private static bool IsPlace(string listen) =>
        listen.Contains(':', StringComparison.Ordinal)
            ? LoopbackOf(listen) is { Port: > 0 }
            : listen.Length is > 0 and <= MaxListen && Names.IsNamespace(listen);
}
