using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Resilience;

/// <summary>What routes and upstreams say about failing, with real instances that fail.</summary>
public sealed class ResilienceTests
{
    [Fact]
    public async Task A_status_that_counts_as_a_failure_goes_to_another_instance_and_says_which_try_it_is()
    {
        await using var bad = await WebInstance.StartAsync(Status(503));
        await using var good = await WebInstance.StartAsync(
            context => context.Response.WriteAsync($"{context.Request.Headers["Groundwork-Attempt"]}"));
        await using var edge = await StartAsync(
            new UpstreamResilience(new RetrySpec(Statuses: [503], BackoffMs: 1)), bad, good);
        for (var request = 0; request < 8; request++)
        {
            var before = bad.Requests;
            var said = await edge.Client.GetStringAsync("/");
            Assert.Equal(bad.Requests > before ? "2" : "", said);
        }
        Assert.InRange(bad.Requests, 1, 8);
        Assert.Equal(8, good.Requests);
    }

    [Theory]
    [InlineData("POST", false)] // It may have done something.
    [InlineData("GET", true)] // It is not among the statuses.
    public async Task What_may_not_be_repeated_or_was_not_asked_for_is_passed_on_as_it_is(string method, bool other)
    {
        await using var one = await WebInstance.StartAsync(Status(other ? 502 : 503));
        await using var two = await WebInstance.StartAsync(Status(other ? 502 : 503));
        await using var edge = await StartAsync(
            new UpstreamResilience(new RetrySpec(Statuses: [503], BackoffMs: 0)), one, two);
        for (var request = 0; request < 5; request++)
        {
            using var message = new HttpRequestMessage(new HttpMethod(method), "/");
            using var answer = await edge.Client.SendAsync(message);
            Assert.Equal(other ? HttpStatusCode.BadGateway : HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        }
        Assert.Equal(5, one.Requests + two.Requests);
    }

    [Fact]
    public async Task A_post_that_may_have_arrived_is_sent_once_and_one_that_was_not_sent_goes_elsewhere()
    {
        await using var broken = RawInstance.Start(async connection => await connection.ReadHeadAsync());
        await using var good = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        Put(edge, new UpstreamSpec(
            Addresses: [new($"{broken.Address}"), new($"{good.Address}", Tier: 1)], AllowLoopback: true,
            Ejection: new EjectionSpec(100),
            Resilience: new UpstreamResilience(new RetrySpec(5, BackoffMs: 0))));
        using var once = await edge.Client.PostAsync("/", new StringContent("x"));
        Assert.Equal(HttpStatusCode.BadGateway, once.StatusCode);
        Assert.Equal(0, good.Requests);
        Put(edge, new UpstreamSpec(
            Addresses: [new($"{RawInstance.Refusing()}"), new($"{good.Address}", Tier: 1)], AllowLoopback: true));
        using var elsewhere = await edge.Client.PostAsync("/", new StringContent("x"));
        Assert.Equal("ok", await elsewhere.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Each_try_goes_to_an_instance_that_has_not_failed_the_request()
    {
        await using var one = await WebInstance.StartAsync(Status(503));
        await using var two = await WebInstance.StartAsync(Status(503));
        await using var three = await WebInstance.StartAsync(Status(503));
        await using var edge = await StartAsync(
            new UpstreamResilience(new RetrySpec(5, [503], BackoffMs: 0)), one, two, three);
        using var answer = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal((1, 1, 1), (one.Requests, two.Requests, three.Requests));
    }

    [Fact]
    public async Task When_all_fail_tries_are_bounded_by_the_budget()
    {
        await using var one = await WebInstance.StartAsync(Status(503));
        await using var two = await WebInstance.StartAsync(Status(503));
        await using var three = await WebInstance.StartAsync(Status(503));
        await using var edge = await StartAsync(
            new UpstreamResilience(new RetrySpec(3, [503], BackoffMs: 0), new BudgetSpec(20, 1)), one, two, three);
        const int requests = 400;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            for (var request = 0; request < requests / 8; request++) using (await edge.Client.GetAsync("/")) { }
        }));
        var tries = one.Requests + two.Requests + three.Requests;
        TestContext.Current.TestOutputHelper?.WriteLine($"{tries} tries of {requests} requests");
        // 20 %, and one in each second of as many as it takes, on top of those of the first ten.
        Assert.InRange(tries, requests + (requests / 10), requests + (requests / 5) + 60);
    }

    [Fact]
    public async Task Breaker_opens_answers_at_once_and_closes_when_the_service_is_well_again()
    {
        var time = new ManualTimeProvider();
        var status = 500;
        await using var instance = await WebInstance.StartAsync(context => Status(Volatile.Read(ref status))(context));
        await using var edge = await TestEdge.StartAsync(time: time);
        Put(edge, new UpstreamSpec(
            Addresses: [new($"{instance.Address}")], AllowLoopback: true,
            Resilience: new UpstreamResilience(Breaker: new BreakerSpec(MinimumCalls: 5, OpenSeconds: 30, Probes: 1))));
        for (var request = 0; request < 5; request++)
            Assert.Equal(HttpStatusCode.InternalServerError, (await edge.Client.GetAsync("/")).StatusCode);
        using var refused = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(30), refused.Headers.RetryAfter!.Delta); // It is refused.
        Assert.Contains("circuit_open", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(5, instance.Requests);
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(HttpStatusCode.InternalServerError, (await edge.Client.GetAsync("/")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await edge.Client.GetAsync("/")).StatusCode);
        Volatile.Write(ref status, 200);
        time.Advance(TimeSpan.FromSeconds(30));
        for (var request = 0; request < 10; request++)
            Assert.Equal(HttpStatusCode.OK, (await edge.Client.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task Fallback_gives_a_fixed_answer_or_another_service_and_says_so()
    {
        await using var other = await WebInstance.NamedAsync("stand-in");
        await using var edge = await TestEdge.StartAsync();
        var nobody = RawInstance.Refusing();
        edge.Instances(nobody);
        edge.Registry.Set("other", (other.Address.Address.ToString(), other.Address.Port, 100));
        edge.RouteAll(spec => spec with
        {
            Resilience = new RouteResilience(Fallback: new FallbackSpec(
                new AnswerSpec(200, "{\"items\":[]}", "application/json"))),
        });
        using var fixedAnswer = await edge.Client.GetAsync("/");
        Assert.Equal("{\"items\":[]}", await fixedAnswer.Content.ReadAsStringAsync());
        Assert.Equal("fallback", Assert.Single(fixedAnswer.Headers.GetValues("Groundwork-Degraded")));
        edge.RouteAll(spec => spec with
        {
            Resilience = new RouteResilience(Fallback: new FallbackSpec(Service: "other")),
        });
        using var standIn = await edge.Client.GetAsync("/");
        Assert.Equal("stand-in", await standIn.Content.ReadAsStringAsync());
        Assert.Equal("fallback", Assert.Single(standIn.Headers.GetValues("Groundwork-Degraded")));
        await other.KillAsync();
        using var none = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, none.StatusCode);
        Assert.False(none.Headers.Contains("Groundwork-Degraded"));
        edge.Instances(other.Address);
        edge.Registry.Set("service"); // Nobody at all.
        edge.RouteAll();
        using var bare = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, bare.StatusCode);
        Assert.False(bare.Headers.Contains("Groundwork-Degraded"));
    }

    [Fact]
    public async Task A_service_that_answers_has_no_fallback()
    {
        await using var instance = await WebInstance.StartAsync(Status(500));
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with
        {
            Resilience = new RouteResilience(Fallback: new FallbackSpec(new AnswerSpec(200, "no"))),
        }).Instances(instance.Address);
        using var answer = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Groundwork-Degraded"));
    }

    [Fact]
    public async Task Bulkhead_bounds_what_is_under_way_and_lets_some_wait()
    {
        var release = new TaskCompletionSource();
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await release.Task;
            await context.Response.WriteAsync("ok");
        });
        await using var edge = await StartAsync(
            new UpstreamResilience(Bulkhead: new BulkheadSpec(2, 1, 60_000)), instance);
        var under = new[] { edge.Client.GetAsync("/"), edge.Client.GetAsync("/") };
        await Eventually.TrueAsync(() => instance.Requests == 2, "two are under way");
        // Of two more one waits, and one is refused.
        var more = new[] { edge.Client.GetAsync("/"), edge.Client.GetAsync("/") };
        using var refused = await await Task.WhenAny(more);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Contains("bulkhead_full", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(2, instance.Requests);
        release.SetResult();
        foreach (var answer in await Task.WhenAll(under)) Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var all = await Task.WhenAll(more);
        Assert.Equal(1, all.Count(answer => answer.IsSuccessStatusCode));
        Assert.Equal(3, instance.Requests);
    }

    [Fact]
    public async Task A_try_and_the_whole_request_have_an_end_of_their_own()
    {
        await using var silent = RawInstance.Silent();
        await using var good = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync();
        var addresses = new UpstreamSpec(
            Addresses: [new($"{silent.Address}"), new($"{good.Address}", Tier: 1)], AllowLoopback: true);
        Put(edge, addresses, new RouteTimeouts(20_000, 20_000, TryMs: 50));
        Assert.Equal("ok", await edge.Client.GetStringAsync("/")); // The second try.
        var alone = addresses with { Addresses = [new($"{silent.Address}")] };
        Put(edge, alone, new RouteTimeouts(20_000, 20_000, TryMs: 50));
        using var late = await edge.Client.GetAsync("/");
        Assert.Contains("upstream_timeout", await late.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Put(edge, alone, new RouteTimeouts(20_000, 20_000, TotalMs: 50));
        using var over = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.GatewayTimeout, over.StatusCode);
        Assert.Contains("deadline_exceeded", await over.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_end_of_the_whole_request_cuts_an_answer_that_has_begun()
    {
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await context.Response.WriteAsync("begun");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
                .ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Timeouts = new RouteTimeouts(20_000, 20_000, TotalMs: 300) })
            .Instances(instance.Address);
        await Assert.ThrowsAnyAsync<Exception>(() => edge.Client.GetStringAsync("/"));
        Assert.DoesNotContain(
            edge.Registry.Outcomes, outcome => outcome.Outcome == Groundwork.Services.Registry.CallOutcome.NoAnswer);
    }

    [Fact]
    public async Task What_is_left_of_the_time_is_told_and_a_peer_that_is_trusted_may_say_less()
    {
        await using var instance = await WebInstance.StartAsync(context => context.Response.WriteAsync(
            $"{context.Request.Headers["Groundwork-Deadline-Ms"]}|{context.Request.Headers["Groundwork-Attempt"]}"));
        Assert.Equal("|", await AskAsync(trusted: false, total: null, deadline: 5_000));
        Assert.InRange(Left(await AskAsync(trusted: false, total: 60_000, deadline: 1)), 20_000, 60_000);
        Assert.InRange(Left(await AskAsync(trusted: true, total: 60_000, deadline: 30_000)), 1_000, 30_000);
        Assert.EndsWith("|3", await AskAsync(trusted: true, total: null, deadline: 30_000), StringComparison.Ordinal);
        Assert.Contains(
            "deadline_exceeded", await AskAsync(trusted: true, total: null, deadline: 0), StringComparison.Ordinal);

        async Task<string> AskAsync(bool trusted, int? total, int deadline)
        {
            await using var edge = await TestEdge.StartAsync(new GatewayOptions
            {
                TrustedProxies = trusted ? [IPNetwork.Parse("127.0.0.0/8")] : [],
            });
            edge.RouteAll(spec => spec with { Timeouts = new RouteTimeouts(20_000, 20_000, TotalMs: total) })
                .Instances(instance.Address);
            using var request = new HttpRequestMessage(HttpMethod.Get, "/");
            request.Headers.Add("Groundwork-Deadline-Ms", $"{deadline}");
            request.Headers.Add("Groundwork-Attempt", "3");
            using var answer = await edge.Client.SendAsync(request);
            return await answer.Content.ReadAsStringAsync();
        }

        static int Left(string answer) => int.Parse(
            answer[..answer.IndexOf('|')], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task While_there_are_too_many_requests_what_matters_least_is_refused_first()
    {
        var release = new TaskCompletionSource();
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            if (context.Request.Path == "/wait") await release.Task;
            await context.Response.WriteAsync("ok");
        });
        await using var edge = await TestEdge.StartAsync(new GatewayOptions { MaxUnderWay = 5 });
        edge.Instances(instance.Address);
        foreach (var importance in new[] { "low", "normal", "critical" })
        {
            var match = new MatchSpec(["127.0.0.1"], importance == "normal" ? "/**" : $"/{importance}");
            edge.Snapshots.Put(Routes.Resource(importance, new RouteSpec(
                match, "service", Timeouts: new RouteTimeouts(20_000, 20_000),
                Resilience: new RouteResilience(Importance: importance))));
        }
        var waiting = new List<Task<HttpResponseMessage>>();
        // With the one that asks four are above 70 % of five, and five above 90 %.
        foreach (var (count, allowed) in new[] { (3, "normal,critical"), (4, "critical") })
        {
            while (waiting.Count < count) waiting.Add(edge.Client.GetAsync("/wait"));
            foreach (var importance in new[] { "low", "normal", "critical" })
            {
                await Eventually.TrueAsync(() => edge.Module.UnderWay == count, "so many are under way");
                using var answer = await edge.Client.GetAsync(importance == "normal" ? "/" : $"/{importance}");
                Assert.Equal(allowed.Contains(importance, StringComparison.Ordinal), answer.IsSuccessStatusCode);
                if (!answer.IsSuccessStatusCode)
                    Assert.Contains("overloaded", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        }
        release.SetResult();
        foreach (var answer in await Task.WhenAll(waiting)) Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static RequestDelegate Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync("said");
    };

    private static async Task<TestEdge> StartAsync(UpstreamResilience resilience, params WebInstance[] instances)
    {
        var edge = await TestEdge.StartAsync();
        Put(edge, new UpstreamSpec(
            Addresses: [.. instances.Select(instance => new UpstreamAddress($"{instance.Address}"))],
            AllowLoopback: true, Choose: new ChoiceSpec("round-robin"), Resilience: resilience));
        return edge;
    }

    private static void Put(TestEdge edge, UpstreamSpec spec, RouteTimeouts? timeouts = null)
    {
        edge.Snapshots.Put(TestUpstreams.Resource("up", spec));
        edge.RouteAll(route => route with
        {
            Service = null,
            Upstream = "up",
            Timeouts = timeouts ?? route.Timeouts,
        });
    }
}
