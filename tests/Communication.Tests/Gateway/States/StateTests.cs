using System.Net;
using System.Net.Http.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.States;

/// <summary>What a real node tells of what its gateway holds back.</summary>
public sealed class StateTests : IAsyncLifetime
{
    private const string Secret = "s3cr3t-of-the-caller";

    private RunningNode node = null!; // Set before each test.
    private WebInstance instance = null!;
    private HttpClient outside = null!;

    public async ValueTask InitializeAsync()
    {
        instance = await WebInstance.StartAsync(async context =>
        {
            if (context.Request.Path == "/broken/a") context.Response.StatusCode = 500;
            if (context.Request.Path.StartsWithSegments("/kept", StringComparison.Ordinal))
                context.Response.Headers.CacheControl = "max-age=600";
            await context.Response.WriteAsync("hello");
        });
        var registry = new RegistryModule();
        node = await RunningNode.StartAsync([registry, new GatewayModule(() => registry.View, new GatewayOptions())]);
        outside = node.Client(listener: ListenerDefinition.Gateway);
        await PutAsync(UpstreamKind.Kind, "fragile", Upstream(new UpstreamResilience(
            Breaker: new BreakerSpec(MinimumCalls: 2, OpenSeconds: 600),
            Bulkhead: new BulkheadSpec(7, 3),
            Adaptive: new AdaptiveSpec(Initial: 5, Least: 2, Most: 9))));
        await PutAsync(UpstreamKind.Kind, "plain", Upstream(null));
        await PutAsync(RouteKind.Kind, "broken", Route("/broken/**", "fragile"));
        await PutAsync(RouteKind.Kind, "kept", Route("/kept/**", "plain") with { Cache = new CacheSpec() });
        await PutAsync(RouteKind.Kind, "limited", Route("/limited", "plain") with
        {
            Limits =
            [
                new LimitSpec(
                    "team", By: ["client", "header:X-Api-Key"], Window: new WindowSpec(2, 3_600)),
                new LimitSpec("all", Bucket: new BucketSpec(100, 3_600, 50)),
            ],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await instance.DisposeAsync();
    }

    [Fact]
    public async Task An_open_breaker_is_told_with_what_opened_it_and_when_it_tries()
    {
        var before = (await ReadAsync(node.Local, "?upstream=default/fragile")).Upstreams.Single();
        Assert.True(before is { Breaker: { State: "closed", Opened: 0, ErrorPercent: null, NextProbe: null } });
        await AskAsync("/broken/a", 4);

        var state = await ReadAsync(node.Local, "");
        var fragile = state.Upstreams[0]; // What there is to look at goes first.
        Assert.Equal(("upstream default/fragile", "upstream"), (fragile.Name, fragile.Kind));
        Assert.Equal(["default/broken"], fragile.Routes);
        var breaker = fragile.Breaker!;
        Assert.Equal(("open", 1, 2), (breaker.State, breaker.Opened, breaker.Refused));
        Assert.InRange(breaker.Since, state.At.AddMinutes(-2), state.At);
        Assert.InRange(breaker.NextProbe!.Value, state.At.AddSeconds(400), state.At.AddSeconds(600));
        Assert.Equal((2, 50, 3), (breaker.MinimumCalls, breaker.OpensAtErrorPercent, breaker.Probes));
        var places = fragile.Places!;
        Assert.Equal(("both", 5, 0, 3, 7), (
            places.Kind, places.Limit, places.UnderWay, places.MaxWaiting, places.MaxUnderWay));
        Assert.Equal((2, 9, false), (places.Least, places.Most, places.Measuring));
        var one = Assert.Single(fragile.Instances);
        Assert.Equal((instance.Address.ToString(), "in", 0), (one.Id, one.Standing, one.UnderWay));
        // Four were asked; with nothing else said a tenth of a second's worth and more is left.
        Assert.Equal((20, 10, 4, 0), (
            fragile.Budget.Percent, fragile.Budget.MinPerSecond, (int)fragile.Budget.Calls, (int)fragile.Budget.Taken));
        Assert.InRange(fragile.Budget.Left, 100, 101);

        var plain = state.Upstreams.Single(upstream => upstream.Name == "upstream default/plain");
        Assert.True(plain is { Breaker: null, Places: null, OutCount: 0 });
    }

    [Fact]
    public async Task An_instance_that_is_left_out_is_counted_and_named_first()
    {
        var dead = RawInstance.Refusing();
        await PutAsync(UpstreamKind.Kind, "half", new UpstreamSpec(
            Addresses: [new UpstreamAddress(instance.Address.ToString()), new UpstreamAddress(dead.ToString())],
            AllowLoopback: true,
            Ejection: new EjectionSpec(Failures: 1, FirstSeconds: 600, LongestSeconds: 600)));
        await PutAsync(RouteKind.Kind, "half", Route("/half", "half"));
        await AskAsync("/half", 8);

        var half = (await ReadAsync(node.Local, "?upstream=default/half")).Upstreams.Single();
        Assert.Equal((2, 1), (half.InstanceCount, half.OutCount));
        Assert.Equal((dead.ToString(), "out"), (half.Instances[0].Id, half.Instances[0].Standing));
        Assert.Equal("in", half.Instances[1].Standing);
    }

    [Fact]
    public async Task A_limit_is_told_with_its_hottest_callers_and_no_secret()
    {
        foreach (var key in new[] { Secret, Secret, Secret, "another" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/limited");
            request.Headers.Add("X-Api-Key", key);
            using var answer = await outside.SendAsync(request);
        }

        var text = await node.Local.GetStringAsync("/groundwork/v1/gateway/state");
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        var state = await ReadAsync(node.Local, "?route=default/limited");
        Assert.Equal(2, state.LimitCount);
        var team = state.Limits[0]; // The one that refused.
        Assert.Equal(
            ("default/limited", "route", "team", "window"), (team.Owner, team.OwnerKind, team.Name, team.Kind));
        Assert.Equal((2, 3, 1, true, 1), (team.Keys, team.Allowed, team.Refused, team.Shared, team.Parts));
        var hottest = team.Hottest[0];
        Assert.Equal((2, 1, 2, 0), (hottest.Allowed, hottest.Refused, hottest.Quota, hottest.Left));
        Assert.Equal((1, 0, 2, 1), (
            team.Hottest[1].Allowed, team.Hottest[1].Refused, team.Hottest[1].Quota, team.Hottest[1].Left));
        Assert.Equal(new GatewayLimitKeyPart("client", "127.0.0.1"), hottest.Key[0]);
        Assert.True(hottest.Key[1] is { By: "header:X-Api-Key", Value: null, Digest.Length: 12 });
        Assert.NotEqual(hottest.Key[1].Digest, team.Hottest[1].Key[1].Digest);
        var all = state.Limits[1];
        Assert.Equal(("bucket", 100, 3_600, 50), (all.Kind, all.Requests, all.Seconds, all.Burst));
        Assert.Empty(Assert.Single(all.Hottest).Key);
        // The refused one came no further than the first limit.
        Assert.Equal((3, 47), (all.Allowed, all.Hottest[0].Left));
        Assert.Empty((await ReadAsync(node.Local, "?hottest=0")).Limits[0].Hottest);
        Assert.Single((await ReadAsync(node.Local, "?limit=1")).Limits);
    }

    [Fact]
    public async Task What_is_kept_is_told_by_route_and_forgotten_with_a_purge()
    {
        await outside.GetStringAsync("/kept/1");
        await outside.GetStringAsync("/kept/1");
        await outside.GetStringAsync("/kept/2");

        var cache = (await ReadAsync(node.Local, "?upstream=default/plain")).Cache;
        var route = Assert.Single(cache.Routes);
        Assert.Equal(("default/kept", 1, 2, 2), (route.Route, route.Hits, route.Misses, route.Answers));
        Assert.Equal((cache.Bytes, 2), (route.AnswerBytes, cache.Answers));
        Assert.Equal(128L * 1024 * 1024, cache.MaxBytes);
        Assert.Empty((await ReadAsync(node.Local, "?upstream=default/fragile")).Cache.Routes);

        using var purged = await node.Local.PostAsJsonAsync(
            "/groundwork/v1/gateway/purges/default", new PurgeRequest(Path: "/kept/1"), WireJson.Strict.PurgeRequest);
        Assert.True(purged.IsSuccessStatusCode);
        Assert.Equal(1, (await ReadAsync(node.Local, "")).Cache.Routes.Single().Answers);
    }

    [Fact]
    public async Task Callers_are_told_what_they_may_see_and_nobody_without_a_credential_is()
    {
        using var none = await node.Client().GetAsync("/groundwork/v1/gateway/state");
        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
        using var wrong = await node.Local.GetAsync("/groundwork/v1/gateway/state?limit=0");
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);

        var some = await ReadAsync(
            node.Client(await node.MintAsync(
                "some", [], [new Grant(["read"], ["route"], Names: ["limited"])])), "");
        Assert.Null(some.Process);
        Assert.Empty(some.Upstreams);
        Assert.Empty(some.Cache.Routes);
        Assert.Equal(["default/limited", "default/limited"], some.Limits.Select(limit => limit.Owner));

        var all = await ReadAsync(node.Local, "");
        Assert.True(all.Process is { UnderWay: 0, MaxUnderWay: 20_000, Draining: false, Guard.Count: 3 });
        Assert.Equal([ListenerDefinition.Gateway], all.Process!.Listeners.Select(listener => listener.Name));
        Assert.All(all.Process.Guard, guard => Assert.False(guard.Refuses));
        Assert.Equal(2, all.Upstreams.Count);
    }

    [Fact]
    public async Task Figures_have_what_is_held_back_and_promtool_has_nothing_to_say_about_them()
    {
        var promtool = Tools.Require("promtool", "prometheus");
        await AskAsync("/broken/a", 4);
        await AskAsync("/limited", 3);
        await outside.GetStringAsync("/kept/1");
        await outside.GetStringAsync("/kept/1");

        using var client = node.Client(await node.MintAsync("scraper", [], [new Grant(["read"], ["metrics"])]));
        var text = await client.GetStringAsync("/metrics");
        Assert.Equal("", await Recording.ScrapeTests.CheckAsync(promtool, text));
        const string Fragile = "{upstream=\"upstream default/fragile\"}";
        const string Team = "{owner=\"route default/limited\",limit=\"team\"";
        foreach (var line in new[]
        {
            $"groundwork_gateway_breaker{Fragile} 1",
            $"groundwork_gateway_breaker_opened_total{Fragile} 1",
            $"groundwork_gateway_breaker_refused_total{Fragile} 2",
            $"groundwork_gateway_places_refused_total{Fragile} 0",
            $"groundwork_gateway_adaptive_limit{Fragile} 5",
            $"groundwork_gateway_upstream_places{Fragile} 5",
            $"groundwork_gateway_upstream_under_way{Fragile} 0",
            $"groundwork_gateway_retry_budget_refused_total{Fragile} 0",
            $"groundwork_gateway_limit_requests_total{Team},verdict=\"allowed\"}} 2",
            $"groundwork_gateway_limit_requests_total{Team},verdict=\"refused\"}} 1",
            $"groundwork_gateway_limit_callers{Team}}} 1",
            "groundwork_gateway_cache_requests_total{route=\"default/kept\",result=\"hit\"} 1",
            "groundwork_gateway_cache_requests_total{route=\"default/kept\",result=\"miss\"} 1",
            "groundwork_gateway_cache_answers 1",
            "groundwork_gateway_listener_connections{listener=\"gateway\"} 1",
            "groundwork_gateway_overloaded_total{importance=\"low\"} 0",
        }) Assert.Contains($"\n{line}\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "groundwork_gateway_breaker_opened_total{upstream=\"upstream default/plain\"}", text,
            StringComparison.Ordinal);
    }

    private async Task AskAsync(string path, int times)
    {
        for (var request = 0; request < times; request++)
        {
            using var answer = await outside.GetAsync(path);
        }
    }

    private static RouteSpec Route(string path, string upstream) => new(
        new MatchSpec(["127.0.0.1"], path), Upstream: upstream, Timeouts: new RouteTimeouts(20_000, 20_000));

    private UpstreamSpec Upstream(UpstreamResilience? resilience) => new(
        Addresses: [new UpstreamAddress(instance.Address.ToString())], AllowLoopback: true, Resilience: resilience);

    private static async Task<GatewayState> ReadAsync(HttpClient client, string query) =>
        (await client.GetFromJsonAsync($"/groundwork/v1/gateway/state{query}", WireJson.Lenient.GatewayState))!;

    private async Task PutAsync<TSpec>(Kind<TSpec> kind, string name, TSpec spec)
        where TSpec : class
    {
        var commit = await node.Node.Changes!.CommitAsync(
            new Changeset(Principal.System("test"), [Change.Put(kind, "default", name, spec)]), CancellationToken.None);
        Assert.True(commit.TryGet(out _, out var fault), fault?.ToString());
    }
}
