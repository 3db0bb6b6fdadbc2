using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>
/// A key that verifies signatures, and the algorithms it does so by. They come from the key and from the issuer's list,
/// never from a token, so that a public key is never taken for a secret (RFC 8725, 3.1).
/// </summary>
internal sealed class TokenKey
{
    /// <summary>Bits of the smallest modulus (RFC 7518, 3.3).</summary>
    private const int LeastModulusBits = 2_048;

    /// <summary>Bits of the largest: beyond, one verification costs milliseconds.</summary>
    private const int MostModulusBits = 8_192;

    /// <summary>Bytes of the largest exponent, for the same reason; 65,537 has three.</summary>
    private const int MostExponentBytes = 4;

    // Their verification is not promised to be safe from several threads.
    private readonly ConcurrentQueue<AsymmetricAlgorithm> idle = new();
    private readonly RSAParameters? rsa;
    private readonly ECParameters? curve;
    private readonly byte[]? secret;
    private volatile bool retired;

    private TokenKey(
        string? id, ImmutableArray<TokenAlgorithm> algorithms, RSAParameters? rsa, ECParameters? curve, byte[]? secret)
    {
        Id = id;
        Algorithms = algorithms;
        this.rsa = rsa;
        this.curve = curve;
        this.secret = secret;
    }

    /// <summary>The kid of the tokens that it signs; null: any that no other key has.</summary>
    public string? Id { get; }

    public ImmutableArray<TokenAlgorithm> Algorithms { get; }

    /// <summary>True once it counts no more: what it verified is verified no longer.</summary>
    public bool IsRetired => retired;

    public void Retire() => retired = true;

    /// <summary>A key, or what is wrong with it.</summary>
    public static (TokenKey? Key, string? Wrong) OfRsa(
        string? id, RSAParameters parameters, IEnumerable<TokenAlgorithm> algorithms)
    {
        var bits = parameters.Modulus!.Length * 8; // Set by who read the key.
        if (bits is < LeastModulusBits or > MostModulusBits)
            return (null, $"is an RSA key of {bits} bits; {LeastModulusBits} to {MostModulusBits} are taken");
        if (parameters.Exponent is not { Length: > 0 and <= MostExponentBytes } exponent
            || (exponent[^1] & 1) == 0 || exponent is [1])
            return (null, "is an RSA key with an exponent that is not taken");
        ImmutableArray<TokenAlgorithm> taken = [.. algorithms.Where(one => one.Padding is not null)];
        if (taken.IsEmpty) return (null, "is an RSA key, which no algorithm of the list uses");
        return (new TokenKey(id, taken, parameters, null, null), null);
    }

    /// <inheritdoc cref="OfRsa"/>
    public static (TokenKey? Key, string? Wrong) OfCurve(
        string? id, string curve, ECParameters parameters, IEnumerable<TokenAlgorithm> algorithms)
    {
        ImmutableArray<TokenAlgorithm> taken = [.. algorithms.Where(one => one.Curve == curve)];
        if (taken.IsEmpty) return (null, $"is a key on {curve}, which no algorithm of the list uses");
        try
        {
            // Refuses a point that is not on the curve.
            using var tried = ECDsa.Create(parameters);
        }
        catch (CryptographicException)
        {
            return (null, "is a key that is not on its curve");
        }
        return (new TokenKey(id, taken, null, parameters, null), null);
    }

    /// <summary>A secret; the caller has seen to its length.</summary>
    public static TokenKey OfSecret(byte[] secret, IEnumerable<TokenAlgorithm> algorithms) => new(
        null, [.. algorithms.Where(one => one.IsSymmetric && secret.Length >= one.HashBytes)], null, null, secret);

    /// <summary>Reads a public key or a certificate in PEM.</summary>
    public static (TokenKey? Key, string? Wrong) OfPem(
        string pem, string? id, IReadOnlyCollection<TokenAlgorithm> algorithms)
    {
        const string unreadable = "must be a public key or a certificate in PEM, of RSA or on P-256, P-384 or P-521";
        // A private key would do as well, and has no business here.
        if (pem.Contains("PRIVATE", StringComparison.Ordinal)) return (null, "must be a public key, not a private one");
        try
        {
            if (pem.Contains("-BEGIN CERTIFICATE-", StringComparison.Ordinal))
            {
                using var certificate = X509Certificate2.CreateFromPem(pem);
                using var ofRsa = certificate.GetRSAPublicKey();
                using var ofCurve = certificate.GetECDsaPublicKey();
                return ofRsa is not null ? OfRsa(id, ofRsa.ExportParameters(false), algorithms)
                    : ofCurve is not null ? OfCurve(id, ofCurve.ExportParameters(false), algorithms)
                    : (null, unreadable);
            }
            using var plainRsa = RSA.Create();
            if (TryImport(plainRsa, pem)) return OfRsa(id, plainRsa.ExportParameters(false), algorithms);
            using var plainCurve = ECDsa.Create();
            return TryImport(plainCurve, pem)
                ? OfCurve(id, plainCurve.ExportParameters(false), algorithms)
                : (null, unreadable);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            return (null, unreadable);
        }
    }

    /// <summary>True for an algorithm that it verifies by.</summary>
    public bool Takes(TokenAlgorithm algorithm) => Algorithms.Contains(algorithm);

    /// <summary>True when the signature is of these bytes. The algorithm is one that it takes.</summary>
    public bool Verifies(TokenAlgorithm algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        if (secret is not null) return VerifiesMac(algorithm, signed, signature);
        // A signature on a curve is its two numbers, not DER (RFC 7518, 3.4).
        if (curve is not null && signature.Length != algorithm.CoordinateBytes * 2) return false;
        if (!idle.TryDequeue(out var key))
            key = rsa is { } parameters
                ? RSA.Create(parameters)
                : ECDsa.Create(curve!.Value); // One of the three is set.
        try
        {
            return key is RSA ofRsa
                ? ofRsa.VerifyData(signed, signature, algorithm.Hash, algorithm.Padding!) // It takes the algorithm.
                : ((ECDsa)key).VerifyData(
                    signed, signature, algorithm.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            return false; // What cannot be verified is not.
        }
        finally
        {
            if (idle.Count < Environment.ProcessorCount) idle.Enqueue(key);
            else key.Dispose();
        }
    }

    /// <summary>True when the other is the same key for the same tokens.</summary>
    public bool IsSame(TokenKey other) =>
        Id == other.Id && Algorithms.SequenceEqual(other.Algorithms)
        && Same(rsa?.Modulus, other.rsa?.Modulus) && Same(rsa?.Exponent, other.rsa?.Exponent)
        && Same(curve?.Q.X, other.curve?.Q.X) && Same(curve?.Q.Y, other.curve?.Q.Y) && Same(secret, other.secret);

    private static bool Same(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

    private static bool TryImport(AsymmetricAlgorithm key, string pem)
    {
        try
        {
            key.ImportFromPem(pem);
            return true;
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            return false; // Of another kind; the caller tries that.
        }
    }

    private static (TokenKey? Key, string? Wrong) OfCurve(
        string? id, ECParameters parameters, IEnumerable<TokenAlgorithm> algorithms)
    {
        var name = parameters.Q.X?.Length switch { 32 => "P-256", 48 => "P-384", 66 => "P-521", _ => null };
        var named = name is null ? default : KeySetText.CurveOf(name);
        return name is null || !parameters.Curve.IsNamed || parameters.Curve.Oid.Value != named.Oid.Value
            ? (null, "is on a curve that is not taken")
            : OfCurve(id, name, parameters, algorithms);
    }

    private bool VerifiesMac(TokenAlgorithm algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        Span<byte> mac = stackalloc byte[algorithm.HashBytes];
        if (algorithm.HashBytes == 32) HMACSHA256.HashData(secret, signed, mac);
        else if (algorithm.HashBytes == 48) HMACSHA384.HashData(secret, signed, mac);
        else HMACSHA512.HashData(secret, signed, mac);
        return CryptographicOperations.FixedTimeEquals(mac, signature);
    }
}
