using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Certificates;

/// <summary>What a certificate must be to be published.</summary>
internal static class CertificateRules
{
    /// <summary>Characters of a chain: ten certificates of the largest usual keys, or a company's authorities.
    /// </summary>
    public const int MaxChars = 48 * 1024;

    /// <summary>Certificates of one resource.</summary>
    public const int MaxCertificates = 32;

    /// <summary>Bits of an RSA key: browsers take no less.</summary>
    private const int LeastRsaBits = 2048;

    public static void Check(CertificateSpec spec, TimeProvider time, ICollection<FieldFault> faults)
    {
        if (spec.Chain == HiddenKeyJson.Hidden)
        {
            faults.Add(new FieldFault("spec.chain", "must be text"));
            return;
        }
        if (!TryReadChain(spec.Chain, out var chain, out var why))
        {
            faults.Add(new FieldFault("spec.chain", why));
            return;
        }
        using var disposing = new Disposing(chain);
        var now = time.GetUtcNow();
        foreach (var (index, certificate) in chain.Index())
            if (certificate.NotAfter.ToUniversalTime() < now.UtcDateTime)
                faults.Add(new FieldFault(
                    "spec.chain",
                    string.Create(CultureInfo.InvariantCulture,
                        $"certificate {index + 1} ({certificate.Subject}) expired on "
                        + $"{certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC")));
        if (spec.PrivateKey is null) CheckAuthorities(chain, faults);
        else CheckServed(spec, chain, faults);
    }

    /// <summary>
    /// A key that stays as it is fits the leaf that it came with: another leaf must have the same public key.
    /// </summary>
    public static void CheckAgainst(
        Snapshot head, ResourceKey key, CertificateSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec?.PrivateKey != HiddenKeyJson.Hidden || head.Find(key) is not { } before) return;
        if (!TryReadChain(spec.Chain, out var chain, out _)) return;
        using var disposing = new Disposing(chain);
        if (!TryReadChain(before.As<CertificateSpec>().Chain, out var old, out _)) return;
        using var disposingOld = new Disposing(old);
        if (!PublicKeyOf(chain[0]).SequenceEqual(PublicKeyOf(old[0])))
            faults.Add(new FieldFault(
                "spec.privateKey", "is of the certificate before this one, which has another key: send the new one"));
    }

    /// <summary>Reads certificates in PEM, the leaf first.</summary>
    public static bool TryReadChain(
        string pem, [NotNullWhen(true)] out X509Certificate2Collection? chain, [NotNullWhen(false)] out string? why)
    {
        (chain, why) = (null, null);
        if (pem.Length > MaxChars)
        {
            why = $"is longer than {MaxChars} characters";
            return false;
        }
        var read = new X509Certificate2Collection();
        try
        {
            read.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            why = "has a certificate that cannot be read";
        }
        if (read.Count is 0 or > MaxCertificates) why ??= $"must be 1 to {MaxCertificates} certificates in PEM";
        if (why is null)
        {
            chain = read;
            return true;
        }
        new Disposing(read).Dispose();
        return false;
    }

    public static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(one => one.CertificateAuthority);

    private static void CheckAuthorities(X509Certificate2Collection chain, ICollection<FieldFault> faults)
    {
        foreach (var (index, certificate) in chain.Index())
            if (!IsAuthority(certificate))
                faults.Add(new FieldFault(
                    "spec.chain",
                    $"certificate {index + 1} ({certificate.Subject}) is no authority; one that is shown needs a "
                    + "privateKey"));
    }

    private static void CheckServed(
        CertificateSpec spec, X509Certificate2Collection chain, ICollection<FieldFault> faults)
    {
        var leaf = chain[0];
        if (IsAuthority(leaf))
            faults.Add(new FieldFault("spec.chain", $"must begin with the leaf, not with {leaf.Subject}"));
        using (var rsa = leaf.GetRSAPublicKey())
            if (rsa is { KeySize: < LeastRsaBits })
                faults.Add(new FieldFault("spec.chain", $"has an RSA key of less than {LeastRsaBits} bits"));
        for (var index = 1; index < chain.Count; index++)
            if (!chain[index - 1].IssuerName.RawData.AsSpan().SequenceEqual(chain[index].SubjectName.RawData))
                faults.Add(new FieldFault(
                    "spec.chain", $"certificate {index + 1} ({chain[index].Subject}) has not signed the one before"));
        if (spec.PrivateKey is not { } key || key == HiddenKeyJson.Hidden) return; // What is in place was checked.
        if (key.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            faults.Add(new FieldFault("spec.privateKey", "must not be encrypted: it is stored encrypted"));
            return;
        }
        try
        {
            using var joined = X509Certificate2.CreateFromPem(leaf.ExportCertificatePem(), key);
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException)
        {
            faults.Add(new FieldFault("spec.privateKey", "is no PEM of the leaf's private key"));
        }
    }

    private static byte[] PublicKeyOf(X509Certificate2 certificate) =>
        certificate.PublicKey.ExportSubjectPublicKeyInfo();

    /// <summary>Certificates that nobody needs after a look.</summary>
    private readonly struct Disposing(X509Certificate2Collection certificates) : IDisposable
    {
        public void Dispose()
        {
            foreach (var certificate in certificates) certificate.Dispose();
        }
    }
}
