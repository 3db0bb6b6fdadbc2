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

    public static readonly Refusal AccessKey = new(
        new Fault(ErrorCodes.CredentialInvalid, "The access key is not known, or has expired."),
        "Bearer error=\"invalid_token\"");

    public static readonly Refusal Role = new(
        new Fault(ErrorCodes.AccessDenied, "The access key has none of the roles that the route takes."));

    public static readonly Refusal SignatureForm = OfSignature("The signature, or what belongs to it, is malformed.");
    public static readonly Refusal SignatureCover = OfSignature("The signature does not cover all that it must.");
    public static readonly Refusal SignatureTime = OfSignature("The time stamp is too far from now.");
    public static readonly Refusal Signed = OfSignature("The signature is wrong, or its key is not known.");
    public static readonly Refusal Replayed = OfSignature("The signature was used before.");
    public static readonly Refusal Digest = OfSignature("The body is not the one that was signed.");
    public static readonly Refusal NoncesFull = Undecided("More signatures came than can be remembered.");

    public static readonly Refusal BodyTooLarge = new(
        new Fault(ErrorCodes.BodyTooLarge, "The body is larger than signed ones may be here."));

    public static readonly Refusal BodyLate = new(
        new Fault(ErrorCodes.RequestTimeout, "The request did not come in time."));

    public static readonly Refusal BodyBad = new(new Fault(ErrorCodes.BadRequest, "The body is malformed."));

    public static readonly Refusal Certificate = OfCertificate("The certificate is not one that the route takes.");
    public static readonly Refusal CertificateTime = OfCertificate("The certificate does not hold now.");

    public static readonly Refusal CertificateName = new(
        new Fault(ErrorCodes.AccessDenied, "The certificate has none of the names that the route takes."));

    public static readonly Refusal NobodyToAsk = Undecided("Nobody is there who could be asked.");
    public static readonly Refusal NoAnswer = Undecided("Who was asked did not decide.");

    private static Refusal OfSignature(string detail) => new(
        new Fault(ErrorCodes.CredentialInvalid, detail), "GROUNDWORK-HMAC-SHA256");

    // TLS has no words for it in an answer; RFC 9110 wants some with each 401.
    private static Refusal OfCertificate(string detail) => new(
        new Fault(ErrorCodes.CredentialInvalid, detail), "Certificate");

    private static Refusal Token(string detail) => new(
        new Fault(ErrorCodes.CredentialInvalid, detail),
        $"Bearer error=\"invalid_token\", error_description=\"{detail}\"");

    private static Refusal Undecided(string detail) => new(
        new Fault(ErrorCodes.AccessUndecided, detail) { RetryAfter = TimeSpan.FromSeconds(1) });
}
