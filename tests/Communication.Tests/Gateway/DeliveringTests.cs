using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Resources;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>What routes and upstreams say, through a real listener, with a real client and instances.</summary>
public sealed class DeliveringTests
{
    [Fact]
    public async Task Path_query_and_headers_arrive_as_the_route_says_and_the_answer_goes_back_as_it_says()
    {
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            context.Response.Headers["X-Id"] = "5";
            context.Response.Headers["X-Secret"] = "hidden";
            var seen = context.Request.Headers;
            await context.Response.WriteAsync(
                $"{context.Request.Path}{context.Request.QueryString}|{seen["X-Order"]}|{seen["X-New"]}|"
                + $"{seen["X-Old"]}|{seen["X-Gone"]}|{seen["X-Forwarded-Prefix"]}");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with
        {
            Match = spec.Match with { Path = "/api/orders/{id}/**" },
            Request = new RequestChange(
                new PathChange(Template: "/v2/{rest}/of/{id}"),
                new QueryChange(Set: Map("order", "{id}"), Remove: ["debug"]),
                new FieldChange(Set: Map("X-Order", "{id}"), Remove: ["X-Gone"], Rename: Map("X-Old", "X-New"))),
            Response = new ResponseChange(new FieldChange(
                Add: Map("X-Served", "order {id}"), Remove: ["X-Secret"], Rename: Map("X-Id", "X-Answer-Id"))),
        }).Instances(instance.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/orders/7/items?debug=1&q=a%20b&order=9");
        request.Headers.Add("X-Old", "old");
        request.Headers.Add("X-Gone", "gone");
        request.Headers.Add("X-Order", "forged");
        // Who names our fields here cannot take them out.
        request.Headers.TryAddWithoutValidation("Connection", "X-Order, X-New");

        using var answer = await edge.Client.SendAsync(request);

        Assert.Equal("/v2/items/of/7?q=a%20b&order=7|7|old||||", await answer.Content.ReadAsStringAsync() + "|");
        Assert.Equal("order 7", Assert.Single(answer.Headers.GetValues("X-Served")));
        Assert.Equal("5", Assert.Single(answer.Headers.GetValues("X-Answer-Id")));
        Assert.False(answer.Headers.Contains("X-Id"));
        Assert.False(answer.Headers.Contains("X-Secret"));
    }

    [Fact]
    public async Task A_route_redirects_and_answers_without_any_service()
    {
        await using var edge = await TestEdge.StartAsync();
        var all = new MatchSpec(["127.0.0.1"], "/**");
        edge.Snapshots.Put(Routes.Resource("moved", new RouteSpec(
            all with { Path = "/old/**" }, Redirect: new RedirectSpec("https://new.example.com/{rest}", 308))));
        edge.Snapshots.Put(Routes.Resource("closed", new RouteSpec(
            all with { Path = "/closed" },
            Respond: new AnswerSpec(503, "Back at noon.", Headers: Map("Retry-After", "60")))));
        using var moved = await edge.Client.GetAsync("/old/a%20b?q=1");
        Assert.Equal(HttpStatusCode.PermanentRedirect, moved.StatusCode);
        Assert.Equal("https://new.example.com/a%20b?q=1", moved.Headers.Location!.OriginalString); // It redirects.
        Assert.Equal(0, moved.Content.Headers.ContentLength);
        using var closed = await edge.Client.GetAsync("/closed");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, closed.StatusCode);
        Assert.Equal("Back at noon.", await closed.Content.ReadAsStringAsync());
        Assert.Equal("text/plain", closed.Content.Headers.ContentType!.MediaType); // It has a body.
        Assert.Equal(TimeSpan.FromSeconds(60), closed.Headers.RetryAfter!.Delta); // As the route says.
        using var head = await edge.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/closed"));
        Assert.Equal("", await head.Content.ReadAsStringAsync());
        Assert.Equal(13, head.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task Conditions_choose_between_routes_of_one_path()
    {
        await using var plain = await WebInstance.NamedAsync("plain");
        await using var beta = await WebInstance.NamedAsync("beta");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(plain.Address);
        edge.Registry.Set("beta", (beta.Address.Address.ToString(), beta.Address.Port, 100));
        edge.Snapshots.Put(Routes.Resource("beta", new RouteSpec(
            new MatchSpec(["127.0.0.1"], "/**", Headers: [new("X-Beta", ["1"])], Cookies: [new("user", Present: true)],
                Query: [new("q", Prefix: "a b")], Clients: ["127.0.0.0/8"]),
            "beta")));
        Assert.Equal("plain", await edge.Client.GetStringAsync("/"));
        Assert.Equal("beta", await GetAsync("/?q=a+bc", "1"));
        Assert.Equal("plain", await GetAsync("/?q=abc", "1"));
        Assert.Equal("plain", await GetAsync("/?q=a+bc", "2"));

        async Task<string> GetAsync(string path, string header)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-Beta", header);
            request.Headers.Add("Cookie", "a=b; user=7");
            using var answer = await edge.Client.SendAsync(request);
            return await answer.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task Round_robin_of_an_upstream_gives_300_200_and_100_of_600()
    {
        await using var one = await WebInstance.NamedAsync("one");
        await using var two = await WebInstance.NamedAsync("two");
        await using var three = await WebInstance.NamedAsync("three");
        await using var edge = await TestEdge.StartAsync();
        Put(edge, new UpstreamSpec(
            Addresses: [new($"{one.Address}", 3), new($"{two.Address}", 2), new($"{three.Address}", 1)],
            AllowLoopback: true, Choose: new ChoiceSpec("round-robin")));
        for (var request = 0; request < 600; request++) await edge.Client.GetStringAsync("/");
        Assert.Equal((300, 200, 100), (one.Requests, two.Requests, three.Requests));
        Assert.Empty(edge.Registry.Outcomes); // Addresses are not the registry's.
    }

    [Fact]
    public async Task A_split_and_a_canary_send_requests_to_versions_of_one_service()
    {
        await using var old = await WebInstance.NamedAsync("old");
        await using var next = await WebInstance.NamedAsync("next");
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(old.Address, next.Address);
        edge.Registry.Describe("service", $"{old.Address}", "1");
        edge.Registry.Describe("service", $"{next.Address}", "2");
        edge.RouteAll(spec => spec with
        {
            Service = null,
            Split = new SplitSpec(
                [new SplitPart(90, "service", Version: "1"), new SplitPart(10, "service", Version: "2")]),
            Canary = [new CanarySpec("service", Version: "2", Headers: [new("X-Beta", Present: true)])],
        });
        for (var request = 0; request < 400; request++) await edge.Client.GetStringAsync("/");
        Assert.InRange(next.Requests, 15, 80);
        using var beta = new HttpRequestMessage(HttpMethod.Get, "/");
        beta.Headers.Add("X-Beta", "1");
        using var answer = await edge.Client.SendAsync(beta);
        Assert.Equal("next", await answer.Content.ReadAsStringAsync());
        Assert.All(edge.Registry.Outcomes, outcome => Assert.Equal("service", outcome.Instance.Service.Service));
    }

    [Fact]
    public async Task A_sticky_client_stays_and_gets_another_cookie_when_its_instance_dies()
    {
        await using var one = await WebInstance.NamedAsync("one");
        await using var two = await WebInstance.NamedAsync("two");
        await using var edge = await TestEdge.StartAsync();
        Put(edge, new UpstreamSpec(
            Addresses: [new($"{one.Address}"), new($"{two.Address}")], AllowLoopback: true,
            Sticky: new StickySpec("gw", 60, Path: "/")));
        using var first = await edge.Client.GetAsync("/");
        var home = await first.Content.ReadAsStringAsync();
        var cookie = Assert.Single(first.Headers.GetValues("Set-Cookie"));
        Assert.Contains("Max-Age=60", cookie, StringComparison.Ordinal);
        for (var request = 0; request < 20; request++)
        {
            using var again = await GetAsync();
            Assert.Equal(home, await again.Content.ReadAsStringAsync());
            Assert.False(again.Headers.Contains("Set-Cookie"));
        }

        await (home == "one" ? one : two).KillAsync();

        var other = home == "one" ? "two" : "one";
        using var after = await GetAsync();
        Assert.Equal(other, await after.Content.ReadAsStringAsync());
        cookie = Assert.Single(after.Headers.GetValues("Set-Cookie"));
        using var settled = await GetAsync();
        Assert.Equal(other, await settled.Content.ReadAsStringAsync());
        Assert.False(settled.Headers.Contains("Set-Cookie"));

        async Task<HttpResponseMessage> GetAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/");
            request.Headers.Add("Cookie", cookie[..cookie.IndexOf(';')]);
            return await edge.Client.SendAsync(request);
        }
    }

    [Fact]
    public async Task An_upstream_where_nobody_is_called_and_one_that_is_not_there_say_so()
    {
        await using var edge = await TestEdge.StartAsync();
        Put(edge, new UpstreamSpec(Addresses: [new("169.254.169.254:80")]));
        using var forbidden = await edge.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, forbidden.StatusCode);
        Assert.Contains("upstream_forbidden", await forbidden.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        edge.Snapshots.Delete(new ResourceKey(UpstreamKind.Name, "default", "up"));
        using var absent = await edge.Client.GetAsync("/");
        Assert.Contains("no_instance", await absent.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_is_called_at_its_addresses_and_told_under_which_name()
    {
        await using var instance = await WebInstance.StartAsync(
            context => context.Response.WriteAsync(context.Request.Host.Value ?? ""));
        await using var edge = await TestEdge.StartAsync();
        Put(edge, new UpstreamSpec(
            Dns: new UpstreamName("localhost", instance.Address.Port), AllowLoopback: true));
        var answer = "";
        await Eventually.TrueAsync(
            async () =>
            {
                using var got = await edge.Client.GetAsync("/");
                answer = await got.Content.ReadAsStringAsync();
                return got.IsSuccessStatusCode;
            },
            "the name is looked up");
        Assert.Equal($"localhost:{instance.Address.Port}", answer);
    }

    private static void Put(TestEdge edge, UpstreamSpec spec)
    {
        edge.Snapshots.Put(TestUpstreams.Resource("up", spec));
        edge.RouteAll(route => route with { Service = null, Upstream = "up" });
    }

    private static ImmutableDictionary<string, string> Map(string name, string value) =>
        ImmutableDictionary<string, string>.Empty.Add(name, value);
}
