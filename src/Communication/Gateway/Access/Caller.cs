namespace Groundwork.Communication.Gateway.Access;

/// <summary>Who sends a request, as far as the gateway has made sure of it.</summary>
/// <param name="User">Whom a token names.</param>
/// <param name="Key">Which key or certificate it was sent with.</param>
/// <param name="Tenant">For whom, as the token says.</param>
internal sealed record Caller(string? User, string? Key, string? Tenant);
