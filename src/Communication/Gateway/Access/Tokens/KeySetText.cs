using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>Reads JSON Web Key Sets (RFC 7517).</summary>
internal static class KeySetText
{
    /// <summary>
    /// The keys that verify by one of the algorithms, or why there is none. Others in the set are passed over, as
    /// RFC 7517 (5) wants: encryption keys, types of the future. Secrets are never taken from a set.
    /// </summary>
    public static (ImmutableArray<TokenKey> Keys, string? Wrong) Read(
        ReadOnlyMemory<byte> json, IReadOnlyCollection<TokenAlgorithm> algorithms)
    {
        try
        {
            using var document = JsonDocument.Parse(json, TokenText.Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var list)
                || list.ValueKind != JsonValueKind.Array) return ([], "must be a JSON Web Key Set");
            var keys = ImmutableArray.CreateBuilder<TokenKey>();
            string? wrong = null;
            foreach (var element in list.EnumerateArray())
            {
                var (key, why) = ReadKey(element, algorithms);
                wrong ??= why;
                if (key is null) continue;
                if (keys.Count == TokenIssuerKind.MaxKeys)
                    return ([], $"has more than {TokenIssuerKind.MaxKeys} keys that could be used");
                keys.Add(key);
            }
            return keys.Count > 0
                ? (keys.ToImmutable(), null)
                : ([], wrong is null ? "has no key that could be used" : $"has no key that could be used: one {wrong}");
        }
        catch (JsonException)
        {
            return ([], "must be a JSON Web Key Set");
        }
    }

    public static ECCurve CurveOf(string name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        _ => ECCurve.NamedCurves.nistP521,
    };

    private static (TokenKey? Key, string? Wrong) ReadKey(
        JsonElement key, IReadOnlyCollection<TokenAlgorithm> algorithms)
    {
        if (key.ValueKind != JsonValueKind.Object) return (null, "is no key");
        if (Text(key, "use") is { } use && use != "sig") return (null, "is not for signatures");
        if (key.TryGetProperty("key_ops", out var operations) && operations.ValueKind == JsonValueKind.Array
            && !operations.EnumerateArray().Any(static one => one.ValueKind == JsonValueKind.String
                && one.ValueEquals("verify"u8))) return (null, "is not for verifying");
        var taken = Text(key, "alg") is { } alg ? algorithms.Where(one => one.Name == alg) : algorithms;
        var id = Text(key, "kid");
        if (id?.Length > TokenText.MaxKeyIdLength) return (null, "has a kid that is too long");
        return Text(key, "kty") switch
        {
            "RSA" when Bytes(key, "n") is { } modulus && Bytes(key, "e") is { } exponent =>
                TokenKey.OfRsa(id, new RSAParameters { Modulus = modulus, Exponent = exponent }, taken),
            "EC" when Text(key, "crv") is "P-256" or "P-384" or "P-521" => ReadCurve(key, id, taken),
            _ => (null, "is of a type that is not taken"),
        };
    }

    private static (TokenKey? Key, string? Wrong) ReadCurve(
        JsonElement key, string? id, IEnumerable<TokenAlgorithm> algorithms)
    {
        var curve = Text(key, "crv")!; // Asked by the caller.
        if (Bytes(key, "x") is not { } x || Bytes(key, "y") is not { } y || x.Length != y.Length)
            return (null, "is a key without a point");
        return TokenKey.OfCurve(
            id, curve, new ECParameters { Curve = CurveOf(curve), Q = new ECPoint { X = x, Y = y } }, algorithms);
    }

    private static string? Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement key, string name) =>
        Text(key, name) is { Length: > 0 and <= 2_048 } text && TokenText.TryDecode(text, out var bytes) ? bytes : null;
}
