using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Services.Registry.Protocols;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>
/// What leads from a service's name to its endpoints; all of it is called as the client calls the service.
/// </summary>
internal static class XdsResources
{
    private const string ManagerUrl =
        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

    private const string RouterUrl = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

    private const int Eds = 3;
    private const int Version3 = 2;

    private static ConfigSource ThisStream => new()
    {
        Ads = new AggregatedConfigSource(), ResourceApiVersion = Version3,
    };

    /// <param name="appearance">
    /// Below 2^31; differs from one time that the resource appears to the next. Clients of gRPC for Node keep what a
    /// resource said before it was gone, and overlook that it is there again when it says the same.
    /// </param>
    public static ByteString Make(XdsType type, string name, uint appearance) => type switch
    {
        XdsType.Listener => Listener(name, appearance).ToByteString(),
        XdsType.Cluster => Cluster(name, appearance).ToByteString(),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Of this type nothing appears by itself."),
    };

    /// <summary>Where calls go.</summary>
    /// <param name="host">Null: all of them to the service of that name.</param>
    public static ByteString MakeRoutes(string name, XdsHost? host)
    {
        var all = new VirtualHost { Name = name };
        all.Domains.Add("*");
        if (host is null) all.Routes.Add(Route(new RouteMatch { Prefix = "" }, new RouteAction { Cluster = name }));
        foreach (var route in host?.Routes ?? [])
        {
            // Of everything below a path the path itself is part.
            if (!route.IsBelow || route.Path is { Length: > 0 })
                all.Routes.Add(Route(new RouteMatch { Path = route.Path }, Action(route)));
            if (route.IsBelow) all.Routes.Add(Route(new RouteMatch { Prefix = route.Path + "/" }, Action(route)));
        }
        var routes = new RouteConfiguration { Name = name };
        routes.VirtualHosts.Add(all);
        return routes.ToByteString();
    }

    public static Any Pack(XdsType type, ByteString resource) => new()
    {
        TypeUrl = XdsTypes.UrlOf(type), Value = resource,
    };

    private static Listener Listener(string name, uint appearance)
    {
        var manager = new HttpConnectionManager
        {
            StatPrefix = name,
            Rds = new Rds { ConfigSource = ThisStream, RouteConfigName = name },
        };
        manager.HttpFilters.Add(
            new HttpFilter { Name = "router", TypedConfig = new Any { TypeUrl = RouterUrl } });
        var marks = new Struct();
        marks.Fields["appearance"] = Value.ForString(appearance.ToString("x", CultureInfo.InvariantCulture));
        return new Listener
        {
            Name = name,
            Metadata = new Metadata { FilterMetadata = { ["groundwork"] = marks } },
            ApiListener = new ApiListener
            {
                ApiListener_ = new Any { TypeUrl = ManagerUrl, Value = manager.ToByteString() },
            },
        };
    }

    private static Route Route(RouteMatch match, RouteAction action) => new() { Match = match, Route_ = action };

    private static RouteAction Action(XdsRoute route)
    {
        if (route.Targets is [var only]) return new RouteAction { Cluster = ProtocolNames.ToXds(only.Service) };
        var clusters = new WeightedCluster();
        foreach (var (service, weight) in route.Targets)
            clusters.Clusters.Add(new ClusterWeight { Name = ProtocolNames.ToXds(service), Weight = weight });
        return new RouteAction { WeightedClusters = clusters };
    }

    private static Cluster Cluster(string name, uint appearance)
    {
        // How many calls a client has at once is not for us to limit, so that a limit nobody reaches can carry the
        // mark: of a cluster that client keeps nothing else which changes nothing.
        var limits = new CircuitBreakers();
        limits.Thresholds.Add(new Thresholds { MaxRequests = uint.MaxValue - appearance });
        return new Cluster
        {
            Name = name,
            Type = Eds,
            EdsClusterConfig = new EdsClusterConfig { EdsConfig = ThisStream },
            CircuitBreakers = limits,
        };
    }
}
