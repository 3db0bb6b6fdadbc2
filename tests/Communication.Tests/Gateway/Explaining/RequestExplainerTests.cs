using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Resources;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Explaining;

/// <summary>What is told of requests that went through a real listener.</summary>
public sealed class RequestExplainerTests
{
    private const string Secret = "hunter2";

    [Fact]
    public async Task A_request_is_told_with_its_routes_changes_and_decisions_and_without_its_secrets()
    {
        await using var one = await WebInstance.NamedAsync("one");
        await using var other = await WebInstance.NamedAsync("other");
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(one.Address, other.Address);
        var match = new MatchSpec(["127.0.0.1"], "/orders/{id}");
        var spec = new RouteSpec(match, "service");
        edge.Snapshots.Put(Routes.Resource("taken", spec with
        {
            Request = new RequestChange(
                new PathChange(Template: "/v2/{id}"), Headers: new FieldChange(
                    Set: new Dictionary<string, string> { ["X-Order"] = "{id}" }, Remove: ["X-Gone"])),
        }));
        edge.Snapshots.Put(Routes.Resource("beta", spec with
        {
            Match = match with { Headers = [new FieldMatch("X-Beta", Values: ["yes"])] },
        }));
        edge.Snapshots.Put(Routes.Resource("posts", spec with { Match = match with { Methods = ["POST"] } }));
        edge.Snapshots.Put(Routes.Resource("below", spec with { Match = match with { Path = "/orders/**" } }));
        edge.Snapshots.Put(Routes.Resource("elsewhere", spec with { Match = match with { Path = "/carts" } }));
        edge.Snapshots.Put(Routes.Resource("stranger", spec with { Match = match with { Hosts = ["shop.example"] } }));
        var revision = edge.Snapshots.Current.Revision;
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/orders/7?token={Secret}&{Secret}");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {Secret}");
        request.Headers.TryAddWithoutValidation("X-Gone", Secret);
        request.Headers.TryAddWithoutValidation("X-Beta", "no");
        request.Headers.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

        using var answer = await edge.Client.SendAsync(request);
        edge.Snapshots.Delete(Routes.Resource("taken", spec).Key); // The routes of that time are what counts.
        var told = await ExplainAsync(edge, answer.Headers.GetValues("Groundwork-Request-Id").Single());

        Assert.Equal(("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", true), (
            told.Request.TraceId, told.ParentId, told.Sampled));
        Assert.Equal(("default/taken", 200, 1, revision), (
            told.Request.Route, told.Request.Status, told.Request.Attempts, told.Revision));
        Assert.Equal(
            [
                ("taken", "taken"), ("below", "after"), ("beta", "condition"), ("posts", "method"), ("elsewhere", "path"),
            ],
            told.Routes.Select(route => (route.Name, route.Verdict)));
        Assert.Contains("header x-beta = yes", told.Routes[2].Text, StringComparison.Ordinal);
        Assert.Contains("a template goes before a prefix", told.Routes[1].Text, StringComparison.Ordinal);
        Assert.Equal(
            ["path: /v2/7", "request: X-Gone is taken out", "request: X-Order is written"], told.Changes);
        Assert.Contains(told.Fields, field => field is { Name: "Authorization", Value: null });
        Assert.Contains(told.Fields, field => field.Name == "Host" && field.Value == edge.Address.ToString());
        Assert.Equal(["token"], told.Query);
        Assert.Equal(["match", "transform", "choice", "attempt", "attempt"], told.Decisions.Select(one => one.Stage));
        var choice = told.Decisions[2].About!;
        Assert.Contains(one.Address.ToString(), choice, StringComparison.Ordinal);
        Assert.Contains(other.Address.ToString(), choice, StringComparison.Ordinal); // The one chosen, and its rival.
        Assert.Equal(told.Request.Instance, told.Decisions[4].About);
        Assert.DoesNotContain(Secret, System.Text.Json.JsonSerializer.Serialize(told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_request_and_a_retry_tell_what_happened()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(RawInstance.Refusing(), RawInstance.Refusing());
        using var answer = await edge.Client.GetAsync("/");
        var told = await ExplainAsync(edge, answer.Headers.GetValues("Groundwork-Request-Id").Single());

        Assert.Equal(("upstream_connect", 2), (told.Request.Code, told.Request.Attempts));
        Assert.Equal(
            ["chosen", "asked", "connect", "chosen", "asked", "connect"], told.Decisions.Skip(1).Select(one => one.What));
        Assert.Contains("in 2 attempts", told.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Routes_that_the_asker_may_not_read_are_not_told()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Service = null, Respond = new AnswerSpec(200, "ok") });
        using var answer = await edge.Client.GetAsync("/");
        var id = answer.Headers.GetValues("Groundwork-Request-Id").Single();
        Assert.Single((await ExplainAsync(edge, id)).Routes);
        Assert.Empty((await ExplainAsync(edge, id, _ => false)).Routes);
    }

    [Fact]
    public async Task Of_many_requests_some_are_kept_and_all_that_fail()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with
        {
            Match = spec.Match with { Path = "/ok" }, Service = null, Respond = new AnswerSpec(200, "ok"),
        });
        var begun = TimeProvider.System.GetTimestamp();
        await Parallel.ForAsync(0, 600, async (_, stop) => await edge.Client.GetStringAsync("/ok", stop));
        for (var index = 0; index < 20; index++) using (await edge.Client.GetAsync("/fails")) { }
        var seconds = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        var ring = edge.Module.Seen.Recorder.Ring;

        await Eventually.TrueAsync(() => ring.Count + ring.Passed == 620, "all are over");
        Assert.Equal(20, ring.Read().Count(one => one.Code == "route_not_found"));
        // Fifty of each second that it took, and of the ones at both ends.
        Assert.InRange(ring.Read().Count(one => one.Code is null), 1, 50 * ((int)seconds + 2) + 2);
    }

    [Fact]
    public void The_ring_is_bounded_by_count_and_by_bytes()
    {
        var time = new ManualTimeProvider(ManualTimeProvider.DefaultStart);
        var ring = new RequestRing(time);
        for (var index = 0; index < 2_500; index++) ring.Add(Recorded($"{index}", 10), isNotable: true);
        Assert.Equal(2_000, ring.Count);
        Assert.DoesNotContain(ring.Read(), one => one.Id == "499");
        Assert.Contains(ring.Read(), one => one.Id == "500");

        for (var index = 0; index < 2_000; index++) ring.Add(Recorded($"{index}", 8_000), isNotable: false);
        Assert.InRange(ring.Bytes, 1, 8 * 1024 * 1024);
    }

    [Theory]
    [InlineData("/cart", "/cart", "/cart/", "/carts", "/")]
    [InlineData("/orders/{id}", "/orders/7", "/orders", "/orders/7/x", "/orders/")]
    [InlineData("/api/**", "/api", "/api/x/y", "/apis", "/")]
    [InlineData("/shops/{shop}/**", "/shops/a", "/shops/a/b", "/shops", "/shops/")]
    [InlineData("/**", "/", "/a/b", "/a", "//")]
    [InlineData("/a/{x}/c/{y}", "/a/b/c/d", "/a/b/d/c", "/a//c/d", "/a/b/c")]
    [InlineData("~/items/[0-9]+", "/items/7", "/items/x", "/items/", "/items/7/8")]
    public void A_path_meets_a_pattern_exactly_where_the_tree_says_so(string pattern, params string[] paths)
    {
        var route = Routes.Make("r", pattern, ["*"]);
        var table = RouteTable.Empty.With([], [route]);
        foreach (var path in paths)
            Assert.Equal(
                table.Match(Routes.Request("GET", "a.example", path)).Route is not null, route.Path.Meets(path));
    }

    [Theory]
    [InlineData("*.example.com", "a.example.com", "a.b.example.com", "example.com", "xexample.com")]
    [InlineData("shop.example.com", "shop.example.com", "a.shop.example.com")]
    [InlineData("*", "anything", "[::1]", "10.0.0.1")]
    [InlineData("*.1", "10.0.0.1", "a.1")]
    public void A_host_meets_a_pattern_exactly_where_the_tree_says_so(string pattern, params string[] hosts)
    {
        var table = RouteTable.Empty.With([], [Routes.Make("r", "/**", [pattern])]);
        foreach (var host in hosts)
            Assert.Equal(
                table.Match(Routes.Request("GET", host, "/")).Route is not null, HostPattern.Meets(pattern, host));
    }

    private static async Task<GatewayRequestExplanation> ExplainAsync(
        TestEdge edge, string id, Func<ResourceKey, bool>? mayRead = null)
    {
        var request = await Eventually.ValueAsync(
            () => Task.FromResult(edge.Module.Seen.Recorder.Ring.Read().FirstOrDefault(one => one.Id == id)),
            found => found is not null, "the request is kept");
        return RequestExplainer.Explain(request!, "node", mayRead ?? (_ => true), []);
    }

    private static RecordedRequest Recorded(string id, int headBytes) => new()
    {
        Id = id, TraceId = "", CallerId = "", IsSampled = false, At = ManualTimeProvider.DefaultStart, Micros = 1,
        Status = 200, Code = null, BytesIn = 0, BytesOut = 0, Attempts = 0, Client = IPAddress.Loopback, Route = null,
        Table = null, Revision = 0, Instance = null, Transformed = null, Head = new byte[headBytes], Method = "GET",
        Host = "h", Path = "/", Decisions = [],
    };
}
