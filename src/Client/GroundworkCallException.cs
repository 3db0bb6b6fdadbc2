namespace Groundwork.Client;

/// <summary>
/// A call of a service that got no answer: none came, or none was waited for. An answer with a status of 400 or more is
/// an answer, and no exception.
/// </summary>
public sealed class GroundworkCallException : HttpRequestException
{
    internal GroundworkCallException(
        string code, HttpRequestError error, string message, string service, string? instance, Exception? cause)
        : base(error, message, cause)
    {
        Code = code;
        Service = service;
        Instance = instance;
    }

    /// <summary>
    /// Why, as a code of the platform's catalogue: <c>no_instance</c>, <c>upstream_connect</c>,
    /// <c>upstream_timeout</c>, <c>upstream_failed</c>, <c>circuit_open</c>,
    /// <c>bulkhead_full</c> or <c>deadline_exceeded</c>.
    /// </summary>
    public string Code { get; }

    /// <summary>The service that was called.</summary>
    public string Service { get; }

    /// <summary>Id of the instance that was tried last; null when none was.</summary>
    public string? Instance { get; }
}
