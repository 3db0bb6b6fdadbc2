using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Groundwork.Kernel.Security;

/// <summary>
/// A value that only the platform can open, so that it may lie in a repository: <c>sealed:v1:</c> and, in base64url,
/// the key's id (6 bytes), an ephemeral public point (65 bytes, uncompressed), ciphertext and tag. The key and the
/// nonce of AES-256-GCM come from ECDH on P-256 by HKDF-SHA256, both points salting it; the namespace and the key's id
/// are authenticated, so that a value sealed for one namespace opens in no other.
/// </summary>
public static class SealedValue
{
    /// <summary>What every sealed value begins with.</summary>
    public const string Prefix = "sealed:v1:";

    /// <summary>The name of it all, in the list of keys.</summary>
    public const string Algorithm = "ecdh-p256+hkdf-sha256+aes-256-gcm";

    /// <summary>Bytes of a value in UTF-8: a certificate with its chain.</summary>
    public const int MaxBytes = 64 * 1024;

    internal const string KeyPrefix = "s-";
    internal const int IdBytes = 6;

    private const int PointBytes = 65;
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Seals a text under a public key.</summary>
    /// <param name="keyId">The key's id.</param>
    /// <param name="publicKey">SubjectPublicKeyInfo of a key on P-256.</param>
    /// <exception cref="CryptographicException">It is no such key.</exception>
    public static string Seal(string keyId, ReadOnlySpan<byte> publicKey, string @namespace, string text)
    {
        using var theirs = ECDiffieHellman.Create();
        theirs.ImportSubjectPublicKeyInfo(publicKey, out _);
        if (theirs.KeySize != 256) throw new CryptographicException("The key is not on the curve P-256.");
        using var ours = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var clear = Encoding.UTF8.GetBytes(text);
        var message = new byte[IdBytes + PointBytes + clear.Length + TagBytes];
        IdOf(keyId).CopyTo(message, 0);
        var point = Point(ours).CopyInto(message.AsSpan(IdBytes, PointBytes));
        Span<byte> derived = stackalloc byte[KeyBytes + NonceBytes];
        Derive(ours, theirs, point, Point(theirs), derived);
        using var cipher = new AesGcm(derived[..KeyBytes], TagBytes);
        cipher.Encrypt(
            derived[KeyBytes..], clear, message.AsSpan(IdBytes + PointBytes, clear.Length),
            message.AsSpan(^TagBytes..), BoundTo(keyId, @namespace));
        return Prefix + Base64Url.EncodeToString(message);
    }

    /// <summary>The id of the key that a value was sealed under, and all of it; null when it is none.</summary>
    internal static (string KeyId, byte[] Message)? Read(ReadOnlySpan<char> text)
    {
        if (!text.StartsWith(Prefix)) return null;
        var encoded = text[Prefix.Length..];
        if (!Base64Url.IsValid(encoded, out var bytes) || bytes < IdBytes + PointBytes + TagBytes) return null;
        var message = Base64Url.DecodeFromChars(encoded);
        return (KeyPrefix + Convert.ToHexStringLower(message.AsSpan(..IdBytes)), message);
    }

    /// <summary>The text; null when it was altered, or sealed for another namespace.</summary>
    internal static string? Open(string keyId, ECDiffieHellman ours, string @namespace, ReadOnlySpan<byte> message)
    {
        var point = message.Slice(IdBytes, PointBytes);
        if (point[0] != 4) return null;
        var sealedText = message[(IdBytes + PointBytes)..];
        var clear = new byte[sealedText.Length - TagBytes];
        try
        {
            using var theirs = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = point[1..33].ToArray(), Y = point[33..].ToArray() },
            });
            Span<byte> derived = stackalloc byte[KeyBytes + NonceBytes];
            Derive(ours, theirs, point, Point(ours), derived);
            using var cipher = new AesGcm(derived[..KeyBytes], TagBytes);
            cipher.Decrypt(
                derived[KeyBytes..], sealedText[..^TagBytes], sealedText[^TagBytes..], clear,
                BoundTo(keyId, @namespace));
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(clear);
        }
        catch (Exception fault) when (fault is CryptographicException or DecoderFallbackException)
        {
            return null; // A point off the curve, a wrong tag, or bytes that are no text.
        }
    }

    private static void Derive(
        ECDiffieHellman mine, ECDiffieHellman other, ReadOnlySpan<byte> ephemeral, ReadOnlySpan<byte> recipient,
        Span<byte> derived)
    {
        using var key = other.PublicKey;
        var shared = mine.DeriveRawSecretAgreement(key);
        Span<byte> salt = [.. ephemeral, .. recipient];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, derived, salt, "groundwork sealed v1"u8);
        CryptographicOperations.ZeroMemory(shared);
    }

    private static byte[] Point(ECDiffieHellman key)
    {
        var (x, y) = key.ExportParameters(false).Q is { X: { } left, Y: { } right }
            ? (left, right)
            : throw new CryptographicException("The key has no point.");
        return [4, .. x, .. y];
    }

    private static byte[] CopyInto(this byte[] bytes, Span<byte> place)
    {
        bytes.CopyTo(place);
        return bytes;
    }

    private static byte[] IdOf(string keyId) => Convert.FromHexString(keyId.AsSpan(KeyPrefix.Length));

    private static byte[] BoundTo(string keyId, string @namespace) =>
        Encoding.UTF8.GetBytes($"groundwork sealed v1\0{keyId}\0{@namespace}");
}
