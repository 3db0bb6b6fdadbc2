using Groundwork.Client.Calls;

namespace Groundwork.Client;

/// <summary>
/// Sends requests for <c>http://name/</c> to an instance of the service <c>name</c>; all others pass through untouched.
/// It is part of every client of the host's <see cref="IHttpClientFactory"/>; for a client made by hand take one from
/// <see cref="GroundworkServices.CreateHandler"/>.
/// </summary>
/// <remarks>
/// A host name is a service when it is listed in <see cref="GroundworkOptions.Services"/>, or has one label and no port
/// of its own and the registry knows it. The instance is the better of two drawn by weight. One more instance is tried
/// when nothing was sent, or when the method is safe and the request has no body. Two failures in a row leave an
/// instance out for five seconds, doubling to sixty; then, and while an instance has not begun an answer for a second,
/// one call at a time finds out whether it answers.
/// </remarks>
public sealed class GroundworkHandler : DelegatingHandler
{
    private readonly ServiceCaller caller;
    private readonly SendOn send;

    internal GroundworkHandler(ServiceCaller caller)
    {
        this.caller = caller;
        send = base.SendAsync; // Made once, and not with each call.
    }

    internal GroundworkHandler(ServiceCaller caller, HttpMessageHandler inner)
        : base(inner)
    {
        this.caller = caller;
        send = base.SendAsync;
    }

    /// <inheritdoc/>
    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken) =>
        caller.SendAsync(request, send, cancellationToken);

    /// <inheritdoc/>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.RequestUri is { } uri && caller.MayBeService(uri)
            // Choosing an instance may ask the platform, which is asynchronous; servers have no context to deadlock on.
            ? SendAsync(request, cancellationToken).GetAwaiter().GetResult()
            : base.Send(request, cancellationToken);
}
