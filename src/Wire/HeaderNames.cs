namespace Groundwork.Wire;

/// <summary>
/// Names of the HTTP headers that are ours, and of the two public ones that every client of the API sends.
/// </summary>
public static class HeaderNames
{
    /// <summary>The revision in force when the answer was made. On every API answer.</summary>
    public const string Revision = "Groundwork-Revision";

    /// <summary><c>namespace/service/instanceId</c> of the calling instance, set by the SDK.</summary>
    public const string Caller = "Groundwork-Caller";

    /// <summary>Milliseconds that the caller still waits; passed on with what is left.</summary>
    public const string Deadline = "Groundwork-Deadline-Ms";

    /// <summary>
    /// The number of the try of a call, from 2 on: the first says nothing. Counted on through the calls made for it.
    /// </summary>
    public const string Attempt = "Groundwork-Attempt";

    /// <summary>
    /// <c>fallback</c> or <c>failsafe</c> on an answer that the caller's own policy gave in place of the service.
    /// </summary>
    public const string Degraded = "Groundwork-Degraded";

    /// <summary>The id of a request on the gateway's answer to it: <c>explain request</c> takes it.</summary>
    public const string RequestId = "Groundwork-Request-Id";

    /// <summary>The index of a service's membership in a registry answer.</summary>
    public const string Index = "Groundwork-Index";

    /// <summary>
    /// Author's reason for a change, for calls whose body is the resource itself. Percent-encoded UTF-8.
    /// </summary>
    public const string Reason = "Groundwork-Reason";

    /// <summary>A changeset id (UUID): a repeat within 24 h gets the first answer.</summary>
    public const string IdempotencyKey = "Idempotency-Key";

    /// <summary>The user whom the gateway has made sure of, percent-encoded where a field could not carry it.</summary>
    public const string User = "Groundwork-User";

    /// <summary>The access key, signing key or certificate that a request came with.</summary>
    public const string Key = "Groundwork-Key";

    /// <summary>The tenant, as the caller's token says.</summary>
    public const string Tenant = "Groundwork-Tenant";

    /// <summary>The same, and claims, as a JSON Web Token that the gateway signs and that lives a minute.</summary>
    public const string Identity = "Groundwork-Identity";

    /// <summary>The gray release that a setting's text is of; absent for the setting's own.</summary>
    public const string Release = "Groundwork-Release";
}
