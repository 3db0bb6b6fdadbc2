namespace Groundwork.Client;

/// <summary>
/// What a single request may say otherwise than the options, in its <see cref="HttpRequestMessage.Options"/>.
/// </summary>
public static class GroundworkRequest
{
    /// <summary>
    /// How long the instance may take to begin its answer; <see cref="Timeout.InfiniteTimeSpan"/> for as long as the
    /// caller waits, as a long poll needs.
    /// </summary>
    public static readonly HttpRequestOptionsKey<TimeSpan> ResponseHeadTimeout =
        new("groundwork.response-head-timeout");

    /// <summary>
    /// The method of a typed client that the request is made for, such as <c>ICatalog.FindProductAsync</c>: what
    /// policies of one method are found by. Typed clients set it.
    /// </summary>
    public static readonly HttpRequestOptionsKey<string> Method = new("groundwork.method");

    /// <summary>
    /// The key of a call whose policy chooses by consistent hash, such as a customer's number: the same key goes to the
    /// same instance while there is one.
    /// </summary>
    public static readonly HttpRequestOptionsKey<string> HashKey = new("groundwork.hash-key");

    /// <summary>
    /// The version of the service that is wanted, such as <c>2</c> for any of 2 or <c>2.1</c>; in place of the
    /// policy's.
    /// </summary>
    public static readonly HttpRequestOptionsKey<string> Version = new("groundwork.version");
}
