using Groundwork.Wire;

namespace Groundwork.Client.Calls;

/// <summary>
/// A try that got no answer, as it travels through the steps of a call; becomes a
/// <see cref="GroundworkCallException"/> when it leaves them.
/// </summary>
internal sealed class CallFailedException(ErrorCode error, string what, Exception? cause, string? instance)
    : Exception(what, cause)
{
    public ErrorCode Error { get; } = error;

    public string? Instance { get; } = instance;

    /// <summary>False: the callee saw nothing of it, so that it can be repeated whatever it was.</summary>
    public bool Sent => Error == ErrorCodes.UpstreamTimeout || Error == ErrorCodes.UpstreamFailed;

    /// <summary>True when the instance was tried and failed, rather than the call having been refused here.</summary>
    public bool IsOfInstance => Sent || Error == ErrorCodes.UpstreamConnect;

    public GroundworkCallException AsPublic(string service)
    {
        var kind = (InnerException as HttpRequestException)?.HttpRequestError
            ?? (Sent ? HttpRequestError.Unknown : HttpRequestError.ConnectionError);
        var where = Instance is null ? $"(service '{service}')" : $"(service '{service}', instance {Instance})";
        return new GroundworkCallException(
            Error.Code, kind, $"{Error.Code}: {Message} {where}", service, Instance, InnerException);
    }
}
