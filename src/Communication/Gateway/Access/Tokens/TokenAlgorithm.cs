using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>
/// What a signature is made by (RFC 7518, 3.1). There is no <c>none</c>. EdDSA is missing: the framework has no
/// Ed25519.
/// </summary>
/// <param name="Curve">The OID's friendly form of the curve, for ES256 and its like.</param>
/// <param name="CoordinateBytes">Bytes of each half of a signature on that curve.</param>
internal sealed record TokenAlgorithm(
    string Name, HashAlgorithmName Hash, int HashBytes, RSASignaturePadding? Padding = null, string? Curve = null,
    int CoordinateBytes = 0)
{
    private static readonly ImmutableArray<TokenAlgorithm> All =
    [
        new("RS256", HashAlgorithmName.SHA256, 32, RSASignaturePadding.Pkcs1),
        new("RS384", HashAlgorithmName.SHA384, 48, RSASignaturePadding.Pkcs1),
        new("RS512", HashAlgorithmName.SHA512, 64, RSASignaturePadding.Pkcs1),
        new("PS256", HashAlgorithmName.SHA256, 32, RSASignaturePadding.Pss),
        new("PS384", HashAlgorithmName.SHA384, 48, RSASignaturePadding.Pss),
        new("PS512", HashAlgorithmName.SHA512, 64, RSASignaturePadding.Pss),
        new("ES256", HashAlgorithmName.SHA256, 32, Curve: "P-256", CoordinateBytes: 32),
        new("ES384", HashAlgorithmName.SHA384, 48, Curve: "P-384", CoordinateBytes: 48),
        new("ES512", HashAlgorithmName.SHA512, 64, Curve: "P-521", CoordinateBytes: 66),
        new("HS256", HashAlgorithmName.SHA256, 32),
        new("HS384", HashAlgorithmName.SHA384, 48),
        new("HS512", HashAlgorithmName.SHA512, 64),
    ];

    public static string AllNames { get; } = string.Join(", ", All.Select(one => one.Name));

    public bool IsSymmetric => Padding is null && Curve is null;

    /// <summary>By its exact name: RFC 7515 compares it case by case.</summary>
    public static TokenAlgorithm? Find(string? name)
    {
        foreach (var one in All)
            if (one.Name == name) return one;
        return null;
    }

    public override string ToString() => Name;
}
