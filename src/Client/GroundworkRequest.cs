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

    /// <summary>Names the call for policies, such as <c>ICatalog.FindProductAsync</c>; typed clients set it.</summary>
    public static readonly HttpRequestOptionsKey<string> Method = new("groundwork.method");
}
