using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Forwarding;

/// <summary>
/// A real nginx in front of the gateway, as its manual sets one up with kept connections: connections, headers, caching
/// and streams stay right on the way through both.
/// </summary>
public sealed class NginxFrontTests : IAsyncDisposable
{
    private WebInstance? instance;
    private TestEdge? edge;
    private CountingRelay? relay;
    private NginxServer? nginx;
    private int port;

    private HttpClient Front { get; set; } = new();

    [Fact]
    public async Task Connections_to_the_gateway_are_kept_whatever_the_answer()
    {
        await StartAsync(Answer);
        foreach (var (method, path, body) in new[]
        {
            ("GET", "/text", ""), ("HEAD", "/text", ""), ("GET", "/empty", ""), ("POST", "/echo", "hello"),
            ("GET", "/chunked", ""), ("GET", "/unmodified", ""), ("GET", "/missing", ""), ("DELETE", "/text", ""),
            ("GET", "/%5C", ""),
        })
            for (var round = 0; round < 12; round++)
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                if (body.Length > 0) request.Content = new StringContent(body);
                using var answer = await Front.SendAsync(request);
                Assert.Equal(
                    path switch
                    {
                        "/empty" => 204, "/unmodified" => 304, "/missing" => 404, "/%5C" => 400, _ => 200,
                    },
                    (int)answer.StatusCode);
                if (method == "HEAD") Assert.Equal(4, answer.Content.Headers.ContentLength);
                if (path == "/chunked") Assert.Equal("onetwo", await answer.Content.ReadAsStringAsync());
            }

        // One at a time over one connection; only what is malformed ends it, each time.
        Assert.InRange(relay!.Connections, 12, 14);
        // The twin: a proxy that keeps none has one for each.
        var before = relay.Connections;
        for (var round = 0; round < 10; round++) await Front.GetStringAsync("/unkept/text");
        Assert.Equal(before + 10, relay.Connections);
    }

    [Fact]
    public async Task What_nginx_says_of_the_client_is_believed_and_of_nobody_else()
    {
        await StartAsync(Answer);
        var through = await AskFromAsync("127.9.9.9", new IPEndPoint(IPAddress.Loopback, port));
        // What the client claimed stands before what nginx has seen: nobody vouches for it, so it goes no further.
        Assert.Contains("for=127.9.9.9, 127.0.0.1;proto=https;host=shop.test;real=127.9.9.9", through,
            StringComparison.Ordinal);
        var past = await AskFromAsync("127.0.0.2", edge!.Address);
        Assert.Contains("for=127.0.0.2;proto=http;host=localhost;real=;", past, StringComparison.Ordinal);
        // And a list of addresses goes by the same caller.
        edge.RouteAll(spec => spec with
        {
            Match = spec.Match with { Hosts = ["*"] },
            Access = new AccessSpec(Deny: new CallerLists(Clients: ["127.9.9.0/24"])),
        });
        Assert.StartsWith("HTTP/1.1 403 ", await AskFromAsync("127.9.9.9", new IPEndPoint(IPAddress.Loopback, port)),
            StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await AskFromAsync("127.9.8.9", new IPEndPoint(IPAddress.Loopback, port)),
            StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await AskFromAsync("127.0.0.2", edge.Address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_cache_keeps_what_our_fields_allow_and_asks_again_with_our_ETag()
    {
        await StartAsync(Answer);
        Assert.Equal("MISS en", await CachedAsync("/cached/a", "en"));
        Assert.Equal("HIT en", await CachedAsync("/cached/a", "en"));
        Assert.Equal("MISS de", await CachedAsync("/cached/a", "de")); // Vary.
        Assert.Equal("HIT de", await CachedAsync("/cached/a", "de"));
        Assert.Equal("HIT en", await CachedAsync("/cached/a", "en"));
        foreach (var path in new[] { "/cached/private", "/cached/no-store", "/cached/cookie" })
        {
            Assert.StartsWith("MISS", await CachedAsync(path, "en"), StringComparison.Ordinal);
            Assert.StartsWith("MISS", await CachedAsync(path, "en"), StringComparison.Ordinal);
        }
        // A second later it is stale: asked again by its ETag, and 304 comes through.
        Assert.StartsWith("MISS", await CachedAsync("/cached/short", "en"), StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () => (await CachedAsync("/cached/short", "en")).StartsWith("REVALIDATED", StringComparison.Ordinal),
            "nginx asks whether it still holds");
    }

    [Fact]
    public async Task Compressed_and_plain_forms_are_kept_apart_by_its_cache()
    {
        await StartAsync(Answer, spec => spec with { Compress = new CompressSpec() });
        var seen = new List<string>();
        foreach (var accepted in new[] { "gzip", "", "gzip", "" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/cached/large");
            if (accepted.Length > 0) request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
            using var answer = await Front.SendAsync(request);
            seen.Add($"{answer.Headers.GetValues("X-Cache").First()} "
                + $"{string.Join(',', answer.Content.Headers.ContentEncoding)} {answer.Headers.ETag?.IsWeak}");
        }
        Assert.Equal(["MISS gzip True", "MISS  False", "HIT gzip True", "HIT  False"], seen);
    }

    [Fact]
    public async Task Our_cache_behind_its_own_tells_the_age()
    {
        await StartAsync(Answer, spec => spec with { Cache = new CacheSpec() });
        using var first = await Front.GetAsync("/text-cached");
        using var second = await Front.GetAsync("/text-cached");
        Assert.Contains("hit", second.Headers.GetValues("Cache-Status").Single(), StringComparison.Ordinal);
        Assert.NotNull(second.Headers.Age);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/text-cached");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!); // It has one.
        using var third = await Front.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotModified, third.StatusCode);
        Assert.Equal(1, instance!.Requests);
    }

    [Fact]
    public async Task Ranges_come_through_and_unsatisfiable_ones_are_told()
    {
        await StartAsync(Answer);
        using var part = new HttpRequestMessage(HttpMethod.Get, "/range");
        part.Headers.TryAddWithoutValidation("Range", "bytes=2-4");
        using var answer = await Front.SendAsync(part);
        Assert.Equal(HttpStatusCode.PartialContent, answer.StatusCode);
        Assert.Equal("bytes 2-4/10", answer.Content.Headers.ContentRange?.ToString());
        Assert.Equal("234", await answer.Content.ReadAsStringAsync());
        using var beyond = new HttpRequestMessage(HttpMethod.Get, "/range");
        beyond.Headers.TryAddWithoutValidation("Range", "bytes=20-");
        using var refused = await Front.SendAsync(beyond);
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, refused.StatusCode);
    }

    [Fact]
    public async Task Interim_answers_do_not_break_it()
    {
        await using var hinting = RawInstance.Start(async connection =>
        {
            while ((await connection.ReadHeadAsync()).Length > 0)
                await connection.WriteAsync(
                    "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        await StartAsync(Answer);
        edge!.Instances(hinting.Address);
        Assert.Equal("ok", await Front.GetStringAsync("/").WaitAsync(Eventually.Patience));
        // Who is no proxy gets the hint.
        using var own = await RawConnection.ToAsync(edge.Address);
        await using var believing = await TestEdge.StartAsync();
        believing.RouteAll().Instances(hinting.Address);
        using var client = await RawConnection.ToAsync(believing.Address);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 103 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        // A body that waits to be asked for.
        edge.Instances(instance!.Address);
        using var waiting = await RawConnection.ToAsync(new IPEndPoint(IPAddress.Loopback, port));
        await waiting.WriteAsync(
            "POST /streamed/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100 ", await waiting.ReadHeadAsync(), StringComparison.Ordinal);
        await waiting.WriteAsync("hello");
        Assert.EndsWith("hello\r\n0\r\n\r\n", await waiting.ReadAnswerAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chunks_and_closes_come_through_piece_by_piece()
    {
        await StartAsync(Answer);
        using var client = await RawConnection.ToAsync(new IPEndPoint(IPAddress.Loopback, port));
        await client.WriteAsync(
            "POST /streamed/talk HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n");
        Assert.Contains("chunked", await client.ReadHeadAsync(), StringComparison.OrdinalIgnoreCase);
        // The answer's first piece is there before the request's end.
        Assert.EndsWith("ping\r\n", await client.ReadUntilAsync("ping\r\n"), StringComparison.Ordinal);
        await client.WriteAsync("0\r\n\r\n");
        Assert.EndsWith("end\r\n0\r\n\r\n", await client.ReadUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
        var before = relay!.Connections;
        // A client's Connection: close ends its connection and none of ours.
        for (var round = 0; round < 5; round++)
        {
            using var closing = await RawConnection.ToAsync(new IPEndPoint(IPAddress.Loopback, port));
            await closing.WriteAsync("GET /text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            var answer = await closing.ReadToEndAsync();
            Assert.Contains("Connection: close\r\n", answer, StringComparison.Ordinal);
            Assert.EndsWith("text", answer, StringComparison.Ordinal);
        }
        Assert.InRange(relay.Connections - before, 0, 1);
        // An answer that breaks off does so for the client, too.
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var breaking = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n");
            await seen.Task;
            connection.Reset();
        });
        edge!.Instances(breaking.Address);
        using var cut = await RawConnection.ToAsync(new IPEndPoint(IPAddress.Loopback, port));
        await cut.WriteAsync("GET /streamed/cut HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await cut.ReadUntilAsync("begun\r\n");
        seen.SetResult();
        Assert.DoesNotContain("0\r\n\r\n", await cut.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_web_socket_and_a_drain_come_through()
    {
        await StartAsync(Answer);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/socket"), CancellationToken.None)
            .WaitAsync(Eventually.Patience);
        await socket.SendAsync("hi"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        var buffer = new byte[10];
        var read = await socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Eventually.Patience);
        Assert.Equal("hi", Encoding.ASCII.GetString(buffer, 0, read.Count));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None)
            .WaitAsync(Eventually.Patience);
        // While the gateway drains, nginx is told with each answer to open another connection, and no request fails.
        await edge!.Module.DrainAsync(TestContext.Current.CancellationToken);
        for (var round = 0; round < 20; round++) Assert.Equal("text", await Front.GetStringAsync("/text"));
    }

    public async ValueTask DisposeAsync()
    {
        Front.Dispose();
        if (nginx is not null) await nginx.DisposeAsync();
        if (relay is not null) await relay.DisposeAsync();
        if (edge is not null) await edge.DisposeAsync();
        if (instance is not null) await instance.DisposeAsync();
    }

    private async Task StartAsync(RequestDelegate handler, Func<RouteSpec, RouteSpec>? change = null)
    {
        instance = await WebInstance.StartAsync(handler);
        edge = await TestEdge.StartAsync(new GatewayOptions { TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")] });
        edge.RouteAll(spec =>
        {
            var all = spec with { Match = spec.Match with { Hosts = ["*"] } };
            return change?.Invoke(all) ?? all;
        }).Instances(instance.Address);
        relay = new CountingRelay(edge.Address);
        port = FreePort.Next();
        nginx = await NginxServer.StartAsync(folder => $$"""
            proxy_cache_path {{folder}}/cache keys_zone=kept:1m;
            map $http_upgrade $upgrades { default upgrade; '' ''; }
            upstream gateway { server {{relay.Address}}; keepalive 8; }
            server {
              listen 127.0.0.1:{{port.ToString(CultureInfo.InvariantCulture)}};
              proxy_http_version 1.1;
              proxy_set_header Host $host;
              proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
              proxy_set_header X-Forwarded-Proto https;
              proxy_set_header X-Forwarded-Host shop.test;
              proxy_set_header X-Real-IP $remote_addr;
              proxy_set_header Upgrade $http_upgrade;
              proxy_set_header Connection $upgrades;
              location / { proxy_pass http://gateway; }
              location /unkept/ { proxy_pass http://gateway/; proxy_set_header Connection close; }
              location /streamed/ { proxy_pass http://gateway/; proxy_buffering off; proxy_request_buffering off; }
              location /cached/ {
                proxy_pass http://gateway; proxy_cache kept; proxy_cache_revalidate on;
                add_header X-Cache $upstream_cache_status;
              }
            }
            """, port);
        Front.Dispose();
        Front = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}"),
        };
    }

    private async Task<string> CachedAsync(string path, string language)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept-Language", language);
        using var answer = await Front.SendAsync(request);
        return $"{answer.Headers.GetValues("X-Cache").First()} {await answer.Content.ReadAsStringAsync()}";
    }

    private static async Task<string> AskFromAsync(string address, IPEndPoint to)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        await socket.ConnectAsync(to);
        using var connection = new RawConnection(socket, CancellationToken.None);
        await connection.WriteAsync(
            "GET /who HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
            + "X-Forwarded-Host: evil.test\r\nX-Real-IP: 6.6.6.6\r\nConnection: close\r\n\r\n");
        return await connection.ReadToEndAsync();
    }

    private static async Task Answer(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var path = request.Path.Value ?? "";
        switch (path)
        {
            case "/empty":
                response.StatusCode = 204;
                return;
            case "/unmodified":
                response.StatusCode = 304;
                return;
            case "/missing":
                response.StatusCode = 404;
                return;
            case "/echo":
                await request.Body.CopyToAsync(response.Body);
                return;
            case "/chunked":
                await response.WriteAsync("one");
                await response.Body.FlushAsync();
                await response.WriteAsync("two");
                return;
            case "/talk":
                var ping = new byte[4];
                await request.Body.ReadExactlyAsync(ping);
                await response.Body.WriteAsync(ping);
                await response.Body.FlushAsync();
                await request.Body.CopyToAsync(Stream.Null);
                await response.WriteAsync("end");
                return;
            case "/who":
                var seen = request.Headers;
                await response.WriteAsync(
                    $"for={seen["X-Forwarded-For"]};proto={seen["X-Forwarded-Proto"]};host={seen["X-Forwarded-Host"]};"
                    + $"real={seen["X-Real-IP"]};");
                return;
            case "/socket":
                using (var socket = await context.WebSockets.AcceptWebSocketAsync())
                {
                    var buffer = new byte[10];
                    for (var got = await socket.ReceiveAsync(buffer, CancellationToken.None);
                        got.MessageType != WebSocketMessageType.Close;
                        got = await socket.ReceiveAsync(buffer, CancellationToken.None))
                        await socket.SendAsync(
                            buffer.AsMemory(0, got.Count), got.MessageType, true, CancellationToken.None);
                    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                }
                return;
            case "/range":
                await RangeAsync(context);
                return;
        }
        if (path.StartsWith("/cached/", StringComparison.Ordinal) || path == "/text-cached")
            await KeepableAsync(context, path);
        else
        {
            response.ContentLength = 4;
            if (!HttpMethods.IsHead(request.Method)) await response.WriteAsync("text");
        }
    }

    private static async Task RangeAsync(HttpContext context)
    {
        if (context.Request.Headers.Range == "bytes=2-4")
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = "bytes 2-4/10";
            context.Response.ContentLength = 3;
            await context.Response.WriteAsync("234");
            return;
        }
        context.Response.StatusCode = 416;
        context.Response.Headers.ContentRange = "bytes */10";
    }

    private static async Task KeepableAsync(HttpContext context, string path)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = "\"v1\"";
        response.Headers.Vary = "Accept-Language";
        response.ContentType = "text/plain";
        response.Headers.CacheControl = path switch
        {
            "/cached/private" => "private, max-age=60",
            "/cached/no-store" => "no-store",
            "/cached/short" => "max-age=1",
            _ => "max-age=60",
        };
        if (path == "/cached/cookie") response.Headers.SetCookie = "a=b";
        if (request.Headers.IfNoneMatch == "\"v1\"")
        {
            response.StatusCode = 304;
            return;
        }
        var text = path == "/cached/large" ? new string('x', 20_000) : request.Headers.AcceptLanguage.ToString();
        response.ContentLength = text.Length;
        await response.WriteAsync(text);
    }
}
