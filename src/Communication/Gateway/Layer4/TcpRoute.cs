using System.Collections.Immutable;
using System.Net;
using Groundwork.Communication.Gateway.Callers;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Layer4;

/// <summary>A TCP route as connections need it: immutable but for who is connected.</summary>
internal sealed class TcpRoute
{
    private readonly NetworkList? allowed;
    private readonly NetworkList denied;
    private readonly CertificateTable certificates;
    private readonly ListenerTlsSpec? tls;
    private Tuple<object, TlsRules>? secured; // Compiled last, and of which certificates.

    private TcpRoute(
        ResourceKey key, TcpRouteSpec spec, Target target, CertificateTable certificates, ConnectionCount connections)
    {
        Key = key;
        Spec = spec;
        Target = target;
        Connections = connections;
        this.certificates = certificates;
        tls = spec.Tls;
        ServerNames = spec.ServerNames is { } names ? [.. names] : [];
        allowed = spec.Allow is { } some ? NetworkList.Parse(some) : null;
        denied = NetworkList.Parse(spec.Deny ?? []);
        IdleTimeout = TimeSpan.FromMilliseconds(spec.IdleMs);
        ConnectTimeout = TimeSpan.FromMilliseconds(spec.ConnectMs);
    }

    public ResourceKey Key { get; }

    public TcpRouteSpec Spec { get; }

    public Target Target { get; }

    /// <summary>Empty: whatever connects.</summary>
    public ImmutableArray<string> ServerNames { get; }

    public TimeSpan IdleTimeout { get; }

    public TimeSpan ConnectTimeout { get; }

    /// <summary>Those that are open; they outlive a change of the route.</summary>
    public ConnectionCount Connections { get; }

    /// <summary>Null for one that this version does not understand.</summary>
    public static TcpRoute? TryCompile(Resource resource, CertificateTable certificates, ConnectionCount? connections)
    {
        var spec = resource.As<TcpRouteSpec>();
        return Target.TryMake(spec.Service, spec.Upstream, resource.Key.Namespace) is { } target
            ? new TcpRoute(resource.Key, spec, target, certificates, connections ?? new ConnectionCount())
            : null;
    }

    public bool Admits(IPAddress? address) =>
        !denied.Contains(address) && (allowed is null || allowed.Contains(address));

    /// <summary>How TLS is spoken with clients, with the certificates in force; null where it does not end here.
    /// </summary>
    public TlsRules? Tls()
    {
        if (tls is null) return null;
        var (made, rules) = (certificates.Current, Volatile.Read(ref secured));
        if (rules is not null && ReferenceEquals(rules.Item1, made)) return rules.Item2;
        var fresh = TlsRules.Compile(tls, certificates);
        Volatile.Write(ref secured, new(made, fresh));
        return fresh;
    }

    public bool Takes(string serverName) => ServedCertificate.Covers(ServerNames, serverName);
}

/// <summary>All routes of one address: immutable.</summary>
internal sealed class TcpPort(ImmutableArray<TcpRoute> routes)
{
    /// <summary>Whose connections begin with a header of the PROXY protocol.</summary>
    public NetworkList Proxies { get; } = NetworkList.Parse(routes.SelectMany(route => route.Spec.ProxyProtocol ?? []));

    /// <summary>True when the route depends on what the client asks for.</summary>
    public bool LooksAtNames { get; } = routes.Any(route => !route.ServerNames.IsEmpty);

    public TcpRoute? Find(string serverName)
    {
        TcpRoute? otherwise = null;
        TcpRoute? wildcard = null;
        foreach (var route in routes)
        {
            if (route.ServerNames.IsEmpty) otherwise = route;
            else if (route.ServerNames.Contains(serverName)) return route;
            else if (route.Takes(serverName)) wildcard = route;
        }
        return wildcard ?? otherwise;
    }
}
