using System.Net;
using System.Net.Sockets;
using Groundwork.Load.Peers;
using Groundwork.Load.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// A bare route to one server that answers a little JSON at once: ours as an edge and in the whole node, beside nginx,
/// HAProxy and Caddy where they are installed, and beside a plain forwarder of the framework's server and client. All
/// keep their connections to the server, and none logs.
/// </summary>
internal sealed class GatewayScenario : Scenario
{
    private static readonly byte[] Answer =
    [
        .. "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n"u8,
        .. "Content-Type: application/json\r\nContent-Length: 27\r\n\r\n"u8,
        .. "{\"message\":\"Hello, World!\"}"u8,
    ];

    private static readonly byte[] Request =
    [
        .. "GET /api/items/42?page=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: load\r\n"u8,
        .. "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en\r\n\r\n"u8,
    ];

    public override string Name => "gateway";

    public override string Question => "What does a proxied request cost, beside other proxies?";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("ours, edge profile", options => StartOursAsync(options, alone: true)),
        new("ours, whole node", options => StartOursAsync(options, alone: false)),
        new("forwarder, Kestrel + HttpClient", StartForwarderAsync),
        .. Installed("haproxy", "HAProxy", ProxyServer.HaproxyAsync),
        .. Installed("caddy", "Caddy", ProxyServer.CaddyAsync),
        .. Installed("nginx", "nginx", ProxyServer.NginxAsync),
    ];

    public override async Task<int> ServeAsync(string[] arguments)
    {
        if (arguments is not [var what, var text, .. var rest] || !int.TryParse(text, out var port)) return 2;
        if (what == "origin") await ServeOriginAsync(port);
        else await ServeForwarderAsync(port, rest[0]);
        return 0;
    }

    private static Contender[] Installed(string program, string name, Func<int, Task<ProxyServer>> start) =>
        ProxyServer.Has(program)
            ?
            [
                new(name, options => StartAsync(
                    options,
                    async origin =>
                    {
                        var proxy = await start(origin);
                        return new Proxy(proxy.Port, proxy.Process, proxy);
                    })),
            ]
            : [];

    private static Task<Running> StartOursAsync(LoadOptions options, bool alone) => StartAsync(
        options,
        async origin =>
        {
            var ours = await GroundworkEdge.StartAsync(origin, alone);
            await ours.ServesAsync(Request);
            return new Proxy(ours.Port, ours.Process, ours);
        });

    private static Task<Running> StartForwarderAsync(LoadOptions options) => StartAsync(
        options,
        async origin =>
        {
            var port = LoopbackPort.Free();
            var server = ServerProcess.StartSelf("gateway", "forwarder", $"{port}", $"http://127.0.0.1:{origin}");
            await LoopbackPort.ConnectableAsync(port);
            return new Proxy(port, server, server);
        });

    private static async Task<Running> StartAsync(LoadOptions options, Func<int, Task<Proxy>> start)
    {
        var origin = LoopbackPort.Free();
        var server = ServerProcess.StartSelf("gateway", "origin", $"{origin}");
        await LoopbackPort.ConnectableAsync(origin);
        var proxy = await start(origin);
        return await Running.OverConnectionsAsync(
            options,
            () => Http1Connection.OpenAsync(proxy.Port),
            static (connection, _) => connection.SendAsync(Request),
            proxy.Process,
            new Both(proxy.Owner, server));
    }

    private static async Task ServeOriginAsync(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start(1024);
        var parent = ServerProcess.ParentEndsAsync();
        while (true)
        {
            var accept = listener.AcceptSocketAsync();
            if (await Task.WhenAny(accept, parent) == parent) return;
            var answering = AnswerAsync(await accept);
            if (answering.IsFaulted) await answering;
        }
    }

    // One request at a time, without body, which is all that is sent here.
    private static async Task AnswerAsync(Socket socket)
    {
        using var owned = socket;
        socket.NoDelay = true;
        var buffer = new byte[8 * 1024];
        var filled = 0;
        try
        {
            while (true)
            {
                var count = await socket.ReceiveAsync(buffer.AsMemory(filled));
                if (count == 0) return;
                filled += count;
                if (!buffer.AsSpan(0, filled).EndsWith("\r\n\r\n"u8)) continue;
                filled = 0;
                await socket.SendAsync(Answer);
            }
        }
        catch (SocketException)
        {
            // The proxy has gone.
        }
    }

    private static async Task ServeForwarderAsync(int port, string origin)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        using var client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null,
            AutomaticDecompression = DecompressionMethods.None,
        });
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.Run(context => ForwardAsync(context, client, origin));
        await app.StartAsync();
        await ServerProcess.ParentEndsAsync();
    }

    private static async Task ForwardAsync(HttpContext context, HttpMessageInvoker client, string origin)
    {
        var from = context.Request;
        using var message = new HttpRequestMessage(
            HttpMethod.Parse(from.Method), $"{origin}{from.Path}{from.QueryString}");
        foreach (var (name, values) in from.Headers)
            if (name is not ("Host" or "Connection"))
                message.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        message.Headers.TryAddWithoutValidation("X-Forwarded-For", $"{context.Connection.RemoteIpAddress}");
        message.Headers.TryAddWithoutValidation("X-Forwarded-Proto", from.Scheme);
        message.Headers.TryAddWithoutValidation("X-Forwarded-Host", from.Host.Value);
        using var answer = await client.SendAsync(message, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.NonValidated)
            if (name is not ("Connection" or "Transfer-Encoding")) context.Response.Headers[name] = values.ToString();
        foreach (var (name, values) in answer.Content.Headers.NonValidated)
            context.Response.Headers[name] = values.ToString();
        await using var body = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
        await body.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private sealed record Proxy(int Port, ServerProcess Process, IAsyncDisposable Owner);

    private sealed class Both(IAsyncDisposable first, IAsyncDisposable second) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await first.DisposeAsync();
            await second.DisposeAsync();
        }
    }
}
