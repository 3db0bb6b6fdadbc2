using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Serialization;
using Groundwork.Communication.Gateway.Access.Tokens;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>Somebody whose JSON Web Tokens are believed, and by which keys.</summary>
public sealed record TokenIssuerSpec(
    [Description("What the iss of its tokens is, exactly.")]
    string Issuer,
    [Description("One of these must be the aud of a token, or one of several; at most 16.")]
    [Length(1, TokenIssuerKind.MaxAudiences)]
    IReadOnlyList<string> Audiences,
    [Description("The algorithms that are taken, such as RS256 and ES256. No other is, whatever a token says.")]
    [AllowedValues("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384",
        "HS512")]
    IReadOnlyList<string> Algorithms,
    [Description("Public keys in PEM; at most 16.")]
    [Length(1, TokenIssuerKind.MaxKeys)]
    IReadOnlyList<TokenKeySpec>? Keys = null,
    [Description("A JSON Web Key Set, as text.")]
    string? KeySet = null,
    [Description("Where the key set is fetched: https, or http on this machine.")]
    string? KeySetAddress = null,
    [Description("How often it is fetched, 30 to 86,400.")]
    [Range(30, 86_400)]
    int RefreshSeconds = 300,
    [Description("Certificates in PEM that the address is believed by, instead of the system's.")]
    string? Authorities = null,
    [Description("The secret of HS256 and its like: at least as many bytes as the hash has, 32 for HS256.")]
    SecretText? Secret = null,
    [Description("How far clocks may differ, 0 to 60.")]
    [Range(0, 60)]
    int ClockSkewSeconds = 30,
    [Description("What the typ of a token must be, such as at+jwt; JWT, at+jwt or nothing when not given.")]
    [Length(1, 8)]
    IReadOnlyList<string>? Types = null,
    [Description("The claim that names the user.")]
    string UserClaim = "sub",
    [Description("The claim that names the tenant.")]
    string TenantClaim = "tenant",
    [Description("Tokens that were issued before are refused, and those that do not say when.")]
    DateTimeOffset? IssuedAfter = null);

/// <summary>One public key.</summary>
public sealed record TokenKeySpec(
    [Description("In PEM: PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE.")]
    string Pem,
    [Description("The kid of tokens that it signs; any that no other key has, when not given.")]
    string? Id = null);

/// <summary>The kind <c>token-issuer</c>.</summary>
public static class TokenIssuerKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "token-issuer";

    /// <summary>Audiences of one issuer.</summary>
    public const int MaxAudiences = 16;

    /// <summary>Keys of one issuer: those of now, of before and of next, with room.</summary>
    public const int MaxKeys = 16;

    /// <summary>Characters of a secret.</summary>
    public const int MaxSecretLength = 1_024;

    public static Kind<TokenIssuerSpec> Kind { get; } = new(Name, TokenIssuerJson.Default.TokenIssuerSpec)
    {
        Module = GatewayModule.ModuleName,
        Summary = "Somebody whose JSON Web Tokens are believed, and by which keys.",
        SecretFields = ["secret"],
        Validate = Validate,
    };

    private static void Validate(TokenIssuerSpec spec, ICollection<FieldFault> faults)
    {
        AccessRules.CheckText("spec.issuer", spec.Issuer, faults);
        AccessRules.CheckTexts("spec.audiences", spec.Audiences, 1, MaxAudiences, faults);
        AccessRules.CheckTexts("spec.types", spec.Types, 1, 8, faults);
        AccessRules.CheckText("spec.userClaim", spec.UserClaim, faults);
        AccessRules.CheckText("spec.tenantClaim", spec.TenantClaim, faults);
        var algorithms = new List<TokenAlgorithm>();
        foreach (var (index, name) in spec.Algorithms.Index())
        {
            if (TokenAlgorithm.Find(name) is { } algorithm) algorithms.Add(algorithm);
            else faults.Add(new FieldFault($"spec.algorithms[{index}]", $"must be one of {TokenAlgorithm.AllNames}"));
        }
        if (spec.Algorithms.Count == 0) faults.Add(new FieldFault("spec.algorithms", "must have one at least"));
        CheckSecret(spec, algorithms, faults);
        CheckKeys(spec, algorithms, faults);
        if (spec.ClockSkewSeconds is < 0 or > 60)
            faults.Add(new FieldFault("spec.clockSkewSeconds", "must be 0 to 60"));
        if (spec.RefreshSeconds is < 30 or > 86_400)
            faults.Add(new FieldFault("spec.refreshSeconds", "must be 30 to 86400"));
    }

    private static void CheckSecret(
        TokenIssuerSpec spec, List<TokenAlgorithm> algorithms, ICollection<FieldFault> faults)
    {
        var symmetric = algorithms.Where(algorithm => algorithm.IsSymmetric).ToArray();
        if (symmetric.Length > 0 && algorithms.Count > symmetric.Length)
            faults.Add(new FieldFault(
                "spec.algorithms", "has some with a secret and some with public keys: make two issuers of them"));
        if (symmetric.Length == 0)
        {
            if (spec.Secret is not null)
                faults.Add(new FieldFault("spec.secret", "has no use without HS256, HS384 or HS512"));
            return;
        }
        if (spec.Secret is null)
        {
            faults.Add(new FieldFault("spec.secret", "is what these algorithms need"));
            return;
        }
        var least = symmetric.Max(algorithm => algorithm.HashBytes);
        // Null: it is in place already, and was checked when it came.
        if (spec.Secret.Clear is { } clear
            && (clear.Length > MaxSecretLength || Encoding.UTF8.GetByteCount(clear) < least))
            faults.Add(new FieldFault("spec.secret", $"must have {least} to {MaxSecretLength} bytes"));
    }

    private static void CheckKeys(
        TokenIssuerSpec spec, List<TokenAlgorithm> algorithms, ICollection<FieldFault> faults)
    {
        var sources = (spec.Keys is null ? 0 : 1) + (spec.KeySet is null ? 0 : 1)
            + (spec.KeySetAddress is null ? 0 : 1);
        if (algorithms.Any(algorithm => algorithm.IsSymmetric))
        {
            if (sources > 0) faults.Add(new FieldFault("spec", "must have no keys beside a secret"));
            return;
        }
        if (sources != 1) faults.Add(new FieldFault("spec", "must have exactly one of keys, keySet and keySetAddress"));
        if (spec.Keys is { Count: 0 or > MaxKeys })
            faults.Add(new FieldFault("spec.keys", $"must have 1 to {MaxKeys} keys"));
        foreach (var (index, key) in (spec.Keys ?? []).Index())
        {
            if (key.Id is { } id) AccessRules.CheckText($"spec.keys[{index}].id", id, faults);
            if (TokenKey.OfPem(key.Pem, key.Id, algorithms).Wrong is { } wrong)
                faults.Add(new FieldFault($"spec.keys[{index}].pem", wrong));
        }
        if (spec.KeySet is { } set && KeySetText.Read(Encoding.UTF8.GetBytes(set), algorithms).Wrong is { } unread)
            faults.Add(new FieldFault("spec.keySet", unread));
        if (spec.KeySetAddress is { } address && KeySetAddress.Explain(address) is { } refused)
            faults.Add(new FieldFault("spec.keySetAddress", refused));
        if (spec.Authorities is null) return;
        if (spec.KeySetAddress is null)
            faults.Add(new FieldFault("spec.authorities", "has no use without keySetAddress"));
        if (KeySetAddress.ReadAuthorities(spec.Authorities) is null)
            faults.Add(new FieldFault("spec.authorities", "must be certificates in PEM"));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TokenIssuerSpec))]
internal sealed partial class TokenIssuerJson : JsonSerializerContext;
