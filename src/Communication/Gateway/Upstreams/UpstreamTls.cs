using System.Net.Security;
using System.Security.Authentication;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Communication.Gateway.Listening;

namespace Groundwork.Communication.Gateway.Upstreams;

/// <summary>
/// How TLS is spoken with instances. Certificates are looked up for each new connection, so that it has those in force.
/// Equal when it says the same.
/// </summary>
internal sealed class UpstreamTls(UpstreamTlsSpec spec, string ns, CertificateTable certificates)
    : IEquatable<UpstreamTls>
{
    private readonly string text =
        $"{ns}|{string.Join(',', spec.Authorities ?? [])}|{spec.ServerName}|{spec.ClientCertificate}|{spec.Insecure}";

    /// <summary>True when whatever certificate is taken.</summary>
    public bool IsInsecure => spec.Insecure;

    /// <param name="host">The instance's own, without brackets.</param>
    /// <exception cref="AuthenticationException">What the gateway is to show is not there.</exception>
    public SslClientAuthenticationOptions For(string host)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = spec.ServerName ?? host };
        if (spec.Authorities is { } authorities)
            options.CertificateChainPolicy = TlsRules.Believing(authorities, ns, certificates);
        if (spec.ClientCertificate is { } own)
        {
            options.ClientCertificateContext =
                CertificateKind.TryReadKey(own, ns, out var key) && certificates.Find(key)?.Context is { } context
                    ? context
                    : throw new AuthenticationException($"The certificate {own} that is to be shown is not there.");
        }
#pragma warning disable CA5359 // Spelled out in the upstream, and told by explain and the log.
        if (spec.Insecure) options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        return options;
    }

    public bool Equals(UpstreamTls? other) => other is not null && text == other.text;

    public override bool Equals(object? obj) => Equals(obj as UpstreamTls);

    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);
}
