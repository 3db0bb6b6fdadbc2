using System.Net;

namespace Groundwork.Communication.Gateway.Calling;

/// <summary>What carries an exchange, and can be ended at once from any thread.</summary>
internal interface IEndable
{
    void Abort();
}

/// <summary>
/// One request to an instance over HTTP/2 and its answer; the connection beneath carries others beside it. Used by one
/// exchange.
/// </summary>
internal sealed class InstanceStream(HttpMessageInvoker invoker, HttpRequestMessage request) : IEndable, IDisposable
{
    // Never disposed: it has no timer, and whoever ends the stream may be late.
    private readonly CancellationTokenSource ending = new();
    private Stream? content;

    /// <summary>Its head has come, once <see cref="SendAsync"/> is over.</summary>
    public HttpResponseMessage? Answer { get; private set; }

    /// <summary>Ends when the head of the answer is there; the request's body may still be on its way.</summary>
    public async Task SendAsync()
    {
        Answer = await invoker.SendAsync(request, ending.Token);
        content = await Answer.Content.ReadAsStreamAsync(ending.Token);
    }

    /// <summary>Reads what there is of the answer's body, or waits for some; 0 at its end.</summary>
    public ValueTask<int> ReadAsync(Memory<byte> into) =>
        content is null ? ValueTask.FromResult(0) : content.ReadAsync(into, ending.Token);

    public void Abort() => ending.Cancel();

    public void Dispose()
    {
        Answer?.Dispose(); // Resets the stream where the answer has not ended.
        request.Dispose();
    }
}

/// <summary>The connections to one instance that speaks HTTP/2; opened when they are first needed.</summary>
internal sealed class InstanceStreams(
    Func<DnsEndPoint, CancellationToken, ValueTask<Stream>> connect, GatewayOptions options) : IDisposable
{
    /// <summary>A connection whose peer is silent is asked whether it lives: idle streams are no sign of it.</summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(30);

    /// <summary>How long it may take over that.</summary>
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private HttpMessageInvoker? invoker; // Under the gate.
    private bool disposed; // Under the gate.

    public HttpMessageInvoker Get()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return invoker ??= new HttpMessageInvoker(Handler());
        }
    }

    /// <summary>Closes what is open; whoever has found it late opens anew.</summary>
    public void Rest()
    {
        lock (gate)
        {
            invoker?.Dispose();
            invoker = null;
        }
    }

    public void Dispose()
    {
        lock (gate) disposed = true;
        Rest();
    }

    private SocketsHttpHandler Handler() => new()
    {
        ActivityHeadersPropagator = null, // The exchange has its own trace.
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = (context, stop) => connect(context.DnsEndPoint, stop),
        EnableMultipleHttp2Connections = true,
        KeepAlivePingDelay = PingDelay,
        KeepAlivePingTimeout = PingTimeout,
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        MaxResponseHeadersLength = options.MaxResponseHeadKilobytes,
        PooledConnectionIdleTimeout = options.UpstreamIdle,
        PooledConnectionLifetime = options.UpstreamLifetime,
        RequestHeaderEncodingSelector = static (_, _) => System.Text.Encoding.Latin1,
        ResponseHeaderEncodingSelector = static (_, _) => System.Text.Encoding.Latin1,
        UseCookies = false,
        UseProxy = false,
    };
}
