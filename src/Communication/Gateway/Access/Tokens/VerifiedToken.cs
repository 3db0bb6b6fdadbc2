using Groundwork.Communication.Gateway.Access.Callers;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>A token that an issuer has verified, and until when.</summary>
/// <param name="Text">As it was sent.</param>
/// <param name="ExpiresAt">Seconds since 1970, with what clocks may differ.</param>
internal sealed record VerifiedToken(
    byte[] Text, TokenIssuer Issuer, TokenKey Key, double ExpiresAt, CallerIdentity Identity)
{
    /// <summary>True while it has not expired and its key counts.</summary>
    public bool Holds(double now) => now < ExpiresAt && !Key.IsRetired;
}
