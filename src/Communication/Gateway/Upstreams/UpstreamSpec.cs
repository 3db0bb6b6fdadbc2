using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Communication.Gateway.Upstreams;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// Where requests can go, and how one of it is chosen: a service of the registry, fixed addresses, or a name of the
/// DNS. Routes name it.
/// </summary>
public sealed record UpstreamSpec(
    [Description("[namespace/][group@@]service; of the upstream's own namespace unless it names another.")]
    string? Service = null,
    [Description("Fixed addresses, 1 to 256.")]
    [Length(1, UpstreamRules.MaxAddresses)]
    IReadOnlyList<UpstreamAddress>? Addresses = null,
    [Description("A name whose addresses are looked up again and again.")]
    UpstreamName? Dns = null,
    [Description("http or https; of addresses and names. Instances of a service say it themselves.")]
    [AllowedValues("http", "https")]
    string Scheme = "http",
    [Description("True: addresses and names may be of this machine's loopback.")]
    bool AllowLoopback = false,
    [Description("How one is chosen.")]
    ChoiceSpec? Choose = null,
    [Description("Keeps a client at the instance that it had, by a signed cookie.")]
    StickySpec? Sticky = null,
    [Description("When one that fails is left out.")]
    EjectionSpec? Ejection = null,
    [Description("How much it is called, and when not at all.")]
    UpstreamResilience? Resilience = null,
    [Description("How TLS is spoken with those that speak it.")]
    UpstreamTlsSpec? Tls = null,
    [Description("What they speak: http1, or h2 over TLS or in clear, as gRPC needs it. When not given, the metadata "
        + "protocol of an instance says it, and else it is http1.")]
    [AllowedValues("http1", "h2")]
    string? Protocol = null);

/// <summary>
/// How TLS is spoken with instances. Their certificates are verified unless it says otherwise in so many words.
/// </summary>
public sealed record UpstreamTlsSpec(
    [Description(
        "Certificates without a key, [namespace/]name, whose authorities alone are believed; those of the system when "
        + "not given.")]
    [Length(1, UpstreamRules.MaxAuthorities)]
    IReadOnlyList<string>? Authorities = null,
    [Description(
        "The name that is asked for and that the instance's certificate must be for; its own host when not given.")]
    string? ServerName = null,
    [Description("The certificate that the gateway shows, [namespace/]name.")]
    string? ClientCertificate = null,
    [Description("True: whatever certificate is taken, so that anybody on the way can be the instance.")]
    bool Insecure = false);

/// <summary>One fixed address.</summary>
public sealed record UpstreamAddress(
    [Description("host:port; an IPv6 address in brackets.")]
    string Address,
    [Description("1 to 10,000; 100 is normal.")]
    [Range(1, UpstreamRules.MaxWeight)]
    int Weight = 100,
    [Description("The place it runs in.")]
    string? Zone = null,
    [Description("0 to 15: a higher tier gets requests only while no address of the lower ones can be called.")]
    [Range(0, UpstreamRules.MaxTier)]
    int Tier = 0);

/// <summary>A name of the DNS.</summary>
public sealed record UpstreamName(
    [Description("The name, such as legacy.example.com.")]
    string Name,
    [Description("The port at each of its addresses.")]
    [Range(1, 65_535)]
    int Port,
    [Description("How often it is looked up, 1 to 3,600 seconds: the system's resolver does not tell how long an "
        + "answer holds.")]
    [Range(1, 3_600)]
    int RefreshSeconds = 30);

/// <summary>How one of several is chosen.</summary>
public sealed record ChoiceSpec(
    [Description(
        "two-choices: of two drawn by weight the one with less under way. fastest: of two the one that answers sooner, "
        + "by its latency of late and what is under way. round-robin: in turn, by weight. least-requests: of all the "
        + "one with the least under way. random: by weight. hash: the same for the same key.")]
    [AllowedValues("two-choices", "fastest", "round-robin", "least-requests", "random", "hash")]
    string Policy = "two-choices",
    [Description("The key of hash: client, header:NAME, cookie:NAME, query:NAME or path:NAME; client when not given.")]
    string? By = null,
    [Description("True: those in the gateway's own zone first, while one of them can be called.")]
    bool ZoneFirst = false,
    [Description("How long a new one gets a growing share, 0 to 3,600 seconds.")]
    [Range(0, 3_600)]
    int SlowStartSeconds = 0);

/// <summary>A cookie that keeps a client at one instance; it is given anew when that one is gone.</summary>
public sealed record StickySpec(
    [Description("Its name.")]
    string Cookie,
    [Description("How long it holds, 1 to 31,536,000 seconds; until the browser is closed when not given.")]
    [Range(1, 31_536_000)]
    int? MaxAgeSeconds = null,
    [Description("The domain it is for; the host alone when not given.")]
    string? Domain = null,
    [Description("The path it is for.")]
    string Path = "/",
    [Description("True: over HTTPS only.")]
    bool Secure = false,
    [Description("Whether it goes along from other sites.")]
    [AllowedValues("strict", "lax", "none")]
    string SameSite = "lax");

/// <summary>When one that fails is left out.</summary>
public sealed record EjectionSpec(
    [Description("Failures in a row, 1 to 100.")]
    [Range(1, 100)]
    int Failures = 2,
    [Description("For how long the first time, 1 to 3,600 seconds; doubled each time it fails again.")]
    [Range(1, 3_600)]
    int FirstSeconds = 2,
    [Description("For how long at most, 1 to 86,400 seconds.")]
    [Range(1, 86_400)]
    int LongestSeconds = 60,
    [Description("How many of them may be left out at once, in percent; 0: none ever.")]
    [Range(0, 100)]
    int MaxPercent = 100,
    [Description("When fewer than this, in percent, are left, all are called again; 0: when none is left.")]
    [Range(0, 100)]
    int PanicPercent = 0);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(UpstreamSpec))]
internal sealed partial class UpstreamJson : JsonSerializerContext;
