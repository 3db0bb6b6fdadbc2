using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Groundwork.Communication.Gateway.Access.Callers;

/// <summary>
/// Signs what services are told about callers: a JSON Web Token, ES256, that lives a minute. Its key comes from the
/// store's, so that all nodes of a store sign alike; a node that follows another has one of its own until it is started
/// again. Each node tells the public half at its API.
/// </summary>
internal sealed class IdentitySigner
{
    /// <summary>The iss of these tokens.</summary>
    public const string Issuer = "groundwork-gateway";

    /// <summary>Seconds that one lives: a request under way, with room for clocks.</summary>
    public const int LifetimeSeconds = 60;

    /// <summary>Seconds after which another is signed: a service gets none with less than 20 s to live.</summary>
    public const int RenewSeconds = 40;

    /// <summary>The order of P-256 (SEC 2, 2.4.2).</summary>
    private static readonly BigInteger Order = BigInteger.Parse(
        "115792089210356248762697446949407573529996955224135760342422259061068512044369",
        System.Globalization.CultureInfo.InvariantCulture);

    private readonly ConcurrentQueue<ECDsa> idle = new(); // Not promised to be safe from several threads.
    private readonly ECParameters key;
    private readonly byte[] header;

    public IdentitySigner(ReadOnlySpan<byte> seed)
    {
        // 48 bytes, so that every number below the order is as likely as the others (FIPS 186-5, A.2.1).
        Span<byte> wide = stackalloc byte[48];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, seed, wide, [], "gateway identity, ES256"u8);
        var number = (new BigInteger(wide, isUnsigned: true, isBigEndian: true) % (Order - 1)) + 1;
        var secret = new byte[32];
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        bytes.CopyTo(secret, secret.Length - bytes.Length);
        using var made = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = secret });
        key = made.ExportParameters(includePrivateParameters: true);
        var (x, y) = (Base64Url.EncodeToString(key.Q.X), Base64Url.EncodeToString(key.Q.Y));
        // RFC 7638: the members that make the key, in order of their names, without blanks.
        var print = SHA256.HashData(
            Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}"""));
        KeyId = Base64Url.EncodeToString(print);
        header = Encode(Encoding.ASCII.GetBytes($$"""{"alg":"ES256","typ":"JWT","kid":"{{KeyId}}"}"""));
        KeySet = $$"""
            {"keys":[{"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}","use":"sig","alg":"ES256","kid":"{{KeyId}}"}]}
            """;
    }

    public string KeyId { get; }

    /// <summary>The public half as a JSON Web Key Set.</summary>
    public string KeySet { get; }

    /// <summary>A token about a caller.</summary>
    /// <param name="now">Seconds since 1970.</param>
    public byte[] Sign(CallerIdentity identity, string audience, IReadOnlyList<string> claims, double now)
    {
        var payload = Encode(Write(identity, audience, claims, now));
        var signed = new byte[header.Length + 1 + payload.Length + 1 + Base64Url.GetEncodedLength(64)];
        header.CopyTo(signed, 0);
        signed[header.Length] = (byte)'.';
        payload.CopyTo(signed, header.Length + 1);
        var end = header.Length + 1 + payload.Length;
        signed[end] = (byte)'.';
        Span<byte> signature = stackalloc byte[64];
        if (!idle.TryDequeue(out var by)) by = ECDsa.Create(key);
        try
        {
            by.SignData(
                signed.AsSpan(0, end), signature, HashAlgorithmName.SHA256,
                DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        finally
        {
            if (idle.Count < Environment.ProcessorCount) idle.Enqueue(by);
            else by.Dispose();
        }
        Base64Url.EncodeToUtf8(signature, signed.AsSpan(end + 1));
        return signed;
    }

    private static byte[] Write(
        CallerIdentity identity, string audience, IReadOnlyList<string> claims, double now)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartObject();
        writer.WriteString("iss"u8, Issuer);
        writer.WriteString("aud"u8, audience);
        writer.WriteNumber("iat"u8, (long)now);
        // Never longer than what it was made from.
        writer.WriteNumber("exp"u8, (long)Math.Min(now + LifetimeSeconds, identity.ExpiresAt));
        var caller = identity.Caller;
        if (caller.User is { } user) writer.WriteString("sub"u8, user);
        if (caller.Key is { } key) writer.WriteString("key"u8, key);
        if (caller.Tenant is { } tenant) writer.WriteString("tenant"u8, tenant);
        if (identity.Scopes.Length > 0) writer.WriteString("scope"u8, string.Join(' ', identity.Scopes));
        foreach (var name in claims) WriteClaim(writer, name, identity);
        writer.WriteEndObject();
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static void WriteClaim(Utf8JsonWriter writer, string name, CallerIdentity identity)
    {
        if (identity.Claims is not { } known || !known.Has(name)
            || name is "iss" or "aud" or "iat" or "exp" or "nbf" or "sub" or "key" or "tenant" or "scope") return;
        var values = known[name];
        if (values.Length == 1)
        {
            writer.WriteString(name, values[0]);
            return;
        }
        writer.WriteStartArray(name);
        foreach (var value in values) writer.WriteStringValue(value);
        writer.WriteEndArray();
    }

    private static byte[] Encode(byte[] bytes) => Encoding.ASCII.GetBytes(Base64Url.EncodeToString(bytes));
}
