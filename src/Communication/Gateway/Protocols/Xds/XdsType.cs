using System.Collections.Immutable;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>The types of resources that there are of a service.</summary>
internal enum XdsType
{
    /// <summary>CDS.</summary>
    Cluster,

    /// <summary>EDS.</summary>
    Endpoints,

    /// <summary>LDS.</summary>
    Listener,

    /// <summary>RDS.</summary>
    Routes,
}

/// <summary>How the types are called, and how their answers are to be read.</summary>
internal static class XdsTypes
{
    private const string Prefix = "type.googleapis.com/";

    /// <summary>What leads to something comes after it, so that no client is led to what it has not heard of.</summary>
    public static ImmutableArray<XdsType> InOrder { get; } =
        [XdsType.Cluster, XdsType.Endpoints, XdsType.Listener, XdsType.Routes];

    public static string UrlOf(XdsType type) => Prefix + type switch
    {
        XdsType.Cluster => "envoy.config.cluster.v3.Cluster",
        XdsType.Endpoints => "envoy.config.endpoint.v3.ClusterLoadAssignment",
        XdsType.Listener => "envoy.config.listener.v3.Listener",
        _ => "envoy.config.route.v3.RouteConfiguration",
    };

    /// <summary>Null for a type that is not served.</summary>
    public static XdsType? Of(string url)
    {
        foreach (var type in InOrder)
            if (UrlOf(type) == url) return type;
        return null;
    }

    /// <summary>
    /// True when an answer has all resources of its type: what it leaves out does not exist. Of the others an answer
    /// has what is new.
    /// </summary>
    public static bool IsWhole(XdsType type) => type is XdsType.Cluster or XdsType.Listener;
}
