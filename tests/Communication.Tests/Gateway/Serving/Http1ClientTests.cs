using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Serving;

/// <summary>What the gateway grants a client's connection, and what it does with one that takes more.</summary>
public sealed class Http1ClientTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    [Fact]
    public async Task Requests_sent_ahead_are_answered_in_their_order()
    {
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            // The first takes longest: whoever answers out of order is found out.
            if (context.Request.Path == "/0") await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await context.Response.WriteAsync($"{context.Request.Path}{body}");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);

        await client.WriteAsync(string.Concat(Enumerable.Range(0, 20).Select(number => number % 3 == 0
            ? $"GET /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            : $"POST /{number} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody")));

        for (var number = 0; number < 20; number++)
        {
            var answer = await client.ReadAnswerAsync();
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer);
            Assert.Contains(number % 3 == 0 ? $"/{number}" : $"/{number}body", answer);
        }
    }

    [Fact]
    public async Task A_client_whose_head_takes_too_long_is_told_and_closed()
    {
        await using var edge = await StartAsync(limits => limits with { HeadTimeout = TimeSpan.FromMilliseconds(300) });
        using var silent = await RawConnection.ToAsync(edge.Address);
        using var slow = await RawConnection.ToAsync(edge.Address);
        await slow.WriteAsync("GET / HTTP/1.1\r\nHost: loc");

        Assert.StartsWith("HTTP/1.1 408 ", await slow.ReadToEndAsync());
        Assert.Equal("", await silent.ReadToEndAsync());
    }

    [Fact]
    public async Task A_head_has_its_time_however_often_a_piece_of_it_comes()
    {
        await using var edge = await StartAsync(limits => limits with { HeadTimeout = TimeSpan.FromMilliseconds(500) });
        using var slow = await RawConnection.ToAsync(edge.Address);
        await slow.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
        var heard = slow.ReadToEndAsync();
        // Twenty times as long as it may take, if nobody stops it.
        for (var piece = 0; piece < 100 && !heard.IsCompleted; piece++)
        {
            try
            {
                await slow.WriteAsync("a");
            }
            catch (IOException)
            {
                break; // Closed.
            }
            await Task.WhenAny(heard, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System));
        }
        Assert.True(heard.IsCompleted, "a head that came a byte at a time was waited for");
    }

    [Fact]
    public async Task A_client_that_says_nothing_more_is_closed_without_a_word()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(limits => limits with { KeepAlive = TimeSpan.FromMilliseconds(300) });
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(Get);
        await client.ReadAnswerAsync();
        Assert.Equal("", await client.ReadToEndAsync());
    }

    [Theory]
    [InlineData("Content-Length: 10\r\n\r\nabc")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")]
    public async Task A_client_whose_body_comes_too_slowly_is_told_and_its_instance_is_not_blamed(string begun)
    {
        await using var instance = RawInstance.Silent();
        await using var edge = await StartAsync(limits => limits with { Grace = TimeSpan.FromMilliseconds(300) });
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: localhost\r\n" + begun);

        Assert.StartsWith("HTTP/1.1 408 ", await client.ReadToEndAsync());
        Assert.DoesNotContain(edge.Registry.Outcomes, outcome => outcome.Outcome != CallOutcome.Answered);
    }

    [Theory]
    [InlineData("Content-Length: 101\r\n\r\n", "")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n", "65\r\n")]
    public async Task A_body_over_the_limit_is_refused(string framing, string chunk)
    {
        await using var instance = RawInstance.Silent();
        await using var edge = await StartAsync(limits => limits with { BodyBytes = 100 });
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync($"POST / HTTP/1.1\r\nHost: localhost\r\n{framing}{chunk}{new string('x', 101)}");
        var answer = await client.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 413 ", answer);
        Assert.Contains("Connection: close\r\n", answer);
        Assert.Contains("body_too_large", answer);
    }

    [Fact]
    public async Task A_body_within_the_limit_is_passed_on()
    {
        await using var instance = await WebInstance.StartAsync(
            context => context.Request.Body.CopyToAsync(context.Response.Body));
        await using var edge = await StartAsync(limits => limits with { BodyBytes = 100 });
        edge.RouteAll().Instances(instance.Address);
        using var response = await edge.Client.PostAsync("/", new StringContent(new string('x', 100)));
        Assert.Equal(100, (await response.Content.ReadAsStringAsync()).Length);
    }

    [Fact]
    public async Task A_client_that_takes_no_answer_is_cut_and_so_is_the_instance()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            context.RequestAborted.Register(() => ended.TrySetResult());
            var piece = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(piece, context.RequestAborted);
        });
        await using var edge = await StartAsync(limits => limits with { SendTimeout = TimeSpan.FromMilliseconds(500) });
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(Get);

        await ended.Task.WaitAsync(Eventually.Patience);
        Assert.DoesNotContain(edge.Registry.Outcomes, outcome => outcome.Outcome != CallOutcome.Answered);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("Connection: keep-alive\r\n", false)]
    public async Task An_old_client_gets_its_answer_without_chunks(string keep, bool closes)
    {
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            if (context.Request.Path == "/long") context.Response.ContentLength = 5;
            await context.Response.WriteAsync("hello");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Match = spec.Match with { Hosts = ["*"] } }).Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync($"GET /long HTTP/1.0\r\n{keep}\r\n");
        if (!closes)
        {
            Assert.Contains("Connection: keep-alive\r\n", await client.ReadAnswerAsync());
            await client.WriteAsync("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        }
        var last = await client.ReadToEndAsync();
        Assert.DoesNotContain("chunked", last);
        Assert.Contains("Connection: close\r\n", last);
        Assert.EndsWith("\r\n\r\nhello", last);
    }

    [Fact]
    public async Task Interim_answers_are_passed_on_where_they_say_something()
    {
        await using var instance = RawInstance.Answering(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
            + "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\n\r\n"
            + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(Get);
        Assert.Equal("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", await client.ReadHeadAsync());
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await client.ReadAnswerAsync());

        await client.WriteAsync("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task Interim_answers_without_end_are_an_end()
    {
        await using var instance = RawInstance.Answering(
            string.Concat(Enumerable.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100)));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var response = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }

    [Fact]
    public async Task An_answer_may_come_before_the_body_has_ended()
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
            await connection.ReadToEndAsync();
            left.TrySetResult();
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\nbegun");
        Assert.StartsWith("HTTP/1.1 403 No\r\n", await client.ReadAnswerAsync());
        // A body that comes before the instance is left would be passed on, and its connection kept.
        await left.Task.WaitAsync(Eventually.Patience);

        // The rest of the body is read over; the request behind it is one of its own.
        await client.WriteAsync("xxxxxxxxxxxxxxx" + Get);
        Assert.StartsWith("HTTP/1.1 403 No\r\n", await client.ReadAnswerAsync());
        Assert.Equal(2, instance.Connections); // That of the unfinished request is not used again.
    }

    [Fact]
    public async Task A_refused_request_leaves_its_connection_usable_and_its_body_unread()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Match = spec.Match with { Path = "/known" } }).Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        const string hidden = "GET /known HTTP/1.1\r\nHost: localhost\r\n";
        await client.WriteAsync(
            $"POST /unknown HTTP/1.1\r\nHost: localhost\r\nContent-Length: {hidden.Length}\r\n\r\n"
            + $"{hidden}{hidden}\r\n");
        Assert.StartsWith("HTTP/1.1 404 ", await client.ReadAnswerAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadAnswerAsync());
        Assert.Equal(1, instance.Requests);
    }

    [Fact]
    public async Task A_connection_that_begins_with_the_preface_speaks_http_2_in_clear()
    {
        string? seen = null;
        await using var instance = RawInstance.Start(async connection =>
        {
            seen = await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/a/../b?c")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await edge.Client.SendAsync(request);
        Assert.Equal((HttpVersion.Version20, "ok"), (response.Version, await response.Content.ReadAsStringAsync()));
        Assert.StartsWith("GET /b?c HTTP/1.1\r\n", seen);
        Assert.Contains("Via: 2 groundwork\r\n", seen);

        using var other = await RawConnection.ToAsync(edge.Address);
        await other.WriteAsync("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 ", await other.ReadToEndAsync());
    }

    [Fact]
    public async Task A_half_closed_upgrade_still_brings_what_the_instance_says()
    {
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
            await connection.WriteAsync(" and " + await connection.ReadToEndAsync());
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nlast words");
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync());
        await client.ReadUntilAsync("early");
        client.EndSending();
        Assert.Equal(" and last words", await client.ReadToEndAsync());
    }

    private static Task<TestEdge> StartAsync(Func<ClientLimits, ClientLimits> change) =>
        TestEdge.StartAsync(new GatewayOptions { Client = change(new ClientLimits()) });
}
