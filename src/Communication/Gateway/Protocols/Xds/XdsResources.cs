using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;

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
        XdsType.Routes => Routes(name).ToByteString(),
        XdsType.Cluster => Cluster(name, appearance).ToByteString(),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Endpoints are those of an instant."),
    };

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

    private static RouteConfiguration Routes(string name)
    {
        var host = new VirtualHost { Name = name };
        host.Domains.Add("*");
        host.Routes.Add(
            new Route { Match = new RouteMatch { Prefix = "" }, Route_ = new RouteAction { Cluster = name } });
        var routes = new RouteConfiguration { Name = name };
        routes.VirtualHosts.Add(host);
        return routes;
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
