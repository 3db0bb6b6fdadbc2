using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Access.Tokens;
using Groundwork.Communication.Gateway.Exchanges;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>
/// The certificate that the client showed when the connection was secured. What the listener believes is not enough: it
/// must be one of the route's fingerprints, or lead to one of the route's authorities.
/// </summary>
internal sealed class CertificateCredential : ICredential
{
    /// <summary>TLS client authentication (RFC 5280, 4.2.1.12).</summary>
    private const string ForClients = "1.3.6.1.5.5.7.3.2";

    /// <summary>Seconds for which what was found counts: a chain costs half a millisecond.</summary>
    private const double RememberedSeconds = 60;

    private readonly CertificateAccess spec;
    private readonly FrozenSet<string>? fingerprints;
    private readonly X509Certificate2Collection? authorities;
    private readonly ConditionalWeakTable<X509Certificate2, Found> known = [];

    public CertificateCredential(CertificateAccess spec)
    {
        this.spec = spec;
        fingerprints = spec.Fingerprints?.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        authorities = spec.Authorities is { } pem ? KeySetAddress.ReadAuthorities(pem) : null;
    }

    public string? Challenge => null; // TLS has asked for it already.

    public ValueTask<Finding> VerifyAsync(Exchange exchange, double now)
    {
        if (exchange.Client.Certificate is not { } certificate) return new(Finding.Nothing);
        // A connection shows the same one for all its requests.
        if (!known.TryGetValue(certificate, out var found) || now >= found.Until)
        {
            found = new Found(Check(certificate, now), now + RememberedSeconds);
            known.AddOrUpdate(certificate, found);
        }
        return new(found.Finding);
    }

    private Finding Check(X509Certificate2 certificate, double now)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds((long)(now * 1000));
        if (at.UtcDateTime < certificate.NotBefore.ToUniversalTime()
            || at.UtcDateTime >= certificate.NotAfter.ToUniversalTime()) return Refusals.CertificateTime;
        var fingerprint = certificate.GetCertHashString(HashAlgorithmName.SHA256);
        if (fingerprints?.Contains(fingerprint) != true && !LeadsToAuthority(certificate, at))
            return Refusals.Certificate;
        var name = NameOf(certificate);
        if (spec.Names is { } names && (name is null || !names.Contains(name))) return Refusals.CertificateName;
        return new CallerIdentity(new Caller(name, $"certificate:{fingerprint.ToLowerInvariant()}", null));
    }

    private bool LeadsToAuthority(X509Certificate2 certificate, DateTimeOffset at)
    {
        if (authorities is null) return false;
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.RevocationMode = X509RevocationMode.NoCheck; // A list of fingerprints denies at once, and offline.
        policy.VerificationTime = at.UtcDateTime;
        policy.VerificationTimeIgnored = false;
        policy.ApplicationPolicy.Add(new Oid(ForClients));
        foreach (var authority in authorities)
        {
            if (authority.SubjectName.RawData.AsSpan().SequenceEqual(authority.IssuerName.RawData))
                policy.CustomTrustStore.Add(authority);
            else policy.ExtraStore.Add(authority);
        }
        return chain.Build(certificate);
    }

    private string? NameOf(X509Certificate2 certificate)
    {
        var kind = spec.Name switch
        {
            "dns" => X509NameType.DnsFromAlternativeName,
            "uri" => X509NameType.UrlName,
            "email" => X509NameType.EmailName,
            _ => X509NameType.SimpleName,
        };
        var name = certificate.GetNameInfo(kind, forIssuer: false);
        return name.Length == 0 ? null : name;
    }

    private sealed record Found(Finding Finding, double Until);
}
