using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>Requests that want the same at once, answers that are past their time, and purges.</summary>
public sealed class CacheSharingTests
{
    [Fact]
    public async Task Two_hundred_misses_at_once_make_one_request()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var test = await StartAsync(
            new CacheSpec(WaitMs: 60_000), wait: (_, _) => go.Task);
        var asked = Enumerable.Range(0, 200).Select(_ => test.GetAsync("/a")).ToArray();
        await Eventually.TrueAsync(() => test.Edge.Module.Cache!.Waiting == 199, "the others wait");
        go.SetResult();
        var answers = await Task.WhenAll(asked);
        foreach (var answer in answers) Assert.Equal("1 /a", await answer.Content.ReadAsStringAsync());
        Assert.Equal(1, test.Origin.Requests);
        Assert.Equal(199, answers.Count(answer => Status(answer).EndsWith("; collapsed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task One_who_asked_first_and_fails_does_not_fail_the_others()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var test = await StartAsync(
            new CacheSpec(WaitMs: 60_000), wait: async (number, context) =>
            {
                if (number > 1) return;
                await go.Task;
                context.Abort();
            });
        using var leaving = new CancellationTokenSource();
        var first = test.GetAsync("/a", leaving.Token);
        await Eventually.TrueAsync(() => test.Origin.Requests == 1, "the origin is asked");
        var others = Enumerable.Range(0, 20).Select(_ => test.GetAsync("/a")).ToArray();
        await Eventually.TrueAsync(() => test.Edge.Module.Cache!.Waiting == 20, "the others wait");
        await leaving.CancelAsync(); // Its client goes.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        foreach (var answer in await Task.WhenAll(others))
            Assert.Equal("2 /a", await answer.Content.ReadAsStringAsync());
        Assert.Equal(2, test.Origin.Requests);
        go.SetResult();
    }

    [Fact]
    public async Task Answers_that_are_for_one_alone_are_asked_for_side_by_side()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var test = await StartAsync(
            new CacheSpec(WaitMs: 60_000), context => context.Response.Headers.CacheControl = "private",
            (number, _) => number == 1 ? Task.CompletedTask : go.Task);
        await test.GetAsync("/a");
        var asked = Enumerable.Range(0, 10).Select(_ => test.GetAsync("/a")).ToArray();
        await Eventually.TrueAsync(() => test.Origin.Requests == 11, "the origin is asked"); // None waits for another.
        go.SetResult();
        Assert.Equal(10, (await Task.WhenAll(asked)).Length);
    }

    [Fact]
    public async Task Who_waits_too_long_asks_itself()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var test = await StartAsync(
            new CacheSpec(WaitMs: 1_000), wait: (number, _) => number == 1 ? go.Task : Task.CompletedTask);
        var first = test.GetAsync("/a");
        await Eventually.TrueAsync(() => test.Origin.Requests == 1, "the origin is asked");
        var second = test.GetAsync("/a");
        await Eventually.TrueAsync(() => test.Edge.Module.Cache!.Waiting == 1, "the others wait");
        test.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("2 /a", await (await second).Content.ReadAsStringAsync());
        go.SetResult();
        await first;
    }

    [Fact]
    public async Task After_its_time_an_answer_is_given_while_a_new_one_is_fetched()
    {
        await using var test = await StartAsync(
            change: context => context.Response.Headers.CacheControl = "max-age=60, stale-while-revalidate=30");
        await test.GetAsync("/a");
        test.Time.Advance(TimeSpan.FromSeconds(70));
        using var stale = await test.GetAsync("/a");
        Assert.Equal("1 /a", await stale.Content.ReadAsStringAsync());
        Assert.Equal("groundwork; hit; ttl=-10", Status(stale));
        await Eventually.TrueAsync(
            async () => Status(await test.GetAsync("/a")) == "groundwork; hit; ttl=60", "it is fetched anew");
        using var fresh = await test.GetAsync("/a");
        Assert.Equal("2 /a", await fresh.Content.ReadAsStringAsync());
        Assert.Equal(2, test.Origin.Requests);
        test.Time.Advance(TimeSpan.FromSeconds(90)); // Past that time too.
        using var late = await test.GetAsync("/a");
        Assert.Equal("3 /a", await late.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("max-age=60, stale-if-error=60", true)]
    [InlineData("max-age=60, stale-if-error=60, must-revalidate", false)]
    [InlineData("max-age=60", false)]
    public async Task In_place_of_an_error_an_old_answer_is_given(string control, bool given)
    {
        await using var test = await StartAsync(
            change: context =>
            {
                context.Response.Headers.CacheControl = control;
                if (context.Request.Headers["X-Fail"].Count > 0) context.Response.StatusCode = 503;
            });
        await test.GetAsync("/a");
        test.Time.Advance(TimeSpan.FromSeconds(90));
        using var failed = await test.GetAsync("/a", ("X-Fail", "1"));
        Assert.Equal(given ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, failed.StatusCode);
        Assert.Equal(given, failed.Headers.Contains("Groundwork-Degraded"));
        if (given) Assert.Equal("1 /a", await failed.Content.ReadAsStringAsync());
        // Also where there is nobody to ask.
        test.Edge.Registry.Set("service");
        using var alone = await test.GetAsync("/a");
        Assert.Equal(given ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, alone.StatusCode);
        test.Time.Advance(TimeSpan.FromSeconds(31));
        using var late = await test.GetAsync("/a");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, late.StatusCode);
    }

    [Fact]
    public async Task A_purge_forgets_by_path_prefix_tag_host_and_route_and_nothing_else()
    {
        await using var test = await StartAsync(
            change: context => context.Response.Headers["Cache-Tag"] = $"all, {context.Request.Path.Value![1..]}");
        foreach (var (purge, forgotten) in new (CachePurgeSpec, string[])[]
        {
            (new(Path: "/a"), ["/a"]), (new(Prefix: "/a"), ["/a", "/ab"]), (new(Tag: "b"), ["/b"]),
            (new(Host: "other.example"), []), (new(Host: "127.0.0.1"), ["/a", "/ab", "/b"]),
            (new(Route: "all"), ["/a", "/ab", "/b"]), (new(Route: "al"), []), (new(Tag: "al"), []),
        })
        {
            foreach (var path in new[] { "/a", "/ab", "/b" }) await test.GetAsync(path);
            test.Purge(purge);
            foreach (var path in new[] { "/a", "/ab", "/b" })
            {
                using var answer = await test.GetAsync(path);
                Assert.True(
                    forgotten.Contains(path) == Status(answer).Contains("fwd=", StringComparison.Ordinal),
                    $"{purge}: {path} {Status(answer)}");
            }
        }
    }

    [Fact]
    public async Task What_is_on_its_way_while_it_is_purged_is_not_kept()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var test = await StartAsync(wait: (number, _) => number == 1 ? go.Task : Task.CompletedTask);
        var first = test.GetAsync("/a");
        await Eventually.TrueAsync(() => test.Origin.Requests == 1, "the origin is asked");
        test.Purge(new CachePurgeSpec(Path: "/a"));
        go.SetResult();
        await first;
        using var after = await test.GetAsync("/a");
        Assert.Equal("2 /a", await after.Content.ReadAsStringAsync());
    }

    private static string Status(HttpResponseMessage answer) => CachedService.Status(answer);

    private static Task<CachedService> StartAsync(
        CacheSpec? cache = null, Action<HttpContext>? change = null, Func<int, HttpContext, Task>? wait = null,
        string? body = null, Func<RouteSpec, RouteSpec>? route = null) =>
        CachedService.StartAsync(cache ?? new CacheSpec(), change, wait, body, route);
}
