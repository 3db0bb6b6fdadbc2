using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>How TLS is spoken with clients: compiled.</summary>
internal sealed class TlsRules
{
    private readonly SslProtocols protocols;
    private readonly X509ChainPolicy? clients; // Whom their certificates are held to; null: they are not asked.
    private readonly bool requires;

    private TlsRules(CertificateSelector selector, SslProtocols protocols, X509ChainPolicy? clients, bool requires)
    {
        Certificates = selector;
        this.protocols = protocols;
        this.clients = clients;
        this.requires = requires;
    }

    public CertificateSelector Certificates { get; }

    public static TlsRules Compile(ListenerTlsSpec? spec, CertificateTable certificates)
    {
        var versions = spec?.MinVersion == "1.3" ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13;
        return new TlsRules(
            CertificateSelector.Compile(spec, certificates), versions, PolicyOf(spec?.ClientCertificates, certificates),
            spec?.ClientCertificates?.Mode != "ask");
    }

    /// <summary>What a certificate is held to that only these authorities may have signed.</summary>
    public static X509ChainPolicy Believing(IEnumerable<string> authorities, string ns, CertificateTable certificates)
    {
        // With nobody in the list nobody is believed: what cannot be found does not open the door.
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        foreach (var name in authorities)
            if (CertificateKind.TryReadKey(name, ns, out var key) && certificates.Find(key) is { } found)
                foreach (var authority in found.Authorities) policy.CustomTrustStore.Add(authority);
        return policy;
    }

    public void Apply(SslServerAuthenticationOptions options)
    {
        options.EnabledSslProtocols = protocols;
        if (clients is null) return;
        options.ClientCertificateRequired = true; // It is asked for; the callback says what is enough.
        options.CertificateChainPolicy = clients.Clone();
        options.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            certificate is null ? !requires : errors == SslPolicyErrors.None;
        // Sessions of before a change of the authorities would go on without them.
        options.AllowTlsResume = false;
    }

    private static X509ChainPolicy? PolicyOf(ClientCertificatesSpec? spec, CertificateTable certificates) =>
        spec is null ? null : Believing(spec.Authorities, Names.DefaultNamespace, certificates);
}
