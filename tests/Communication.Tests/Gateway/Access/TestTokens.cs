using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Kernel.Security;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>Signs tokens, good ones and bad ones, with keys that live as long as the process.</summary>
internal static class TestTokens
{
    public const string Issuer = "https://id.example.com";
    public const string Secret = "a secret of thirty-two bytes, or more";

    public static readonly RSA Rsa = RSA.Create(2_048);
    public static readonly RSA OtherRsa = RSA.Create(2_048);
    public static readonly ECDsa Curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>An issuer with the RSA key as <c>rsa</c> and the other as <c>curve</c>.</summary>
    public static TokenIssuerSpec Spec => new(
        Issuer, ["shop"], ["RS256", "PS256", "ES256"],
        [new(Rsa.ExportSubjectPublicKeyInfoPem(), "rsa"), new(Curve.ExportSubjectPublicKeyInfoPem(), "curve")]);

    public static TokenIssuerSpec WithSecret => Spec with
    {
        Algorithms = ["HS256"],
        Keys = null,
        Secret = SecretText.Of(Secret),
    };

    /// <summary>Claims of alice that hold from a minute ago for an hour.</summary>
    public static JsonObject Claims(DateTimeOffset? now = null)
    {
        var begin = (now ?? TimeProvider.System.GetUtcNow()).ToUnixTimeSeconds();
        return new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = "shop",
            ["sub"] = "alice",
            ["tenant"] = "acme",
            ["scope"] = "read write",
            ["jti"] = "token-1",
            ["realm_access"] = new JsonObject { ["roles"] = new JsonArray("clerk", "buyer") },
            ["iat"] = begin - 60,
            ["nbf"] = begin - 60,
            ["exp"] = begin + 3_600,
        };
    }

    public static JsonObject With(this JsonObject claims, string name, JsonNode? value)
    {
        if (value is null) claims.Remove(name);
        else claims[name] = value;
        return claims;
    }

    public static string Rs256(JsonObject? claims = null, string kid = "rsa", RSA? by = null) => Sign(
        $$"""{"alg":"RS256","typ":"JWT","kid":"{{kid}}"}""", (claims ?? Claims()).ToJsonString(),
        bytes => (by ?? Rsa).SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public static string Ps256(JsonObject? claims = null) => Sign(
        """{"alg":"PS256","kid":"rsa"}""", (claims ?? Claims()).ToJsonString(),
        static bytes => Rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));

    public static string Es256(string header = """{"alg":"ES256","kid":"curve"}""", string? claims = null) => Sign(
        header, claims ?? Claims().ToJsonString(), static bytes => Curve.SignData(bytes, HashAlgorithmName.SHA256));

    public static string Hs256(byte[] secret, string header = """{"alg":"HS256"}""") => Sign(
        header, Claims().ToJsonString(), bytes => HMACSHA256.HashData(secret, bytes));

    public static string Sign(string header, string claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Encode(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);

    /// <summary>The key set of public keys, as an address would give it.</summary>
    public static string KeySet(params (string Id, RSA Key)[] keys)
    {
        var list = new JsonArray();
        foreach (var (id, key) in keys)
        {
            var parameters = key.ExportParameters(false);
            list.Add((JsonNode)new JsonObject
            {
                ["kty"] = "RSA",
                ["kid"] = id,
                ["use"] = "sig",
                ["n"] = Encode(parameters.Modulus!), // It has one.
                ["e"] = Encode(parameters.Exponent!), // And this.
            });
        }
        return new JsonObject { ["keys"] = list }.ToJsonString();
    }
}
