namespace Groundwork.Kernel.Hosting;

/// <summary>What a listener speaks.</summary>
public enum ListenerProtocol
{
    /// <summary>HTTP/1.1, and HTTP/2 over TLS.</summary>
    Http,

    /// <summary>HTTP/2 only: in clear on loopback, else TLS.</summary>
    Grpc,

    /// <summary>
    /// For one owner that passes requests on: connections of HTTP/1 as bytes, requests of HTTP/2 one by one. Over TLS
    /// the client chooses in the handshake, in clear by how it begins.
    /// </summary>
    Proxy,

    /// <summary>Bytes over TCP.</summary>
    Tcp,

    /// <summary>Bytes over TCP, as sockets, for one owner that opens and closes the address as it needs it.</summary>
    Sockets,

    /// <summary>Datagrams over UDP and connections over TCP at one address, as sockets, for one owner.</summary>
    Datagrams,
}

/// <summary>A place to listen, with a pipeline and a route table of its own.</summary>
/// <param name="Name">Its key under <c>listeners</c> in <c>groundwork.yaml</c>.</param>
/// <param name="DefaultAddress"><c>host:port</c> of a loopback address.</param>
/// <param name="MayBindPlain">True for those that may bind a public address without TLS when the configuration says
/// so.</param>
/// <param name="IsSecure">True for those that always speak TLS, with the certificates of whoever guards them
/// (<see cref="IConnectionGuard"/>); one of the configuration is for names that have none.</param>
public sealed record ListenerDefinition(
    string Name, ListenerProtocol Protocol, string DefaultAddress, bool MayBindPlain = false, bool IsSecure = false)
{
    /// <summary>True for a protocol of others, which the configuration may switch off.</summary>
    public bool CanBeOff { get; init; }

    /// <summary>
    /// The listener on which a protocol has paths of its own. It then opens an address besides only where the
    /// configuration gives it one.
    /// </summary>
    public string? SharedWith { get; init; }

    /// <summary>
    /// True when the default address is the one that its public clients expect: it is open besides where the
    /// configuration asks for well-known ports, unless somebody else has it.
    /// </summary>
    public bool IsWellKnown { get; init; }

    /// <summary>
    /// The address that public clients expect of one that has another by itself, for datagrams: it is open besides
    /// under the same conditions.
    /// </summary>
    public string? WellKnownAddress { get; init; }

    /// <summary>The API, the console and the HTTP protocols that have a path of their own.</summary>
    public const string Api = "api";

    /// <summary>The public edge.</summary>
    public const string Gateway = "gateway";

    /// <summary>The same over TLS, where the configuration names it.</summary>
    public const string GatewayHttps = "gateway-https";
}
