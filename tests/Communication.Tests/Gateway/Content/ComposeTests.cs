using System.Collections.Immutable;
using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>One answer of several services.</summary>
public sealed class ComposeTests
{
    [Fact]
    public async Task Parts_are_asked_at_once_and_their_answers_are_one_object()
    {
        // Each waits for the other: one after the other they would never end.
        var both = new CountdownEvent(2);
        await using var orders = await WebInstance.StartAsync(context => AnswerAsync(context, both, "[1,2]"));
        await using var users = await WebInstance.StartAsync(context => AnswerAsync(context, both, "{\"id\":7}"));
        await using var edge = await StartAsync(orders, users);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/pages/7?ignored=1");
        request.Headers.Add("X-Token", "secret");
        request.Headers.Add("Accept-Encoding", "gzip");
        request.Headers.Add("If-None-Match", "\"x\"");
        using var answer = await edge.Client.SendAsync(request);
        Assert.Equal("""{"user":{"id":7},"orders":[1,2]}""", await answer.Content.ReadAsStringAsync());
        Assert.Equal("application/json", $"{answer.Content.Headers.ContentType}");
        Assert.False(answer.Headers.Contains("Groundwork-Degraded"));

        async Task AnswerAsync(HttpContext context, CountdownEvent all, string json)
        {
            var seen = context.Request;
            Assert.Equal("secret", seen.Headers["X-Token"]);
            Assert.Empty(seen.Headers.AcceptEncoding.ToString() + seen.Headers.IfNoneMatch);
            Assert.Contains($"{seen.Path}{seen.QueryString}", new[] { "/users/7", "/orders?user=7" });
            all.Signal();
            await Eventually.TrueAsync(() => all.IsSet, "both are asked");
            await context.Response.WriteAsync(json);
        }
    }

    public static TheoryData<string, Func<HttpContext, Task>> Failures => new()
    {
        { "it refuses", context => StatusAsync(context, 500) },
        { "it has none", context => StatusAsync(context, 404) },
        { "it is no JSON", context => context.Response.WriteAsync("<p>") },
        { "it is cut JSON", context => context.Response.WriteAsync("{\"a\":") },
        { "it is two values", context => context.Response.WriteAsync("1 2") },
        { "it is empty", context => StatusAsync(context, 200) },
        { "it is too large", context => context.Response.WriteAsync('"' + new string('a', 3_000) + '"') },
        { "it breaks off", BreakOffAsync },
        { "it is packed", PackedAsync },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_part_that_fails_fails_the_whole_only_where_it_is_required(
        string why, Func<HttpContext, Task> failing)
    {
        await using var orders = await WebInstance.StartAsync(failing.Invoke);
        await using var users = await WebInstance.StartAsync(context => context.Response.WriteAsync("1"));
        await using var optional = await StartAsync(orders, users, required: false);
        using var answer = await optional.Client.GetAsync("/pages/7");
        Assert.True("""{"user":1,"orders":[]}""" == await answer.Content.ReadAsStringAsync(), why);
        Assert.Equal("missing; parts=\"orders\"", Assert.Single(answer.Headers.GetValues("Groundwork-Degraded")));
        Assert.Equal("no-store", $"{answer.Headers.CacheControl}");
        await using var required = await StartAsync(orders, users, required: true);
        using var refused = await required.Client.GetAsync("/pages/7");
        Assert.Equal(HttpStatusCode.BadGateway, refused.StatusCode);
        Assert.Contains("part_failed", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_parts_have_one_deadline()
    {
        var never = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var orders = await WebInstance.StartAsync(_ => never.Task);
        await using var users = await WebInstance.StartAsync(context => context.Response.WriteAsync("1"));
        await using var edge = await StartAsync(orders, users, required: false, timeoutMs: 300);
        Assert.Equal("""{"user":1,"orders":[]}""", await edge.Client.GetStringAsync("/pages/7"));
        await using var strict = await StartAsync(orders, users, required: true, timeoutMs: 300);
        using var late = await strict.Client.GetAsync("/pages/7");
        Assert.Equal(HttpStatusCode.GatewayTimeout, late.StatusCode);
        never.SetResult();
    }

    [Fact]
    public async Task What_is_put_together_can_be_kept_and_compressed_and_what_lacks_a_part_is_not_kept()
    {
        var fails = false;
        await using var orders = await WebInstance.StartAsync(
            context => fails ? StatusAsync(context, 500) : context.Response.WriteAsync("[]"));
        await using var users = await WebInstance.StartAsync(
            context => context.Response.WriteAsync('"' + new string('a', 1_000) + '"'));
        var cache = new CacheSpec(TtlSeconds: ImmutableDictionary<string, int>.Empty.Add("200", 60));
        await using var edge = await StartAsync(
            orders, users, required: false,
            change: spec => spec with { Cache = cache, Compress = new CompressSpec(MinBytes: 0) });
        fails = true;
        await edge.Client.GetStringAsync("/pages/1");
        Assert.Equal(1, users.Requests);
        fails = false;
        await edge.Client.GetStringAsync("/pages/1");
        Assert.Equal(2, users.Requests);
        await edge.Client.GetStringAsync("/pages/1");
        Assert.Equal(2, users.Requests);
        var packed = await Curl.RunAsync("--compressed", $"http://{edge.Address}/pages/1");
        Assert.StartsWith("{\"user\":\"aaa", packed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("orders", "spec.compose.parts[0].path must begin with / and have up to 1024 characters of a path and "
        + "a query")]
    [InlineData("/orders", null)]
    public void Paths_of_parts_are_checked(string path, string? fault) => Assert.Equal(
        fault,
        SpecFaults.Of(new RouteSpec(
            new MatchSpec(["localhost"], "/**"), Compose: new ComposeSpec([new PartSpec("a", path, "orders")]))));

    private static Task StatusAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return context.Response.CompleteAsync();
    }

    private static async Task BreakOffAsync(HttpContext context)
    {
        context.Response.ContentLength = 100;
        await context.Response.WriteAsync("[1,");
        await context.Response.Body.FlushAsync();
        context.Abort();
    }

    private static Task PackedAsync(HttpContext context)
    {
        context.Response.Headers.ContentEncoding = "x-own";
        return context.Response.WriteAsync("1");
    }

    private static async Task<TestEdge> StartAsync(
        WebInstance orders, WebInstance users, bool required = true, int timeoutMs = 20_000,
        Func<RouteSpec, RouteSpec>? change = null)
    {
        var edge = await TestEdge.StartAsync();
        edge.Registry.Set("orders", (orders.Address.Address.ToString(), orders.Address.Port, 100));
        edge.Registry.Set("users", (users.Address.Address.ToString(), users.Address.Port, 100));
        var compose = new ComposeSpec(
            [
                new PartSpec("user", "/users/{id}", "users"),
                new PartSpec("orders", "/orders?user={id}", "orders", null, required, required ? null : "[]"),
            ],
            timeoutMs, MaxPartKilobytes: 2);
        return edge.RouteAll(spec => (change?.Invoke(spec) ?? spec) with
        {
            Match = spec.Match with { Path = "/pages/{id}" },
            Service = null,
            Compose = compose,
        });
    }
}
