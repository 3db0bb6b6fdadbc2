using System.Net;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Forwarding;

public sealed class FailureTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello", "\r\n", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello", "\r\n5\r\nwo", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello", "\r\nzz\r\n", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello", "", true)]
    [InlineData("Content-Length: 100\r\n\r\nhello", "", false)]
    [InlineData("Content-Length: 100\r\n\r\nhello", "", true)]
    public async Task An_answer_cut_short_never_looks_whole(string begin, string end, bool reset)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\n" + begin);
            await seen.Task;
            await connection.WriteAsync(end);
            if (reset) connection.Reset();
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(Get);
        var begun = await client.ReadUntilAsync("hello");
        Assert.StartsWith("HTTP/1.1 200 ", begun);

        seen.SetResult();

        // The connection ends, without a last chunk and without the length that the head promised.
        var rest = await client.ReadToEndAsync();
        Assert.DoesNotContain("0\r\n\r\n", rest, StringComparison.Ordinal);
        Assert.True(rest.Length < 50, rest);
        await Eventually.TrueAsync(
            () =>
                edge.Registry.Outcomes.Any(
                    outcome => outcome.Outcome == CallOutcome.NoAnswer), "the registry hears of it");
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "upstream_failed")]
    [InlineData("", "upstream_failed")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n", "upstream_failed")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "upstream_failed")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "upstream_failed")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "upstream_failed")]
    public async Task An_answer_that_is_none_becomes_a_problem(string answer, string code)
    {
        await using var instance = RawInstance.Answering(answer);
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        Assert.Equal((502, code), await CodeAsync(edge, HttpMethod.Get));
    }

    [Fact]
    public async Task A_head_that_is_too_large_becomes_a_problem()
    {
        await using var instance = RawInstance.Answering(
            $"HTTP/1.1 200 OK\r\nX-Large: {new string('x', 200_000)}\r\nContent-Length: 0\r\n\r\n");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        Assert.Equal((502, "upstream_failed"), await CodeAsync(edge, HttpMethod.Get));
    }

    [Fact]
    public async Task A_length_beside_chunks_is_not_believed()
    {
        await using var instance = RawInstance.Answering(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(Get);
        var answer = await client.ReadAnswerAsync();
        Assert.DoesNotContain("Content-Length", answer, StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("5\r\nhello\r\n0\r\n\r\n", answer);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task A_refused_connection_is_tried_elsewhere_whatever_the_method(string method)
    {
        await using var instance = await WebInstance.StartAsync(
            context => context.Request.Body.CopyToAsync(context.Response.Body));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll();
        for (var round = 0; round < 10; round++)
        {
            edge.Instances(RawInstance.Refusing(), instance.Address); // Another each time, so that none is ejected yet.
            using var request = new HttpRequestMessage(new HttpMethod(method), "/");
            if (method == "POST") request.Content = new StringContent("body");
            using var response = await edge.Client.SendAsync(request);
            Assert.Equal((HttpStatusCode.OK, method == "POST" ? "body" : ""), (
                response.StatusCode, await response.Content.ReadAsStringAsync()));
        }
        Assert.Contains(edge.Registry.Outcomes, outcome => outcome.Outcome == CallOutcome.ConnectFailed);
    }

    [Fact]
    public async Task A_silent_instance_costs_a_get_time_and_a_post_its_answer()
    {
        await using var silent = RawInstance.Silent();
        await using var good = await WebInstance.NamedAsync("good");
        await using var edge = await TestEdge.StartAsync(new GatewayOptions { FailuresToEject = 1_000 });
        edge.RouteAll(spec => spec with { Timeouts = new(20_000, 1_000) }).Instances(silent.Address, good.Address);
        for (var round = 0; round < 8; round++) Assert.Equal("good", await edge.Client.GetStringAsync("/"));
        Assert.True(silent.Connections > 0);

        edge.Instances(silent.Address);
        Assert.Equal((504, "upstream_timeout"), await CodeAsync(edge, HttpMethod.Post));
        Assert.Contains(edge.Registry.Outcomes, outcome => outcome.Outcome == CallOutcome.NoAnswer);
    }

    [Fact]
    public async Task A_post_that_may_have_arrived_is_never_sent_twice()
    {
        await using var first = RawInstance.Answering("");
        await using var second = RawInstance.Answering("");
        await using var edge = await TestEdge.StartAsync(new GatewayOptions { FailuresToEject = 1_000 });
        edge.RouteAll().Instances(first.Address, second.Address);

        Assert.Equal((502, "upstream_failed"), await CodeAsync(edge, HttpMethod.Post));

        Assert.Equal(1, first.Connections + second.Connections);
        Assert.Equal((502, "upstream_failed"), await CodeAsync(edge, HttpMethod.Get));
        Assert.Equal(3, first.Connections + second.Connections);
    }

    // A kept connection that the instance closes as the request arrives: the framework's client would send one without
    // a body again.
    [Fact]
    public async Task A_post_without_body_on_a_kept_connection_is_never_sent_twice()
    {
        var heads = 0;
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            Interlocked.Increment(ref heads);
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            await connection.ReadHeadAsync();
            Interlocked.Increment(ref heads);
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using (var fine = await edge.Client.PostAsync("/", null)) Assert.Equal(HttpStatusCode.OK, fine.StatusCode);

        Assert.Equal((502, "upstream_failed"), await CodeAsync(edge, HttpMethod.Post));

        Assert.Equal(2, heads);
    }

    [Fact]
    public async Task A_post_whose_connection_is_refused_everywhere_says_so()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(RawInstance.Refusing(), RawInstance.Refusing());
        Assert.Equal((502, "upstream_connect"), await CodeAsync(edge, HttpMethod.Post));
        Assert.Equal(2, edge.Registry.Outcomes.Count(outcome => outcome.Outcome == CallOutcome.ConnectFailed));
    }

    [Fact]
    public async Task A_slow_upload_is_not_taken_for_a_slow_instance()
    {
        var time = new ManualTimeProvider();
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            var buffer = new byte[1];
            await context.Request.Body.ReadExactlyAsync(buffer);
            first.SetResult();
            await context.Request.Body.ReadExactlyAsync(buffer);
        });
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na");
        await first.Task.WaitAsync(Eventually.Patience);
        // The instance may have the byte before the gateway knows that it was taken.
        await Eventually.TrueAsync(
            () => edge.Module.WaitsForInstances == 0, "the gateway waits for the client alone");

        // The route grants the instance 20 s, and the client has its own limits.
        time.Advance(TimeSpan.FromMinutes(10));

        await client.WriteAsync("b");
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync());
    }

    [Fact]
    public async Task An_instance_that_has_the_whole_body_and_is_silent_runs_out_of_time()
    {
        var time = new ManualTimeProvider();
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            read.SetResult();
            await go.Task;
        });
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.RouteAll().Instances(instance.Address);
        var answer = CodeAsync(edge, HttpMethod.Post);
        await read.Task.WaitAsync(Eventually.Patience);

        // The route grants 20 s; when exactly the gateway begins to wait is its own affair.
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(5));
                return answer.IsCompleted;
            },
            "the time-out");

        Assert.Equal((504, "upstream_timeout"), await answer);
        go.SetResult();
    }

    [Fact]
    public async Task An_answer_that_stops_midway_is_cut_after_the_idle_time()
    {
        await using var instance = RawInstance.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
            await connection.ReadToEndAsync();
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Timeouts = new(20_000, 20_000, 1_000) }).Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(Get);
        Assert.EndsWith("hello", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_body_that_the_client_breaks_off_does_not_count_against_the_instance()
    {
        await using var instance = await WebInstance.StartAsync(
            context => context.Request.Body.CopyToAsync(context.Response.Body));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        for (var round = 0; round < 3; round++)
        {
            using var client = await RawConnection.ToAsync(edge.Address);
            await client.WriteAsync(
                "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n");
            await client.ReadToEndAsync();
        }
        Assert.DoesNotContain(edge.Registry.Outcomes, outcome => outcome.Outcome != CallOutcome.Answered);
        using var fine = await edge.Client.PostAsync("/", new StringContent("x"));
        Assert.Equal("x", await fine.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Our_own_listeners_and_link_local_addresses_are_never_called()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(edge.Address);
        Assert.Equal((502, "upstream_forbidden"), await CodeAsync(edge, HttpMethod.Get));
        edge.Instances(new IPEndPoint(IPAddress.Parse("169.254.169.254"), 80));
        Assert.Equal((502, "upstream_forbidden"), await CodeAsync(edge, HttpMethod.Get));
        edge.Instances(new IPEndPoint(IPAddress.Any, edge.Address.Port));
        Assert.Equal((502, "upstream_forbidden"), await CodeAsync(edge, HttpMethod.Get));
        edge.Registry.Set("service", ("localhost", edge.Address.Port, 100)); // A name is judged by what it resolves to.
        Assert.NotEqual(508, (await CodeAsync(edge, HttpMethod.Get)).Status);
    }

    [Fact]
    public async Task An_instance_whose_name_does_not_resolve_cannot_be_connected()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Timeouts = new(5_000, 5_000) });
        edge.Registry.Set("service", ("nowhere.invalid", 80, 100));
        Assert.Equal((502, "upstream_connect"), await CodeAsync(edge, HttpMethod.Get));
    }

    [Fact]
    public async Task A_full_instance_takes_no_more()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var instance = await WebInstance.StartAsync(_ => go.Task);
        await using var edge = await TestEdge.StartAsync(new GatewayOptions { MaxRequestsPerInstance = 2 });
        edge.RouteAll(spec => spec with { Timeouts = new(1_000, 60_000) }).Instances(instance.Address);
        var held = new[] { edge.Client.GetAsync("/"), edge.Client.GetAsync("/") };
        await Eventually.TrueAsync(() => instance.Requests == 2, "both requests are under way");

        Assert.Equal((503, "upstream_busy"), await CodeAsync(edge, HttpMethod.Get));

        go.SetResult();
        foreach (var response in await Task.WhenAll(held)) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await edge.Client.GetAsync("/")).StatusCode);
    }

    private static async Task<(int Status, string? Code)> CodeAsync(TestEdge edge, HttpMethod method)
    {
        using var request = new HttpRequestMessage(method, "/");
        if (method == HttpMethod.Post) request.Content = new ByteArrayContent(Encoding.ASCII.GetBytes("x"));
        using var response = await edge.Client.SendAsync(request).WaitAsync(Eventually.Patience);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        return ((int)response.StatusCode, problem.RootElement.GetProperty("code").GetString());
    }
}
