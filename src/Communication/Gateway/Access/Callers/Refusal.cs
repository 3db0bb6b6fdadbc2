using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Access.Callers;

/// <summary>Why a request does not pass, and what its sender is asked for (RFC 9110, 11.6.1).</summary>
internal sealed record Refusal(Fault Fault, string? Challenge = null);

/// <summary>
/// All of them, made once: they tell the caller what to mend, and nothing of what would have passed.
/// </summary>
internal static class Refusals
{
    public static readonly Refusal Malformed = Token("The token is malformed.");
    public static readonly Refusal Algorithm = Token("The algorithm of the token is not taken.");
    public static readonly Refusal Type = Token("The token is of another type.");
    public static readonly Refusal Signature = Token("The signature of the token is wrong.");
    public static readonly Refusal KeyUnknown = Token("The key that signed the token is not known.");
    public static readonly Refusal Issuer = Token("The issuer of the token is not believed.");
    public static readonly Refusal Audience = Token("The token is for somebody else.");
    public static readonly Refusal Endless = Token("The token does not say when it expires.");
    public static readonly Refusal Expired = Token("The token has expired.");
    public static readonly Refusal Early = Token("The token does not hold yet.");
    public static readonly Refusal Revoked = Token("The token was issued too long ago.");

    public static readonly Refusal Scope = new(
        new Fault(ErrorCodes.ScopeInsufficient, "The token has not all the scopes that the route takes."),
        "Bearer error=\"insufficient_scope\"");

    public static readonly Refusal Claims = new(
        new Fault(ErrorCodes.AccessDenied, "The token has not the claims that the route takes."));

    public static readonly Refusal Listed = new(
        new Fault(ErrorCodes.AccessDenied, "The caller is on a list of those who do not pass."));

    public static readonly Refusal NotListed = new(
        new Fault(ErrorCodes.AccessDenied, "The caller is not on the list of those who pass."));

    public static readonly Refusal KeysUnknown =
        Undecided("The keys of the token's issuer are not known at the moment.");

    public static readonly Refusal ListMissing = Undecided("A list of callers that the route names is not there.");

    public static readonly Refusal IssuerMissing = Undecided("A token issuer that the route names is not there.");

    public static readonly Refusal TwoCredentials = new(
        new Fault(ErrorCodes.CredentialInvalid, "The request carries its credential twice."), "Bearer");

    private static Refusal Token(string detail) => new(
        new Fault(ErrorCodes.CredentialInvalid, detail),
        $"Bearer error=\"invalid_token\", error_description=\"{detail}\"");

    private static Refusal Undecided(string detail) => new(
        new Fault(ErrorCodes.AccessUndecided, detail) { RetryAfter = TimeSpan.FromSeconds(1) });
}
