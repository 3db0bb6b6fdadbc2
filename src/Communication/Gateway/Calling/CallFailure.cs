namespace Groundwork.Communication.Gateway.Calling;

/// <summary>Why an instance gave no answer.</summary>
internal enum CallFailure
{
    None,

    /// <summary>No connection; not a byte was sent.</summary>
    Connect,

    /// <summary>Its address is one that the gateway never calls; not a byte was sent.</summary>
    Forbidden,

    /// <summary>As many connections to it as there may be; not a byte was sent.</summary>
    Full,

    /// <summary>
    /// A kept connection ended before the answer began: as a rule the instance closed it as idle just then, but the
    /// request may have arrived.
    /// </summary>
    KeptClosed,

    /// <summary>The head of the answer did not come in time, or the request's body was not taken.</summary>
    Timeout,

    /// <summary>The time for the whole request was over; that is its caller's, not the instance's.</summary>
    Deadline,

    /// <summary>The connection broke, or what came was no HTTP.</summary>
    Broken,

    /// <summary>The client's body could not be read; the instance has no part in it.</summary>
    ClientBody,

    /// <summary>The client went away.</summary>
    ClientGone,

    /// <summary>Another instance, which was asked as well, answered first, and the call was ended.</summary>
    Outrun,
}

internal static class CallFailures
{
    /// <summary>True when nothing can have reached the instance.</summary>
    public static bool IsUnsent(this CallFailure failure) =>
        failure is CallFailure.Connect or CallFailure.Forbidden or CallFailure.Full;

    /// <summary>True when the instance is to blame, which counts towards its ejection.</summary>
    public static bool BlamesInstance(this CallFailure failure) =>
        failure is CallFailure.Connect or CallFailure.Forbidden or CallFailure.KeptClosed or CallFailure.Timeout
            or CallFailure.Broken;
}
