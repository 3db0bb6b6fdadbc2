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
