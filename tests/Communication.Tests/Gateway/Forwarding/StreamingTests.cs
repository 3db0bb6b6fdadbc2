using System.Net;
using System.Text;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Forwarding;

public sealed class StreamingTests
{
    [Fact]
    public async Task A_request_body_arrives_piece_by_piece()
    {
        var first = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            var buffer = new byte[100];
            first.SetResult(Encoding.ASCII.GetString(buffer, 0, await context.Request.Body.ReadAsync(buffer)));
            using var rest = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync(await rest.ReadToEndAsync());
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);

        await client.WriteAsync(
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        Assert.Equal("first", await first.Task.WaitAsync(Eventually.Patience));
        await client.WriteAsync("6\r\nsecond\r\n0\r\n\r\n");

        Assert.EndsWith("second", await client.ReadUntilAsync("second"));
    }

    [Fact]
    public async Task An_answer_is_passed_on_while_it_is_made()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await context.Response.WriteAsync("first");
            await go.Task;
            await context.Response.WriteAsync("second");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);

        using var response = await edge.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[100];
        Assert.Equal("first", Encoding.ASCII.GetString(buffer, 0, await body.ReadAsync(buffer)));
        go.SetResult();
        using var rest = new StreamReader(body);
        Assert.Equal("second", await rest.ReadToEndAsync());
    }

    [Fact]
    public async Task A_head_does_not_wait_for_its_body()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.FlushAsync();
            await go.Task;
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);

        using var response = await edge.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead)
            .WaitAsync(Eventually.Patience);

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        go.SetResult();
    }

    [Fact]
    public async Task Large_bodies_pass_both_ways_unchanged()
    {
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            // An echo while it still reads would need a client that reads while it still sends; this one does not.
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            await context.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length));
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        var sent = new byte[8 * 1024 * 1024];
        new Random(1).NextBytes(sent);

        using var response = await edge.Client.PostAsync("/", new ByteArrayContent(sent));

        Assert.Equal(sent, await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("HEAD", 200)]
    [InlineData("GET", 304)]
    [InlineData("GET", 204)]
    public async Task An_answer_without_body_ends_at_its_head(string method, int status)
    {
        await using var instance = RawInstance.Start(async connection =>
        {
            for (; ; )
            {
                await connection.ReadHeadAsync();
                await connection.WriteAsync($"HTTP/1.1 {status} Fine\r\nETag: "
                    + $"\"1\"\r\n{(status == 204 ? "" : "Content-Length: 1000\r\n")}\r\n");
            }
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);

        // Twice: bytes of a body that is none would stand before the second answer.
        for (var time = 0; time < 2; time++)
        {
            await client.WriteAsync($"{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            var head = await client.ReadHeadAsync();
            Assert.StartsWith($"HTTP/1.1 {status} ", head);
            Assert.Equal(status != 204, head.Contains("Content-Length: 1000", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_the_call_to_the_instance()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            context.RequestAborted.Register(ended.SetResult);
            reached.SetResult();
            await ended.Task;
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Timeouts = new(1_000, 60_000) }).Instances(instance.Address);
        var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await reached.Task.WaitAsync(Eventually.Patience);

        client.Dispose();

        await ended.Task.WaitAsync(Eventually.Patience);
        Assert.DoesNotContain(edge.Registry.Outcomes, outcome => outcome.Outcome != CallOutcome.Answered);
    }

    [Fact]
    public async Task A_client_that_goes_away_in_the_middle_of_the_answer_ends_it_at_the_instance()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            context.RequestAborted.Register(() => ended.TrySetResult());
            await context.Response.WriteAsync("first");
            await ended.Task;
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await client.ReadUntilAsync("first");

        client.Dispose();

        await ended.Task.WaitAsync(Eventually.Patience);
    }

    [Fact]
    public async Task Trailers_of_a_request_arrive_but_for_those_that_only_a_head_may_have()
    {
        string? seen = null;
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            seen = await connection.ReadUntilAsync("\r\n\r\n");
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: X-Named\r\n\r\n"
            + "5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\nHost: evil\r\nAuthorization: a\r\n"
            + "X-Forwarded-For: 9.9.9.9\r\nCookie: a=1"
            + "\r\nX_Forwarded_For: 9.9.9.9\r\nGroundwork-User: root\r\nX-Named: 1\r\nX-Other:  2 \r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadAnswerAsync());
        Assert.Equal("5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n", seen);
    }

    [Fact]
    public async Task Trailers_of_an_http2_request_arrive_too()
    {
        string? seen = null;
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            seen = await connection.ReadUntilAsync("\r\n\r\n");
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await Correct.Http2Connection.ToAsync(edge.Address);
        await client.SendHeadersAsync(
            1, endStream: false,
            [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/")]);
        await client.SendDataAsync(1, endStream: false, "hello"u8.ToArray());
        await client.SendHeadersAsync(1, endStream: true, [("x-sum", "1"), ("x-forwarded-for", "9.9.9.9")]);
        await client.ReadUntilEndAsync(1);
        Assert.Equal("5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n", seen);
    }

    [Fact]
    public async Task Trailers_reach_a_client_that_takes_them()
    {
        string? asked = null;
        await using var instance = RawInstance.Start(async connection =>
        {
            asked = await connection.ReadHeadAsync();
            await connection.WriteAsync(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: "
                + "42\r\nContent-Length: 9\r\n\r\n");
        });
        using var certificate = new TestCertificate();
        await using var edge = await TestEdge.StartAsync(tls: certificate.Options);
        edge.RouteAll().Instances(instance.Address);
        using var client = new HttpClient(certificate.Handler());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{edge.Address}/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Headers = { TE = { new("trailers") } },
        };

        using var response = await client.SendAsync(request);

        Assert.Equal("ok", await response.Content.ReadAsStringAsync());
        Assert.Equal("42", Assert.Single(response.TrailingHeaders.GetValues("X-Sum")));
        Assert.False(response.TrailingHeaders.Contains("Content-Length"));
        Assert.Contains("TE: trailers\r\n", asked, StringComparison.Ordinal);
        Assert.Contains("X-Forwarded-Proto: https\r\n", asked, StringComparison.Ordinal);
        Assert.Contains("Via: 2 groundwork\r\n", asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_bodies_pass_both_ways_over_http_2()
    {
        await using var instance = await WebInstance.StartAsync(
            context => context.Request.Body.CopyToAsync(context.Response.Body));
        using var certificate = new TestCertificate();
        await using var edge = await TestEdge.StartAsync(tls: certificate.Options);
        edge.RouteAll().Instances(instance.Address);
        using var client = new HttpClient(certificate.Handler()) { DefaultRequestVersion = HttpVersion.Version20 };
        var sent = new byte[3 * 1024 * 1024];
        new Random(2).NextBytes(sent);

        using var response = await client.PostAsync($"https://{edge.Address}/", new ByteArrayContent(sent));

        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Equal(sent, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_body_is_asked_for_only_when_there_is_somebody_to_take_it()
    {
        await using var instance = await WebInstance.StartAsync(
            context => context.Request.Body.CopyToAsync(context.Response.Body));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(RawInstance.Refusing());
        const string head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
        using (var refused = await RawConnection.ToAsync(edge.Address))
        {
            await refused.WriteAsync(head);
            Assert.StartsWith("HTTP/1.1 502 ", await refused.ReadHeadAsync());
        }

        edge.Instances(instance.Address);
        using var taken = await RawConnection.ToAsync(edge.Address);
        await taken.WriteAsync(head);
        Assert.StartsWith("HTTP/1.1 100 ", await taken.ReadHeadAsync());
        await taken.WriteAsync("body");
        Assert.StartsWith("HTTP/1.1 200 ", await taken.ReadHeadAsync());
    }
}
