namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>Why an instance gave no answer.</summary>
internal enum UpstreamFailure
{
    /// <summary>No connection; not a byte was sent.</summary>
    Connect,

    /// <summary>Its address is one that the gateway never calls; not a byte was sent.</summary>
    Forbidden,

    /// <summary>The head of the answer did not come in time, or the request's body was not taken.</summary>
    Timeout,

    /// <summary>The connection broke, or what came was no HTTP.</summary>
    Broken,

    /// <summary>The client's body could not be read; the instance has no part in it.</summary>
    ClientBody,

    /// <summary>The client went away.</summary>
    ClientGone,
}

/// <summary>The head of an answer, or the failure that took its place.</summary>
/// <param name="Cause">For the log; the client never sees it.</param>
internal sealed record UpstreamResult(
    HttpResponseMessage? Response, UpstreamFailure? Failure = null, Exception? Cause = null)
{
    /// <summary>True when nothing can have reached the instance.</summary>
    public bool NothingSent => Failure is UpstreamFailure.Connect or UpstreamFailure.Forbidden;

    /// <summary>True when the instance is to blame, which counts towards its ejection.</summary>
    public bool InstanceFailed =>
        Failure is UpstreamFailure.Connect or UpstreamFailure.Forbidden
            or UpstreamFailure.Timeout or UpstreamFailure.Broken;
}
