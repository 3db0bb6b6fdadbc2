using System.Net;
using System.Text;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// Sends a request to one instance and brings the head of its answer. Bodies stream both ways. HTTP/1.1 upstream; a
/// request's body is sent whole before the answer is read, and its trailers are dropped, as the framework's client does
/// it.
/// </summary>
internal sealed class Forwarder : IDisposable
{
    private readonly HttpMessageInvoker client;

    public Forwarder(AddressGuard guard, GatewayOptions options, TimeProvider time)
    {
        var connector = new UpstreamConnector(guard, time);
        client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = connector.ConnectAsync,
            // The answer is the client's to interpret, all of it.
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
            PooledConnectionIdleTimeout = options.UpstreamIdle,
            PooledConnectionLifetime = options.UpstreamLifetime,
            MaxResponseHeadersLength = options.MaxResponseHeadKilobytes,
            MaxConnectionsPerServer = options.MaxRequestsPerInstance,
            // An answer that nobody reads on is not worth its bytes: the connection is closed.
            MaxResponseDrainSize = 0,
            // Bytes of headers pass as they are; Latin-1 is the encoding that keeps each.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        });
    }

    /// <summary>One attempt. Never throws for what an instance or a client does.</summary>
    public async Task<UpstreamResult> SendAsync(Exchange exchange, Upstream upstream)
    {
        using var message = Build(exchange, upstream);
        var deadline = exchange.Deadline;
        var route = exchange.Route;
        // A pooled connection needs no opening; whether there is one shows only later.
        deadline.ArmOpening(
            route.ConnectTimeout > route.ResponseHeadTimeout ? route.ConnectTimeout : route.ResponseHeadTimeout);
        try
        {
            return new UpstreamResult(await client.SendAsync(message, deadline.Token));
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException)
        {
            return new UpstreamResult(null, Classify(fault, exchange), fault);
        }
        finally
        {
            deadline.Disarm();
        }
    }

    public void Dispose() => client.Dispose();

    private static HttpRequestMessage Build(Exchange exchange, Upstream upstream)
    {
        var request = exchange.Context.Request;
        var route = exchange.Route;
        // The path has its one form already, and the client's query is its own: neither is touched again.
        var uri = new Uri(
            $"{upstream.Address.Scheme}://{upstream.Address.Authority}{route.Rewrite(exchange.Path)}{exchange.Query}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var message = new HttpRequestMessage(HttpMethod.Parse(request.Method), uri)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = exchange.Body,
        };
        message.Options.Set(
            UpstreamConnector.Patience,
            new UpstreamPatience(route.ConnectTimeout, route.ResponseHeadTimeout, exchange.Deadline));
        RequestHeaders.Copy(exchange.Context, message, exchange.Identity, route.StrippedPrefix, exchange.Trusted);
        if (exchange.Upgrade) Upgrades.Ask(message);
        return message;
    }

    private static UpstreamFailure Classify(Exception fault, Exchange exchange)
    {
        if (exchange.Deadline.ClientGone) return UpstreamFailure.ClientGone;
        if (exchange.Body?.ClientFault is not null) return UpstreamFailure.ClientBody;
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            if (cause is AddressForbiddenException) return UpstreamFailure.Forbidden;
            if (cause is UpstreamConnectException) return UpstreamFailure.Connect;
        }
        if (exchange.Deadline.Expired) return UpstreamFailure.Timeout;
        return fault is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError
                or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
        }
            ? UpstreamFailure.Connect
            : UpstreamFailure.Broken;
    }
}

/// <summary>One request of a client and what is known of it, over all attempts to have it answered.</summary>
internal sealed class Exchange : IDisposable
{
    public Exchange(HttpContext context, Route route, string path, string query, RequestIdentity identity, bool trusted,
        TimeProvider time)
    {
        Context = context;
        Route = route;
        Path = path;
        Query = query;
        Identity = identity;
        Trusted = trusted;
        Upgrade = Upgrades.IsWanted(context);
        IsSafe = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
            || HttpMethods.IsOptions(context.Request.Method);
        Deadline = new Deadline(time, context.RequestAborted);
        Body = MakeBody();
    }

    public HttpContext Context { get; }

    public Route Route { get; }

    /// <summary>In its normal form.</summary>
    public string Path { get; }

    /// <summary>As sent, with its <c>?</c>; or empty.</summary>
    public string Query { get; }

    public RequestIdentity Identity { get; }

    /// <summary>True when the peer is a proxy that is believed.</summary>
    public bool Trusted { get; }

    /// <summary>True when the client asks for a WebSocket.</summary>
    public bool Upgrade { get; }

    /// <summary>True for methods that change nothing, so that sending one twice does no harm.</summary>
    public bool IsSafe { get; }

    public RequestBody? Body { get; private set; }

    public Deadline Deadline { get; private set; }

    /// <summary>True while nothing of the body has been taken from the client.</summary>
    public bool BodyUntouched => Body is not { Started: true } || !HasClientBody;

    private bool HasClientBody => Context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true;

    /// <summary>Makes ready for another attempt.</summary>
    public void Again(TimeProvider time)
    {
        Deadline.Dispose();
        Deadline = new Deadline(time, Context.RequestAborted);
        Body = MakeBody();
    }

    public void Dispose() => Deadline.Dispose();

    // Methods that change something get a body even where the client sent none: the framework's client repeats a
    // request without one by itself when a kept connection turns out closed, and nobody can tell whether it had
    // arrived.
    private RequestBody? MakeBody() => HasClientBody || !IsSafe
        ? new RequestBody(Context.Request, Deadline, Route.ResponseHeadTimeout, empty: !HasClientBody)
        : null;
}
