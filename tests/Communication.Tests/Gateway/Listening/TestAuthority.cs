using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Tests.Gateway.Listening;

/// <summary>An authority that lives as long as a test, and signs what the test wants.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 certificate;
    private int signed;

    public TestAuthority(string name = "test authority")
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        certificate = request.CreateSelfSigned(Now.AddDays(-30), Now.AddDays(30));
        Pem = certificate.ExportCertificatePem();
    }

    public string Pem { get; }

    public X509Certificate2 Root => certificate;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>A chain and its key in PEM.</summary>
    /// <param name="names">Host names, and addresses.</param>
    public (string Chain, string Key) Sign(
        IEnumerable<string> names, TimeSpan? from = null, TimeSpan? to = null, string subject = "leaf")
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={subject}", own, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) alternative.AddIpAddress(address);
            else alternative.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternative.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var leaf = request.Create(
            certificate, Now + (from ?? TimeSpan.FromDays(-1)), Now + (to ?? TimeSpan.FromDays(20)),
            BitConverter.GetBytes(Interlocked.Increment(ref signed) + 1_000_000));
        return ($"{leaf.ExportCertificatePem()}\n{Pem}", own.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The same as a resource.</summary>
    public Resource Certificate(string name, params string[] names)
    {
        var (chain, privateKey) = Sign(names, subject: name);
        return Resource(name, new CertificateSpec(chain, privateKey));
    }

    /// <summary>Itself as a resource: an authority that is believed.</summary>
    public Resource AsResource(string name) => Resource(name, new CertificateSpec(Pem));

    public static Resource Resource(string name, CertificateSpec spec) =>
        Resource(CertificateKind.Kind, new ResourceKey(CertificateKind.Name, "default", name), spec);

    public static Resource Resource<TSpec>(Kind<TSpec> kind, ResourceKey key, TSpec spec)
        where TSpec : class => new()
        {
            Key = key,
            Version = kind.Version,
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            Spec = JsonSerializer.SerializeToUtf8Bytes(spec, kind.SpecTypeInfo),
            SpecHash = default,
            Revision = 1,
            ChangedBy = "system:test",
            ChangedAt = DateTimeOffset.UnixEpoch,
            Kind = kind,
        };

    /// <summary>A certificate of a client, to be shown.</summary>
    public X509Certificate2 Client(string subject, TimeSpan? to = null)
    {
        var (chain, privateKey) = Sign([], to: to, subject: subject);
        using var leaf = X509Certificate2.CreateFromPem(chain, privateKey);
        return X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), password: null);
    }

    public void Dispose()
    {
        certificate.Dispose();
        key.Dispose();
    }
}
