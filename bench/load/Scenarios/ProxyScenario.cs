using System.Net;
using System.Net.Sockets;
using Groundwork.Load.Peers;
using Groundwork.Load.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Requests through a proxy to one server that answers at once: ours beside others and beside a plain forwarder of the
/// framework's server and client. All keep their connections to the server, and none of the others logs.
/// </summary>
internal abstract class ProxyScenario : Scenario
{
    private static readonly byte[] SmallAnswer = AnswerOf("application/json", "{\"message\":\"Hello, World!\"}"u8);

    /// <summary>Bytes of an answer's body; null: a little JSON.</summary>
    protected virtual int? AnswerBytes => null;

    /// <summary>The next request of a worker, by its number.</summary>
    protected abstract ReadOnlyMemory<byte> Request(int number);

    public override async Task<int> ServeAsync(string[] arguments)
    {
        if (arguments is not [var what, var text, .. var rest] || !int.TryParse(text, out var port)) return 2;
        if (what == "origin") await ServeOriginAsync(port);
        else await ServeForwarderAsync(port, rest[0]);
        return 0;
    }

    protected Contender[] Installed(string program, string name, Func<int, Task<ProxyServer>> start) =>
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

    /// <param name="alone">True: in a process of its own that follows a node.</param>
    /// <param name="resources">What takes the place of the bare route.</param>
    protected Task<Running> StartOursAsync(LoadOptions options, bool alone, EdgeResources? resources = null) =>
        StartAsync(
            options,
            async origin =>
            {
                var ours = await GroundworkEdge.StartAsync(origin, alone, resources);
                try
                {
                    await ours.ServesAsync(Request(0), BufferBytes);
                }
                catch
                {
                    await ours.DisposeAsync(); // Its processes would stay.
                    throw;
                }
                return new Proxy(ours.Port, ours.Process, ours);
            });

    protected Task<Running> StartForwarderAsync(LoadOptions options) => StartAsync(
        options,
        async origin =>
        {
            var port = LoopbackPort.Free();
            var server = ServerProcess.StartSelf(Name, "forwarder", $"{port}", $"http://127.0.0.1:{origin}");
            await LoopbackPort.ConnectableAsync(port);
            return new Proxy(port, server, server);
        });

    protected virtual Task<Running> StartAsync(LoadOptions options, Proxy proxy, IAsyncDisposable owner) =>
        Running.OverConnectionsAsync(
            options,
            () => Http1Connection.OpenAsync(proxy.Port, BufferBytes),
            (connection, number) => connection.SendAsync(Request(number)),
            proxy.Process,
            owner);

    private int BufferBytes => (AnswerBytes ?? 0) + (64 * 1024);

    private async Task<Running> StartAsync(LoadOptions options, Func<int, Task<Proxy>> start)
    {
        var origin = LoopbackPort.Free();
        var server = ServerProcess.StartSelf(Name, "origin", $"{origin}");
        await LoopbackPort.ConnectableAsync(origin);
        var proxy = await start(origin);
        return await StartAsync(options, proxy, new Both(proxy.Owner, server));
    }

    private async Task ServeOriginAsync(int port)
    {
        var answer = AnswerBytes is { } bytes ? AnswerOf("application/octet-stream", new byte[bytes]) : SmallAnswer;
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start(1024);
        var parent = ServerProcess.ParentEndsAsync();
        while (true)
        {
            var accept = listener.AcceptSocketAsync();
            if (await Task.WhenAny(accept, parent) == parent) return;
            var answering = AnswerAsync(await accept, answer);
            if (answering.IsFaulted) await answering;
        }
    }

    // One request at a time, as it is sent here: without a body, or with one whose length is told.
    private static async Task AnswerAsync(Socket socket, byte[] answer)
    {
        using var owned = socket;
        socket.NoDelay = true;
        var buffer = new byte[64 * 1024];
        var filled = 0;
        var rest = -1; // Of a body; -1: in the head.
        try
        {
            while (true)
            {
                var count = await socket.ReceiveAsync(buffer.AsMemory(filled));
                if (count == 0) return;
                filled += count;
                if (rest < 0)
                {
                    var end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
                    if (end < 0) continue;
                    rest = LengthOf(buffer.AsSpan(0, end)) - (filled - end - 4);
                }
                else
                {
                    rest -= count;
                }
                filled = 0;
                if (rest > 0) continue;
                rest = -1;
                for (var left = answer.AsMemory(); left.Length > 0;) left = left[await socket.SendAsync(left)..];
            }
        }
        catch (SocketException)
        {
            // The proxy has gone.
        }
    }

    private static int LengthOf(ReadOnlySpan<byte> head)
    {
        Span<byte> lower = stackalloc byte[head.Length];
        System.Text.Ascii.ToLower(head, lower, out _);
        var at = lower.IndexOf("\r\ncontent-length: "u8);
        if (at < 0) return 0;
        var number = lower[(at + 18)..];
        if (number.IndexOf((byte)'\r') is var stop and >= 0) number = number[..stop];
        return int.Parse(number, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static byte[] AnswerOf(string type, ReadOnlySpan<byte> body) =>
    [
        .. "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: "u8,
        .. System.Text.Encoding.ASCII.GetBytes($"{type}\r\nContent-Length: {body.Length}\r\n\r\n"), .. body,
    ];

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
        if (from.ContentLength > 0) message.Content = new StreamContent(from.Body);
        foreach (var (name, values) in from.Headers)
            if (name is not ("Host" or "Connection") && !message.Headers.TryAddWithoutValidation(
                    name, (IEnumerable<string?>)values))
                message.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
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

    protected sealed record Proxy(int Port, ServerProcess Process, IAsyncDisposable Owner);

    private sealed class Both(IAsyncDisposable first, IAsyncDisposable second) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await first.DisposeAsync();
            await second.DisposeAsync();
        }
    }
}
