using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Communication.Gateway.Listening;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// What holds for all requests that come over one address of the gateway. Its name says which: <c>http</c> or
/// <c>https</c>, as the process configuration opens them.
/// </summary>
public sealed record GatewayListenerSpec(
    [Description("How TLS is spoken.")]
    ListenerTlsSpec? Tls = null,
    [Description("What connections and requests may cost.")]
    ListenerBoundsSpec? Bounds = null,
    [Description("Whom to believe about who the caller is.")]
    CallerSpec? Caller = null,
    [Description("True: requests that did not come over TLS are sent to the same address over HTTPS.")]
    bool RedirectToHttps = false,
    [Description("Who may pass, whatever their routes want besides.")]
    AccessSpec? Access = null,
    [Description("How many requests may pass, over all routes; at most 8.")]
    [Length(1, Limits.LimitRules.MaxLimits)]
    IReadOnlyList<LimitSpec>? Limits = null) : Steps.IPolicies;

/// <summary>How a listener speaks TLS.</summary>
public sealed record ListenerTlsSpec(
    [Description(
        "Certificates that are shown, [namespace/]name; all that have a private key, when not given. Which of them is "
        + "decided by the name that the client asks for.")]
    [Length(1, ListenerRules.MaxCertificates)]
    IReadOnlyList<string>? Certificates = null,
    [Description(
        "The certificate for names that none of the others covers, [namespace/]name. When not given such clients are "
        + "refused with unrecognized_name.")]
    string? Default = null,
    [Description("The lowest version that is spoken.")]
    [AllowedValues("1.2", "1.3")]
    string MinVersion = "1.2",
    [Description("Whether clients show a certificate.")]
    ClientCertificatesSpec? ClientCertificates = null);

/// <summary>Whether clients show a certificate of theirs.</summary>
public sealed record ClientCertificatesSpec(
    [Description("Resources of kind certificate, [namespace/]name, whose authorities sign those of clients.")]
    [Length(1, ListenerRules.MaxAuthorities)]
    IReadOnlyList<string> Authorities,
    [Description("require: no connection without one. ask: one that is shown must be valid.")]
    [AllowedValues("require", "ask")]
    string Mode = "require");

/// <summary>What connections and requests of a listener may cost. Routes can only ask for less.</summary>
public sealed record ListenerBoundsSpec(
    [Description("Connections at once, 1 to 12,000. One more is closed without an answer.")]
    [Range(1, ListenerRules.MaxConnections)]
    int? MaxConnections = null,
    [Description("Connections of one address at once (of IPv6: of one /64), 1 to 12,000.")]
    [Range(1, ListenerRules.MaxConnections)]
    int? MaxConnectionsPerAddress = null,
    [Description("Bytes of a request's body, 0 to 1,073,741,824.")]
    [Range(0, ListenerRules.MaxBodyBytes)]
    int? BodyBytes = null,
    [Description("From the first byte of a request's head to its end, 100 to 60,000.")]
    [Range(100, 60_000)]
    int? HeadMs = null,
    [Description("How long a connection may rest between requests, 1,000 to 3,600,000.")]
    [Range(1_000, 3_600_000)]
    int? KeepAliveMs = null,
    [Description("The longest that a route may wait for the head of an answer, 10 to 3,600,000.")]
    [Range(10, 3_600_000)]
    int? ResponseHeadMs = null,
    [Description("The longest that a route may wait between two pieces of an answer, 1,000 to 86,400,000.")]
    [Range(1_000, 86_400_000)]
    int? IdleMs = null);

/// <summary>Whom to believe about who the caller is. Nobody else's word is passed on.</summary>
public sealed record CallerSpec(
    [Description("Networks or addresses of proxies; trustedProxies of the process configuration when not given.")]
    [Length(0, ListenerRules.MaxNetworks)]
    IReadOnlyList<string>? Trusted = null,
    [Description("How many proxies, one behind the other, are believed; 1 to 10.")]
    [Range(1, ListenerRules.MaxHops)]
    int Hops = ListenerRules.MaxHops,
    [Description(
        "Where they tell it: x-forwarded-for, forwarded (RFC 7239), x-real-ip, or another header of a CDN, such as "
        + "CF-Connecting-IP.")]
    string Source = "x-forwarded-for",
    [Description(
        "Networks or addresses whose connections begin with a header of the PROXY protocol, version 1 or 2. Theirs "
        + "must; of nobody else is it read.")]
    [Length(1, ListenerRules.MaxNetworks)]
    IReadOnlyList<string>? ProxyProtocol = null,
    [Description("What services are told besides X-Forwarded-*.")]
    [AllowedValues("x-real-ip", "forwarded")]
    [Length(1, 2)]
    IReadOnlyList<string>? Tell = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GatewayListenerSpec))]
internal sealed partial class GatewayListenerJson : JsonSerializerContext;
