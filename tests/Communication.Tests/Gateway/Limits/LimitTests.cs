using System.Net;
using System.Net.Http.Headers;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Limits;

/// <summary>Limits of routes, through a real listener.</summary>
public sealed class LimitTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public async Task Bucket_of_each_caller_refuses_with_when_to_come_again_and_lets_others_pass()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(
            instance, new LimitSpec("per-user", ["header:X-User"], new BucketSpec(2, 4)));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "a")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "a")).StatusCode);
        using var refused = await GetAsync(edge, "a");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(2), refused.Headers.RetryAfter!.Delta); // It is refused.
        Assert.Equal("\"per-user\";q=2;w=4", Assert.Single(refused.Headers.GetValues("RateLimit-Policy")));
        Assert.Equal("\"per-user\";r=0;t=2", Assert.Single(refused.Headers.GetValues("RateLimit")));
        Assert.Contains("rate_limited", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var other = await GetAsync(edge, "b");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.False(other.Headers.Contains("RateLimit")); // Only where it is to be told.
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync(edge, "a")).StatusCode);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "a")).StatusCode);
        Assert.Equal(4, instance.Requests);
    }

    [Fact]
    public async Task Several_limits_hold_together_and_each_tells_what_is_left()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(
            instance,
            new LimitSpec("burst", ["client"], Window: new WindowSpec(3), Tell: true),
            new LimitSpec("day", Window: new WindowSpec(5, 86_400), Tell: true));
        using var first = await GetAsync(edge, "a");
        Assert.Equal(
            ["\"burst\";q=3;w=1", "\"day\";q=5;w=86400"],
            first.Headers.GetValues("RateLimit-Policy").SelectMany(line => line.Split(", ")));
        Assert.StartsWith("\"burst\";r=2;", first.Headers.GetValues("RateLimit").First(), StringComparison.Ordinal);
        await GetAsync(edge, "a");
        await GetAsync(edge, "a");
        using var burst = await GetAsync(edge, "a");
        Assert.Contains("limit burst", await burst.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        time.Advance(TimeSpan.FromSeconds(2));
        await GetAsync(edge, "a");
        await GetAsync(edge, "a");
        using var day = await GetAsync(edge, "a");
        Assert.Contains("limit day", await day.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(5, instance.Requests);
    }

    [Fact]
    public async Task Pace_lets_the_second_wait_and_refuses_the_third()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(
            instance, new LimitSpec("pace", Pace: new PaceSpec(1, 10, 15_000)));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "a")).StatusCode);
        var timers = time.ActiveTimers;
        var second = GetAsync(edge, "a");
        await time.TimersAsync(timers + 1);
        using var third = await GetAsync(edge, "a");
        Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(5), third.Headers.RetryAfter!.Delta); // It is refused.
        Assert.False(second.IsCompleted);
        Assert.Equal(1, instance.Requests);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.OK, (await second).StatusCode);
    }

    [Fact]
    public async Task Concurrent_requests_are_counted_until_their_answers_have_ended()
    {
        var release = new TaskCompletionSource();
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await context.Response.WriteAsync("begun");
            await context.Response.Body.FlushAsync();
            await release.Task;
        });
        await using var edge = await StartAsync(instance, new LimitSpec("at-once", ["client"], Concurrent: 1));
        using var open = await edge.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        using var refused = await GetAsync(edge, "a");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(
            "\"at-once\";q=1;qu=\"concurrent-requests\"", Assert.Single(refused.Headers.GetValues("RateLimit-Policy")));
        release.SetResult();
        await open.Content.ReadAsStringAsync();
        await Eventually.TrueAsync(
            async () => (await GetAsync(edge, "a")).StatusCode == HttpStatusCode.OK, "the place is free again");
    }

    [Theory]
    [InlineData("query:id", "/?id=a", "/?id=%61", true)] // One value, written in two ways.
    [InlineData("query:id", "/?id=a", "/?id=b", false)]
    [InlineData("query:id", "/?id=a", "/?x=1", false)]
    [InlineData("path:item", "/items/a", "/items/%61?x", true)]
    [InlineData("path:item", "/items/a", "/items/b", false)]
    [InlineData("client", "/items/a", "/items/b", true)]
    [InlineData("user", "/items/a", "/items/b", true)] // Nobody knows them: they share one limit.
    public async Task Key_tells_callers_apart(string by, string first, string second, bool same)
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.RouteAll(spec => spec with
        {
            Match = spec.Match with { Path = by == "path:item" ? "/items/{item}" : "/**" },
            Limits = [new LimitSpec("one", [by], new BucketSpec(1, 60))],
        }).Instances(instance.Address);
        Assert.Equal(HttpStatusCode.OK, (await edge.Client.GetAsync(first)).StatusCode);
        Assert.Equal(
            same ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK, (await edge.Client.GetAsync(second)).StatusCode);
    }

    [Fact]
    public async Task A_mix_counts_each_combination_and_parts_cannot_run_into_each_other()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(
            instance, new LimitSpec("mix", ["cookie:c", "header:X-User"], new BucketSpec(1, 60)));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "bc", "c=a")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync(edge, "bc", "c=a")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "c", "c=ab")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "bc", "c=b")).StatusCode);
        var longer = new string('x', 100);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, longer)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, longer + "y")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync(edge, longer)).StatusCode);
    }

    [Fact]
    public async Task Values_may_have_numbers_of_their_own()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(
            instance,
            new LimitSpec(
                "hot", ["query:product"], Window: new WindowSpec(1, 60),
                Exceptions: [new("sale", 3), new("recalled", 0)]));
        Assert.Equal([200, 429], await StatusesAsync("/?product=usual", 2));
        Assert.Equal([200, 200, 200, 429], await StatusesAsync("/?product=sale", 4));
        Assert.Equal([429], await StatusesAsync("/?product=recalled", 1));

        async Task<List<int>> StatusesAsync(string path, int count)
        {
            var statuses = new List<int>();
            for (var request = 0; request < count; request++)
                statuses.Add((int)(await edge.Client.GetAsync(path)).StatusCode);
            return statuses;
        }
    }

    [Fact]
    public async Task Callers_beyond_the_bound_share_one_limit_and_those_who_used_nothing_of_late_are_forgotten()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(
            instance, new LimitSpec("few", ["header:X-User"], new BucketSpec(1, 5), MaxKeys: 2));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "a")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "b")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "c")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync(edge, "d")).StatusCode); // With c.
        Assert.Equal(2, edge.Module.LimitedCallers);
        time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(0, edge.Module.LimitedCallers);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "d")).StatusCode);
        Assert.Equal(1, edge.Module.LimitedCallers);
    }

    [Fact]
    public async Task What_was_used_stays_used_when_something_else_of_the_route_changes()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        var limit = new LimitSpec("per-user", ["header:X-User"], new BucketSpec(1, 60));
        await using var edge = await StartAsync(instance, limit);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "a")).StatusCode);
        edge.RouteAll(spec => spec with { Priority = 1, Limits = [limit with { By = ["header:X-User"] }] });
        Assert.Equal(HttpStatusCode.TooManyRequests, (await GetAsync(edge, "a")).StatusCode);
        edge.RouteAll(spec => spec with { Limits = [limit with { Bucket = new BucketSpec(2, 60) }] });
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(edge, "a")).StatusCode); // Another limit begins anew.
    }

    private async Task<TestEdge> StartAsync(WebInstance instance, params LimitSpec[] limits)
    {
        var edge = await TestEdge.StartAsync(time: time);
        return edge.RouteAll(spec => spec with { Limits = limits }).Instances(instance.Address);
    }

    private static async Task<HttpResponseMessage> GetAsync(TestEdge edge, string user, string? cookie = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-User", user);
        if (cookie is not null) request.Headers.Add("Cookie", cookie);
        return await edge.Client.SendAsync(request);
    }
}
