using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Communication.Gateway.Layer4;
using Groundwork.Communication.Gateway.Listening;

namespace Groundwork.Communication.Gateway;

/// <summary>Says where connections of an address go whose bytes the gateway does not look into.</summary>
public sealed record TcpRouteSpec(
    [Description(
        "NAME for the address that listeners.tcp-NAME of the process configuration opens, or an address of loopback, "
        + "such as 127.0.0.1:6380.")]
    [Length(1, TcpRouteRules.MaxListen)]
    string Listen,
    [Description("[namespace/][group@@]service; of the route's own namespace unless it names another.")]
    string? Service = null,
    [Description("An upstream instead of a service: [namespace/]name.")]
    string? Upstream = null,
    [Description(
        "Of TLS connections those that ask for one of these names (SNI), such as db.example.com or *.example.com. "
        + "Unless tls is given, they are passed on as they are.")]
    [Length(1, TcpRouteRules.MaxNames)]
    IReadOnlyList<string>? ServerNames = null,
    [Description("Ends TLS here; what is passed on is in clear.")]
    ListenerTlsSpec? Tls = null,
    [Description("Networks or addresses that alone may connect.")]
    [Length(1, ListenerRules.MaxNetworks)]
    IReadOnlyList<string>? Allow = null,
    [Description("Networks or addresses that may not connect.")]
    [Length(1, ListenerRules.MaxNetworks)]
    IReadOnlyList<string>? Deny = null,
    [Description("Connections at once, 1 to 12,000. One more is closed.")]
    [Range(1, ListenerRules.MaxConnections)]
    int MaxConnections = 1_000,
    [Description("Connections of one address at once (of IPv6: of one /64), 1 to 12,000.")]
    [Range(1, ListenerRules.MaxConnections)]
    int? MaxConnectionsPerAddress = null,
    [Description("How long a connection to an instance may take, 10 to 30,000.")]
    [Range(10, 30_000)]
    int ConnectMs = 1_000,
    [Description("How long nothing may pass in either direction, 1,000 to 86,400,000.")]
    [Range(1_000, 86_400_000)]
    int IdleMs = 600_000,
    [Description("Networks or addresses whose connections begin with a header of the PROXY protocol. Theirs must.")]
    [Length(1, ListenerRules.MaxNetworks)]
    IReadOnlyList<string>? ProxyProtocol = null,
    [Description("True: instances get a header of the PROXY protocol, version 2, before anything else.")]
    bool SendProxyProtocol = false);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TcpRouteSpec))]
internal sealed partial class TcpRouteJson : JsonSerializerContext;
