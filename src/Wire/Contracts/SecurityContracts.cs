namespace Groundwork.Wire.Contracts;

/// <summary>A sign-in with name and password.</summary>
public sealed record SignInRequest(string Operator, string Password);

/// <summary>Renewal of a sign-in.</summary>
public sealed record RefreshRequest(string RefreshToken);

/// <summary>What a sign-in gives. Both tokens are opaque and 256-bit random.</summary>
/// <param name="AccessToken">Bearer token, valid for <paramref name="ExpiresInSeconds"/>.</param>
/// <param name="RefreshToken">Used once; each use gives the next one.</param>
public sealed record SignInAnswer(string Principal, string AccessToken, int ExpiresInSeconds, string RefreshToken);

/// <summary>Asks for a link that signs in once.</summary>
/// <param name="Operator">Null: the caller itself; another only over the node's Unix socket.</param>
public sealed record SignInLinkRequest(string? Operator = null);

/// <summary>A link's secret, shown this once. It goes into the fragment of the console's address.</summary>
public sealed record SignInLinkAnswer(string Operator, string Secret, DateTimeOffset ExpiresAt);

/// <summary>A browser signs in: with a link's secret, or with name and password.</summary>
public sealed record BrowserSignInRequest(string? Link = null, string? Operator = null, string? Password = null);

/// <summary>What a browser gets; the refresh token is in a cookie that its scripts cannot read.</summary>
public sealed record BrowserSignInAnswer(string Principal, string AccessToken, int ExpiresInSeconds);

/// <summary>A sign-in that is in force.</summary>
/// <param name="Id">Revokes it.</param>
/// <param name="Address">Where it was made.</param>
/// <param name="UsedAt">When it was last renewed.</param>
/// <param name="Until">When it ends unless it is renewed.</param>
public sealed record SignInDocument(
    Guid Id, string Operator, string Address, DateTimeOffset CreatedAt, DateTimeOffset UsedAt, DateTimeOffset Until);

/// <summary>Sign-ins in force, newest first.</summary>
public sealed record SignInList(IReadOnlyList<SignInDocument> Items);

/// <summary>Asks for a new access key.</summary>
/// <param name="Name">Name of the <c>access-key</c> resource.</param>
/// <param name="Roles">Names of the roles it holds.</param>
/// <param name="Description">Who uses it and for what.</param>
/// <param name="ExpiresInSeconds">Null: never.</param>
public sealed record AccessKeyRequest(
    string Name, IReadOnlyList<string> Roles, string? Description = null, int? ExpiresInSeconds = null);

/// <summary>The new key. The secret is shown this once.</summary>
public sealed record AccessKeyAnswer(string Name, string Secret, long Revision, DateTimeOffset? ExpiresAt = null);

/// <summary>Who the platform takes the caller for.</summary>
/// <param name="Grants">What it may do, so that it is not shown what would be refused. The API decides each call
/// itself.</param>
public sealed record WhoAmI(
    string Principal, IReadOnlyList<string> Roles, IReadOnlyList<GrantDocument>? Grants = null);

/// <summary>One permission in force: every verb listed, on all that matches all three lists.</summary>
/// <param name="Verbs">Such as <c>read</c>; <c>*</c> for all.</param>
/// <param name="Kinds">Names of kinds, or <c>*</c>.</param>
/// <param name="Namespaces">Names of namespaces, <c>_</c> for node-wide kinds, or <c>*</c>.</param>
/// <param name="Names">Whole names, prefixes that end in <c>/*</c>, or <c>*</c>.</param>
/// <param name="Role">The role that brings it; null when it is the access key's own.</param>
public sealed record GrantDocument(
    IReadOnlyList<string> Verbs,
    IReadOnlyList<string> Kinds,
    IReadOnlyList<string> Namespaces,
    IReadOnlyList<string> Names,
    string? Role = null);

/// <summary>Who may do something, and by which grants.</summary>
public sealed record AccessList(
    string Verb, string Kind, string Namespace, string Name, IReadOnlyList<AccessHolder> Items);

/// <summary>An operator or an access key that may.</summary>
/// <param name="Principal"><c>operator:alice</c> or <c>key:shop/orders</c>.</param>
/// <param name="Grants">Each of them is enough.</param>
public sealed record AccessHolder(string Principal, IReadOnlyList<GrantDocument> Grants);

/// <summary>One row of the audit trail.</summary>
/// <param name="Sequence">Gapless within its chain.</param>
/// <param name="Action">Such as <c>sign-in</c>, <c>key-use</c>, <c>secret-read</c>, <c>refused</c>.</param>
/// <param name="Count">How many times within the minute, for refusals that were counted.</param>
public sealed record AuditEntry(
    long Sequence,
    DateTimeOffset At,
    string Principal,
    string Action,
    string Target,
    string Outcome,
    long Count,
    string? Address = null,
    string? Detail = null);

/// <summary>A page of the audit trail, newest first.</summary>
public sealed record AuditList(IReadOnlyList<AuditEntry> Items, string? NextPage = null);

/// <summary>The result of a verification of both chains and the checkpoint file.</summary>
public sealed record AuditVerification(
    bool Intact, long ChangesVerified, long EventsVerified, int CheckpointsVerified, IReadOnlyList<string> Findings);

/// <summary>How far a verification is.</summary>
/// <param name="Step"><c>changes</c>, then <c>events</c>, then <c>contents</c>.</param>
/// <param name="Verified">Rows of this step so far.</param>
/// <param name="Share">0 to 1 of the step; null when nobody knows.</param>
public sealed record AuditProgress(string Step, long Verified, double? Share = null);

/// <summary>A working key, or a sealing key, that was announced.</summary>
/// <param name="TakesOverInSeconds">Until then new secrets are written under the one before.</param>
public sealed record WorkingKeyAnswer(string Id, int TakesOverInSeconds);

/// <summary>
/// An invitation for one node. Both halves are shown this once; neither is worth anything without the other.
/// </summary>
/// <param name="Bundle">The file for <c>node join</c>: the root key and where the database is, encrypted.</param>
/// <param name="Code">Decrypts it; give it to the operator of the new node another way.</param>
public sealed record NodeInvitationAnswer(string Bundle, string Code, DateTimeOffset ExpiresAt);
