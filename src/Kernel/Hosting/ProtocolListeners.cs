namespace Groundwork.Kernel.Hosting;

/// <summary>
/// The protocols of others that have paths on a listener of ours, each under the name that switches it off. A module
/// that serves one declares it; several may serve parts of the same. The default address is the well-known one of its
/// clients where it is marked so, and is open only where the configuration says so.
/// </summary>
public static class ProtocolListeners
{
    /// <summary>gRPC of all protocols that speak it.</summary>
    public const string GrpcName = "grpc";

    /// <summary>Naming and configuration, below <c>/nacos</c>.</summary>
    public static ListenerDefinition Nacos { get; } = OnApi("nacos", "127.0.0.1:8848", isWellKnown: true);

    /// <summary>Below <c>/eureka</c>.</summary>
    public static ListenerDefinition Eureka { get; } = OnApi("eureka", "127.0.0.1:8761", isWellKnown: true);

    /// <summary>Below <c>/v1</c>, each family by its literal name.</summary>
    public static ListenerDefinition Consul { get; } = OnApi("consul", "127.0.0.1:8500", isWellKnown: true);

    /// <summary>Spring Cloud Config: below <c>/config</c>, and at the root of an address of its own.</summary>
    public static ListenerDefinition SpringConfig { get; } =
        OnApi("spring-config", "127.0.0.1:8888", isWellKnown: true);

    /// <summary>Below <c>/apollo</c>, and at the root of an address of its own.</summary>
    public static ListenerDefinition Apollo { get; } = OnApi("apollo", "127.0.0.1:7408");

    /// <summary>HTTP/2 only, in clear on loopback.</summary>
    public static ListenerDefinition Grpc { get; } = new(GrpcName, ListenerProtocol.Grpc, "127.0.0.1:7401")
    {
        CanBeOff = true,
    };

    /// <summary>etcd v3.</summary>
    public static ListenerDefinition Etcd { get; } = OnGrpc("etcd", "127.0.0.1:2379", isWellKnown: true);

    /// <summary>The discovery service of Envoy's API, version 3.</summary>
    public static ListenerDefinition Xds { get; } = OnGrpc("xds", "127.0.0.1:7409");

    private static ListenerDefinition OnApi(string name, string address, bool isWellKnown = false) =>
        new(name, ListenerProtocol.Http, address)
        {
            CanBeOff = true, SharedWith = ListenerDefinition.Api, IsWellKnown = isWellKnown,
        };

    private static ListenerDefinition OnGrpc(string name, string address, bool isWellKnown = false) =>
        new(name, ListenerProtocol.Grpc, address)
        {
            CanBeOff = true, SharedWith = GrpcName, IsWellKnown = isWellKnown,
        };
}
