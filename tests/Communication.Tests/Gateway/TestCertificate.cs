using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>A certificate for 127.0.0.1 that lives as long as a test.</summary>
internal sealed class TestCertificate : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public TestCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=gateway.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
        Options = new TlsOptions(
            directory.Write("certificate.pem", certificate.ExportCertificatePem()),
            directory.Write("key.pem", key.ExportPkcs8PrivateKeyPem()));
        Thumbprint = certificate.Thumbprint;
    }

    public TlsOptions Options { get; }

    private string Thumbprint { get; }

    /// <summary>For a client that believes this certificate and no other.</summary>
    public SocketsHttpHandler Handler() => new()
    {
        SslOptions = { RemoteCertificateValidationCallback = (
            _, shown, _, _) => (shown as X509Certificate2)?.Thumbprint == Thumbprint },
    };

    /// <summary>True for this certificate and no other.</summary>
    public bool Believes(X509Certificate? shown) => (shown as X509Certificate2)?.Thumbprint == Thumbprint;

    public void Dispose() => directory.Dispose();
}
