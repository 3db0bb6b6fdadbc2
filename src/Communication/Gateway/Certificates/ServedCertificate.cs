using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Certificates;

/// <summary>A certificate in force: immutable.</summary>
internal sealed class ServedCertificate
{
    private readonly X509Certificate2Collection certificates;

    private ServedCertificate(
        ResourceKey key, X509Certificate2Collection certificates, SslStreamCertificateContext? context,
        DateTime notAfter)
    {
        Key = key;
        this.certificates = certificates;
        Context = context;
        NotAfter = notAfter;
        Hosts = context is null ? [] : HostsOf(context.TargetCertificate);
    }

    public ResourceKey Key { get; }

    /// <summary>What is shown; null for authorities, which have no key.</summary>
    public SslStreamCertificateContext? Context { get; }

    /// <summary>The names that it is for, in lower case, such as <c>*.example.com</c>, and addresses.</summary>
    public ImmutableArray<string> Hosts { get; }

    /// <summary>In UTC.</summary>
    public DateTime NotAfter { get; }

    /// <summary>The certificates of authorities in it.</summary>
    public IEnumerable<X509Certificate2> Authorities => certificates.Where(CertificateRules.IsAuthority);

    /// <param name="privateKey">In clear; null for authorities.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It cannot be used.</exception>
    public static ServedCertificate Load(ResourceKey key, string chainPem, string? privateKey)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(chainPem);
        if (chain.Count == 0) throw new System.Security.Cryptography.CryptographicException("It has no certificate.");
        var notAfter = chain.Select(one => one.NotAfter.ToUniversalTime()).Min();
        if (privateKey is null) return new ServedCertificate(key, chain, null, notAfter);
        using var leaf = X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), privateKey);
        // SslStream on some platforms cannot use a key that is only in memory; a round trip through PKCS#12 always can
        // be used.
        var usable = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), password: null);
        return new ServedCertificate(
            key, chain, SslStreamCertificateContext.Create(usable, chain, offline: true), notAfter);
    }

    /// <summary>True when it is for the host, which is in its normal form.</summary>
    public bool Covers(string host) => Covers(Hosts, host);

    public static bool Covers(ImmutableArray<string> hosts, string host)
    {
        foreach (var one in hosts)
        {
            if (one == host) return true;
            // A wildcard stands for one label (RFC 9525, 6.3).
            if (one.StartsWith("*.", StringComparison.Ordinal)
                && host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
                && host.AsSpan(dot).SequenceEqual(one.AsSpan(1))) return true;
        }
        return false;
    }

    /// <summary>The names of a certificate; of what it says outside of them nothing counts.</summary>
    public static ImmutableArray<string> HostsOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return names is null
            ? []
            :
            [
                .. names.EnumerateDnsNames().Select(name => name.ToLowerInvariant().TrimEnd('.')),
                .. names.EnumerateIPAddresses().Select(
                    address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
                        ? $"[{address}]"
                        : address.ToString()),
            ];
    }
}
