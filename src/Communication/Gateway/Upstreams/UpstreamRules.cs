using System.Globalization;
using System.Net;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Upstreams;

/// <summary>What an upstream must be.</summary>
internal static class UpstreamRules
{
    /// <summary>Addresses of one upstream; who has more has a registry.</summary>
    public const int MaxAddresses = 256;

    /// <summary>The weight of an address, as of an instance.</summary>
    public const int MaxWeight = 10_000;

    /// <summary>Resources with authorities of one upstream.</summary>
    public const int MaxAuthorities = 16;

    /// <summary>The last tier.</summary>
    public const int MaxTier = 15;

    public static void Check(UpstreamSpec spec, ICollection<FieldFault> faults)
    {
        var sources = (spec.Service is null ? 0 : 1) + (spec.Addresses is null ? 0 : 1) + (spec.Dns is null ? 0 : 1);
        if (sources != 1) faults.Add(new FieldFault("spec", "must have exactly one of service, addresses and dns"));
        if (spec.Service is not null && !ServiceKey.TryParse(spec.Service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault(
                "spec.service", "must be a service, such as catalog, shop/catalog or shop/blue@@catalog"));
        if (spec.Scheme is not ("http" or "https")) faults.Add(new FieldFault("spec.scheme", "must be http or https"));
        if (spec.Protocol is not (null or "http1" or "h2"))
            faults.Add(new FieldFault("spec.protocol", "must be http1 or h2"));
        if (spec.Service is not null && spec.AllowLoopback)
            faults.Add(new FieldFault("spec.allowLoopback", "has no use for a service, whose instances say it"));
        CheckAddresses(spec, faults);
        if (spec.Dns is { } dns) CheckName(dns, faults);
        if (spec.Choose is { } choice) CheckChoice(choice, faults);
        if (spec.Sticky is { } sticky) CheckSticky(sticky, faults);
        if (spec.Ejection is { } ejection) CheckEjection(ejection, faults);
        Resilience.ResilienceRules.Check(spec.Resilience, faults);
        if (spec.Tls is { } tls) CheckTls(spec, tls, faults);
    }

    private static void CheckTls(UpstreamSpec spec, UpstreamTlsSpec tls, ICollection<FieldFault> faults)
    {
        if (spec is { Service: null, Scheme: "http" })
            faults.Add(new FieldFault("spec.tls", "has no use over http: set scheme to https"));
        if (tls is { Insecure: true, Authorities: not null })
            faults.Add(new FieldFault("spec.tls.insecure", "contradicts authorities"));
        if (tls.Authorities is { Count: 0 or > MaxAuthorities })
            faults.Add(new FieldFault("spec.tls.authorities", $"must have 1 to {MaxAuthorities} names"));
        foreach (var name in (tls.Authorities ?? []).Append(tls.ClientCertificate ?? "default"))
            if (!Certificates.CertificateKind.TryReadKey(name, Names.DefaultNamespace, out _))
                faults.Add(new FieldFault("spec.tls", "must name certificates, such as shop or default/shop"));
        if (tls.ServerName is { } server && !IsHost(server))
            faults.Add(new FieldFault("spec.tls.serverName", "must be a host name in lower case"));
    }

    /// <summary>Parts <c>host:port</c>.</summary>
    public static bool TryReadAddress(string text, out string host, out int port)
    {
        host = "";
        var colon = text.LastIndexOf(':');
        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
            || port is 0 or > 65_535 || colon <= 0) return false;
        host = text[..colon];
        return IsHost(host);
    }

    /// <summary>The address that a host is, if it is one.</summary>
    public static IPAddress? AddressOf(string host) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address : null;

    private static void CheckAddresses(UpstreamSpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Addresses is not { } addresses) return;
        if (addresses.Count is 0 or > MaxAddresses)
            faults.Add(new FieldFault("spec.addresses", $"must have 1 to {MaxAddresses} addresses"));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < addresses.Count; index++)
        {
            var (at, one) = ($"spec.addresses[{index}]", addresses[index]);
            if (!TryReadAddress(one.Address, out var host, out _))
                faults.Add(new FieldFault($"{at}.address", "must be host:port, such as 10.0.0.7:8080"));
            else if (!seen.Add(one.Address))
                faults.Add(new FieldFault($"{at}.address", $"{one.Address} stands here twice"));
            else if (!spec.AllowLoopback && IsLoopback(host))
                faults.Add(new FieldFault($"{at}.address", "is of this machine's loopback; see allowLoopback"));
            FieldRules.CheckRange($"{at}.weight", one.Weight, 1, MaxWeight, faults);
            FieldRules.CheckRange($"{at}.tier", one.Tier, 0, MaxTier, faults);
            if (one.Zone is { } zone && !Names.IsSegment(zone))
                faults.Add(new FieldFault($"{at}.zone", "must be one segment of a name"));
        }
    }

    private static bool IsHost(string text) => !text.StartsWith('*') && HostPattern.Explain(text) is null;

    public static bool IsLoopback(string host) =>
        host == "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal)
        || (AddressOf(host) is { } address && IPAddress.IsLoopback(address));

    private static void CheckName(UpstreamName dns, ICollection<FieldFault> faults)
    {
        if (!IsHost(dns.Name) || AddressOf(dns.Name) is not null)
            faults.Add(new FieldFault("spec.dns.name", "must be a name of the DNS in lower case"));
        FieldRules.CheckRange("spec.dns.port", dns.Port, 1, 65_535, faults);
        FieldRules.CheckRange("spec.dns.refreshSeconds", dns.RefreshSeconds, 1, 3_600, faults);
    }

    private static void CheckChoice(ChoiceSpec choice, ICollection<FieldFault> faults)
    {
        if (Balancing.BalancePolicy.Read(choice.Policy) is null)
            faults.Add(new FieldFault(
                "spec.choose.policy",
                "must be one of two-choices, fastest, round-robin, least-requests, random and hash"));
        if (choice.By is not null && choice.Policy != "hash")
            faults.Add(new FieldFault("spec.choose.by", "is the key of hash, and of no other policy"));
        DeliveryRules.CheckKey("spec.choose.by", choice.By, null, faults);
        FieldRules.CheckRange("spec.choose.slowStartSeconds", choice.SlowStartSeconds, 0, 3_600, faults);
    }

    private static void CheckSticky(StickySpec sticky, ICollection<FieldFault> faults)
    {
        if (!MatchRules.IsToken(sticky.Cookie)) faults.Add(new FieldFault("spec.sticky.cookie", "must be a token"));
        if (sticky.MaxAgeSeconds is { } age)
            FieldRules.CheckRange("spec.sticky.maxAgeSeconds", age, 1, 31_536_000, faults);
        if (sticky.Domain is { } domain && !IsHost(domain))
            faults.Add(new FieldFault("spec.sticky.domain", "must be a host name in lower case"));
        if (PathPattern.Normalize(sticky.Path) != sticky.Path || sticky.Path.Contains(';', StringComparison.Ordinal))
            faults.Add(new FieldFault("spec.sticky.path", "must be a path"));
        if (sticky.SameSite is not ("strict" or "lax" or "none"))
            faults.Add(new FieldFault("spec.sticky.sameSite", "must be strict, lax or none"));
        else if (sticky is { SameSite: "none", Secure: false })
            faults.Add(new FieldFault("spec.sticky.secure", "must be true where sameSite is none"));
    }

    private static void CheckEjection(EjectionSpec ejection, ICollection<FieldFault> faults)
    {
        FieldRules.CheckRange("spec.ejection.failures", ejection.Failures, 1, 100, faults);
        FieldRules.CheckRange("spec.ejection.firstSeconds", ejection.FirstSeconds, 1, 3_600, faults);
        FieldRules.CheckRange("spec.ejection.longestSeconds", ejection.LongestSeconds, 1, 86_400, faults);
        if (ejection.LongestSeconds < ejection.FirstSeconds)
            faults.Add(new FieldFault("spec.ejection.longestSeconds", "must not be less than firstSeconds"));
        FieldRules.CheckRange("spec.ejection.maxPercent", ejection.MaxPercent, 0, 100, faults);
        FieldRules.CheckRange("spec.ejection.panicPercent", ejection.PanicPercent, 0, 100, faults);
    }
}
