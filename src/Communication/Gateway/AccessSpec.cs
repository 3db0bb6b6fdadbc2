using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// Who may pass. Deny lists first, then allow lists, then a credential, then whoever is asked; what cannot be decided
/// is refused. What a listener says and what a route says must both hold.
/// </summary>
public sealed record AccessSpec(
    [Description("Who never passes: whoever one entry of any of these lists names.")]
    CallerLists? Deny = null,
    [Description("Who passes and nobody else: of each sort of entry that is given, one must name the caller.")]
    CallerLists? Allow = null,
    [Description("A JSON Web Token.")]
    TokenAccess? Token = null,
    [Description("An access key of the platform.")]
    KeyAccess? AccessKey = null,
    [Description("A request that its sender has signed.")]
    SignatureAccess? Signature = null,
    [Description("A certificate that the client shows.")]
    CertificateAccess? Certificate = null,
    [Description(
        "Of several sorts of credentials: any lets the first that is there decide, all wants each of them.")]
    [AllowedValues("any", "all")]
    string Require = "any",
    [Description("A service that is asked last.")]
    AskSpec? Ask = null,
    [Description("How services are told who calls; as described when not given.")]
    IdentitySpec? Identity = null);

/// <summary>Lists of callers: entries of its own, and resources of kind access-list.</summary>
public sealed record CallerLists(
    [Description("Networks or addresses, such as 10.0.0.0/8 or 2001:db8::1.")]
    [Length(0, AccessRules.MaxEntries)]
    IReadOnlyList<string>? Clients = null,
    [Description("Users, as tokens name them.")]
    [Length(0, AccessRules.MaxEntries)]
    IReadOnlyList<string>? Users = null,
    [Description("Names of access keys and of signing keys, and fingerprints of certificates.")]
    [Length(0, AccessRules.MaxEntries)]
    IReadOnlyList<string>? Keys = null,
    [Description("Ids of tokens (jti).")]
    [Length(0, AccessRules.MaxEntries)]
    IReadOnlyList<string>? Tokens = null,
    [Description("Resources of kind access-list, [namespace/]name; at most 16.")]
    [Length(1, AccessRules.MaxLists)]
    IReadOnlyList<string>? Lists = null);

/// <summary>A JSON Web Token that a request must carry.</summary>
public sealed record TokenAccess(
    [Description("Resources of kind token-issuer, [namespace/]name; at most 8.")]
    [Length(1, AccessRules.MaxIssuers)]
    IReadOnlyList<string> Issuers,
    [Description("Scopes that it must have, all of them; at most 32.")]
    [Length(1, AccessRules.MaxScopes)]
    IReadOnlyList<string>? Scopes = null,
    [Description("Claims that it must have, all of them; at most 16.")]
    [Length(1, AccessRules.MaxClaims)]
    IReadOnlyList<ClaimMatch>? Claims = null,
    [Description("A header field that has it, instead of Authorization: Bearer.")]
    string? Header = null,
    [Description("A cookie that has it, where the header field is missing.")]
    string? Cookie = null,
    [Description("Whether the service gets the token too.")]
    bool PassOn = true);

/// <summary>What a claim must be.</summary>
public sealed record ClaimMatch(
    [Description("Its name; realm_access.roles is a claim inside another.")]
    string Name,
    [Description("It is one of these, or a list with one of these; at most 32. When not given it must be there.")]
    [Length(1, AccessRules.MaxValues)]
    IReadOnlyList<string>? Values = null);

/// <summary>How services are told who calls, besides Groundwork-User, Groundwork-Key and Groundwork-Tenant.</summary>
public sealed record IdentitySpec(
    [Description("Whom the signed token is for, as its aud says.")]
    string Audience = "services",
    [Description("Claims of the caller's token that it has too; at most 16.")]
    [Length(1, AccessRules.MaxClaims)]
    IReadOnlyList<string>? Claims = null,
    [Description("False: no signed token.")]
    bool Signed = true);

/// <summary>An access key of the platform that a request must carry.</summary>
public sealed record KeyAccess(
    [Description("Roles of which the key must have one; at most 16.")]
    [Length(1, AccessRules.MaxClaims)]
    IReadOnlyList<string> Roles,
    [Description("A header field that has the key, such as X-Api-Key, instead of Authorization: Bearer.")]
    string? Header = null);

/// <summary>A signature that a request must carry, by a signing-key of the route's namespace.</summary>
public sealed record SignatureAccess(
    [Description("How far its time stamp may be from now, 1 to 300.")]
    [Range(1, Access.Signatures.SignatureCredential.MaxWindowSeconds)]
    int WindowSeconds = 300,
    [Description("Bytes of a body, which is held until its digest is known; 0 to 16,777,216.")]
    [Range(0, AccessRules.MaxSignedBodyBytes)]
    int BodyBytes = 1_048_576);

/// <summary>A certificate that the client must show when the connection is secured.</summary>
public sealed record CertificateAccess(
    [Description("Certificates in PEM to one of which it must lead.")]
    string? Authorities = null,
    [Description("SHA-256 of certificates that pass by themselves, 64 hexadecimal digits; at most 256.")]
    [Length(1, AccessRules.MaxFingerprints)]
    IReadOnlyList<string>? Fingerprints = null,
    [Description("Names of which it must have one; at most 256.")]
    [Length(1, AccessRules.MaxFingerprints)]
    IReadOnlyList<string>? Names = null,
    [Description("Which name of it that is, and the user's: cn of the subject, or dns, uri or email.")]
    [AllowedValues("cn", "dns", "uri", "email")]
    string Name = "cn");

/// <summary>Asks a service whether a request may pass: 2xx says yes, 401, 403 and redirects go to the client.</summary>
public sealed record AskSpec(
    [Description("Where it is: http://10.0.0.9:9000/verify.")]
    string? Address = null,
    [Description("Instead: [namespace/][group@@]service, over HTTP.")]
    string? Service = null,
    [Description("The path that is asked of the service.")]
    string Path = "/",
    [Description("How long it may take, 10 to 10,000.")]
    [Range(10, 10_000)]
    int TimeoutMs = 1_000,
    [Description("Header fields of the request that it gets; authorization and cookie when not given. At most 32.")]
    [Length(0, AccessRules.MaxScopes)]
    IReadOnlyList<string>? RequestHeaders = null,
    [Description("Header fields of its answer that the route's service gets, and nobody else can set. At most 32.")]
    [Length(1, AccessRules.MaxScopes)]
    IReadOnlyList<string>? ServiceHeaders = null,
    [Description(
        "Header fields of its answer that the client gets with a refusal; location, set-cookie and www-authenticate "
        + "when not given. At most 32.")]
    [Length(0, AccessRules.MaxScopes)]
    IReadOnlyList<string>? ClientHeaders = null,
    [Description("The field of its answer that names the user; the route's service gets it too.")]
    string? UserHeader = null)
{
    /// <summary>Bytes of an answer that is passed to a client.</summary>
    internal const int MaxAnswerBytes = 64 * 1_024;
}
