using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Tests.Gateway.Drafting;

/// <summary>What a draft would do, by the API of a real node, and that nothing of it is done.</summary>
public sealed class DraftApiTests : IAsyncLifetime
{
    private RunningNode node = null!; // Set before each test.
    private HttpClient outside = null!;

    public async ValueTask InitializeAsync()
    {
        var registry = new RegistryModule();
        node = await RunningNode.StartAsync(
            [registry, new GatewayModule(() => registry.View, new GatewayOptions())]);
        outside = node.Client(listener: ListenerDefinition.Gateway);
        await PutAsync(Change.Put(RouteKind.Kind, "default", "orders", Orders));
        await PutAsync(Change.Put(
            RouteKind.Kind, "default", "open", Answers("/open") with { Request = new RequestChange(
                Headers: new FieldChange(Set: new Dictionary<string, string> { ["X-Set"] = "yes" })) }));
    }

    private static RouteSpec Orders { get; } = new(
        new MatchSpec(["127.0.0.1"], "/orders/{id}"), Upstream: "old");

    public ValueTask DisposeAsync() => node.DisposeAsync();

    [Fact]
    public async Task A_typed_request_tells_its_route_and_why_others_do_not_take_it()
    {
        var told = (await TryAsync("/open")).InForce;
        Assert.Equal(("default/open", null, "200"), (told.Route, told.Code, told.Answer));
        Assert.Equal(
            [("open", "taken"), ("orders", "path")], told.Routes.Select(route => (route.Name, route.Verdict)));
        Assert.Equal(["request: X-Set is written"], told.Changes);
        Assert.Empty(told.Targets);
        Assert.Null((await TryAsync("/open")).Drafted);

        Assert.Equal("route_not_found", (await TryAsync("/nowhere")).InForce.Code);
        Assert.Equal("host_unknown", (await TryAsync("/open", host: "other.example")).InForce.Code);
        Assert.Equal("method_not_allowed", (await TryAsync("/open", method: "TRACE")).InForce.Code);
    }

    [Fact]
    public async Task A_draft_is_tried_and_not_made()
    {
        var beta = Orders with
        {
            Match = Orders.Match with { Headers = [new FieldMatch("X-Beta", Values: ["yes"])] }, Upstream = null,
            Split = new SplitSpec([new SplitPart(3, "catalog", Version: "1"), new SplitPart(1, "catalog")]),
        };
        var draft = Draft(("route", "beta", beta));
        var with = await TryAsync("/orders/7", draft, headers: [new GatewayRequestField("X-Beta", "yes")]);
        Assert.Equal(("default/orders", "default/beta"), (with.InForce.Route, with.Drafted?.Route));
        Assert.Equal(
            [("default/catalog (version 1)", 75.0), ("default/catalog", 25.0)],
            with.Drafted!.Targets.Select(target => (target.Target, target.Percent)));
        Assert.Equal("after", with.Drafted.Routes.Single(route => route.Name == "orders").Verdict);

        var without = await TryAsync("/orders/7", draft);
        Assert.Equal("default/orders", without.Drafted?.Route);
        Assert.Contains(
            "header x-beta = yes", without.Drafted!.Routes.Single(route => route.Name == "beta").Text,
            StringComparison.Ordinal);

        // A draft that takes a route away, and nothing of it is there afterwards.
        var gone = await TryAsync(
            "/open", [new ChangeDocument("delete", new ResourceDocument("route", "open", "default"))]);
        Assert.Equal(("default/open", "route_not_found"), (gone.InForce.Route, gone.Drafted?.Code));
        Assert.Equal("hello", await outside.GetStringAsync("/open"));
        Assert.Null(node.Node.Snapshots.Current.Find("route", "default", "beta"));
    }

    [Fact]
    public async Task Instances_are_told_with_their_shares_and_those_of_a_draft_too()
    {
        await PutAsync(Change.Put(UpstreamKind.Kind, "default", "old", new UpstreamSpec(
            Addresses:
            [
                new UpstreamAddress("127.0.0.2:81", 300), new UpstreamAddress("127.0.0.3:81"),
                new UpstreamAddress("127.0.0.4:81", Tier: 1),
            ],
            AllowLoopback: true)));
        var draft = Draft(("upstream", "old", new UpstreamSpec(
            Addresses: [new UpstreamAddress("127.0.0.9:81")], AllowLoopback: true,
            Choose: new ChoiceSpec("round-robin"))));
        var told = await Eventually.ValueAsync(
            () => TryAsync("/orders/7", draft), one => one.InForce.Targets is [{ Instances.Count: 3 }], "it is in force");

        var target = Assert.Single(told.InForce.Targets);
        Assert.Equal("two-choices", target.Policy);
        Assert.Equal(
            [("127.0.0.2:81", 75.0, "called"), ("127.0.0.3:81", 25.0, "called"), ("127.0.0.4:81", 0.0, "standby")],
            target.Instances.Select(one => (one.Id, one.Percent, one.State)));
        var drafted = Assert.Single(told.Drafted!.Targets);
        Assert.Equal(("round-robin", "127.0.0.9:81", 100.0), (
            drafted.Policy, drafted.Instances.Single().Id, drafted.Instances.Single().Percent));

        // Who is called by a hash is always the same one, and all of it.
        var hashed = Draft(("upstream", "old", new UpstreamSpec(
            Addresses: [new UpstreamAddress("127.0.0.2:81"), new UpstreamAddress("127.0.0.3:81")],
            AllowLoopback: true, Choose: new ChoiceSpec("hash", "path:id"))));
        var one = (await TryAsync("/orders/7", hashed)).Drafted!.Targets[0].Instances.Single(it => it.Percent > 0);
        Assert.Equal(100, one.Percent);
        Assert.Equal(
            one.Id, (await TryAsync("/orders/7", hashed)).Drafted!.Targets[0].Instances.Single(it => it.Percent > 0).Id);

        var listed = (await node.Local.GetFromJsonAsync(
            "/groundwork/v1/gateway/upstreams", WireJson.Lenient.GatewayUpstreamList))!;
        var upstream = Assert.Single(listed.Upstreams);
        Assert.Equal(("old", "addresses", "default/orders", 3), (
            upstream.Name, upstream.Source, Assert.Single(upstream.Routes), upstream.Instances.Count));
    }

    [Fact]
    public async Task What_is_wrong_with_a_draft_or_a_request_is_said_with_its_place()
    {
        Assert.Contains(
            "draft[0].spec.match.path",
            await FaultAsync("dry-run", Draft(("route", "bad", Answers("nowhere")))), StringComparison.Ordinal);
        Assert.Contains(
            "is taken by the route default/open",
            await FaultAsync("dry-run", Draft(("route", "twin", Answers("/open")))), StringComparison.Ordinal);
        Assert.Contains(
            "A draft has route", await FaultAsync("dry-run", Draft(("setting", "a", Answers("/a")))),
            StringComparison.Ordinal);
        Assert.Contains("1 to 100", await FaultAsync("replay", []), StringComparison.Ordinal);
        Assert.Contains("path", await FaultAsync("dry-run", null, "/a b"), StringComparison.Ordinal);
        Assert.Contains("path", await FaultAsync("dry-run", null, "/%zz"), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Remembered_requests_are_tried_with_a_draft_and_none_is_sent()
    {
        for (var index = 0; index < 3; index++) Assert.Equal("hello", await outside.GetStringAsync($"/open?{index}"));
        using (await outside.GetAsync("/nowhere")) { }
        var draft = Draft(("route", "open", Answers("/elsewhere")), ("route", "all", Answers("/**")));
        var told = await Eventually.ValueAsync(
            () => ReplayAsync(node.Local, draft), one => one.Heads == 4, "all are over");

        Assert.Equal((4, 0), (told.Moved, told.Unread));
        Assert.Equal(
            [(3, "default/open", "default/all"), (1, null, "default/all")],
            told.Moves.Select(move => (move.Count, move.From.Route, move.To.Route)));
        Assert.Equal("route_not_found", told.Moves[1].From.Targets);
        Assert.Equal("/nowhere", told.Requests[0].Request.Path);
        // Nothing has come of it: no request more is remembered, and the route answers.
        Assert.Equal(4, (await ReplayAsync(node.Local, draft)).Heads);
        Assert.Equal("hello", await outside.GetStringAsync("/open"));

        // A draft that says what is said already moves nobody.
        var same = await ReplayAsync(node.Local, Draft(("route", "other", Answers("/other"))));
        Assert.Equal((0, 0), (same.Moved, same.Moves.Count));
    }

    [Fact]
    public async Task Who_may_not_read_a_route_hears_nothing_of_it()
    {
        await outside.GetStringAsync("/open");
        var draft = Draft(("route", "all", Answers("/**")));
        var some = node.Client(await node.MintAsync("some", [], [new Grant(["read"], ["route"], Names: ["orders"])]));
        var none = node.Client(await node.MintAsync("none", [], [new Grant(["read"], ["setting"])]));
        var body = new DryRunRequest(new DryRunHead("127.0.0.1", "/open"), draft);
        using var refused = await some.PostAsJsonAsync(
            "/groundwork/v1/gateway/dry-run", body, WireJson.Strict.DryRunRequest);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var replay = await none.PostAsJsonAsync(
            "/groundwork/v1/gateway/replay", new ReplayRequest(draft), WireJson.Strict.ReplayRequest);
        Assert.Equal(HttpStatusCode.Forbidden, replay.StatusCode);
        using var listeners = await some.GetAsync("/groundwork/v1/gateway/listeners");
        Assert.Equal(HttpStatusCode.Forbidden, listeners.StatusCode);
        var upstreams = await some.GetFromJsonAsync(
            "/groundwork/v1/gateway/upstreams", WireJson.Lenient.GatewayUpstreamList);
        Assert.Empty(upstreams!.Upstreams);

        var told = await TryAsync("/open", client: some);
        Assert.Null(told.InForce.Route);
        Assert.DoesNotContain(told.InForce.Routes, route => route.Name == "open");
        Assert.DoesNotContain("default/open", told.InForce.Summary, StringComparison.Ordinal);
        var mine = Draft(("route", "orders", Answers("/open") with { Priority = 5 }));
        Assert.Equal(0, (await ReplayAsync(some, mine)).Heads);
    }

    [Fact]
    public async Task Listeners_are_told_as_they_are_and_as_drafted()
    {
        var listed = (await node.Local.GetFromJsonAsync(
            "/groundwork/v1/gateway/listeners", WireJson.Lenient.GatewayListenerList))!;
        var (http, https) = (listed.Listeners[0], listed.Listeners[1]);
        Assert.Equal(("http", false, 2), (http.Name, http.Configured, http.Routes));
        Assert.Single(http.Addresses);
        Assert.Empty(https.Addresses);

        ChangeDocument[] draft =
        [
            new("put", new ResourceDocument("gateway-listener", "http", "", Spec: JsonSerializer.SerializeToElement(
                new { redirectToHttps = true }))),
        ];
        var told = await TryAsync("/open", draft);
        Assert.Equal(("default/open", "redirect"), (told.InForce.Route, told.Drafted?.Answer));
        Assert.Equal("default/open", (await TryAsync("/open", draft, secure: true)).Drafted?.Route);
    }

    private static RouteSpec Answers(string path) =>
        new(new MatchSpec(["127.0.0.1"], path), Respond: new AnswerSpec(200, "hello"));

    private static ChangeDocument[] Draft(params (string Kind, string Name, object Spec)[] changes) =>
    [
        .. changes.Select(change => new ChangeDocument("put", new ResourceDocument(
            change.Kind, change.Name, "default", Spec: change.Spec switch
            {
                RouteSpec route => JsonSerializer.SerializeToElement(route, RouteKind.Kind.SpecTypeInfo),
                var spec => JsonSerializer.SerializeToElement(spec, UpstreamKind.Kind.SpecTypeInfo),
            }))),
    ];

    private async Task<DryRunAnswer> TryAsync(
        string path, IReadOnlyList<ChangeDocument>? draft = null, string host = "127.0.0.1", string method = "GET",
        IReadOnlyList<GatewayRequestField>? headers = null, bool secure = false, HttpClient? client = null)
    {
        using var answer = await (client ?? node.Local).PostAsJsonAsync(
            "/groundwork/v1/gateway/dry-run",
            new DryRunRequest(new DryRunHead(host, path, method, headers, Secure: secure), draft),
            WireJson.Strict.DryRunRequest);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync(WireJson.Lenient.DryRunAnswer))!;
    }

    private static async Task<ReplayAnswer> ReplayAsync(HttpClient client, IReadOnlyList<ChangeDocument> draft)
    {
        using var answer = await client.PostAsJsonAsync(
            "/groundwork/v1/gateway/replay", new ReplayRequest(draft), WireJson.Strict.ReplayRequest);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync(WireJson.Lenient.ReplayAnswer))!;
    }

    private async Task<string> FaultAsync(string call, IReadOnlyList<ChangeDocument>? draft, string path = "/")
    {
        var text = call == "replay"
            ? JsonSerializer.Serialize(new ReplayRequest(draft!), WireJson.Strict.ReplayRequest)
            : JsonSerializer.Serialize(
                new DryRunRequest(new DryRunHead("127.0.0.1", path), draft), WireJson.Strict.DryRunRequest);
        using var content = new StringContent(text, System.Text.Encoding.UTF8, "application/json");
        using var answer = await node.Local.PostAsync($"/groundwork/v1/gateway/{call}", content);
        Assert.InRange((int)answer.StatusCode, 400, 422);
        return await answer.Content.ReadAsStringAsync();
    }

    private async Task PutAsync(Change change)
    {
        var commit = await node.Node.Changes!.CommitAsync(
            new Changeset(Principal.System("test"), [change]), CancellationToken.None);
        Assert.True(commit.Succeeded, commit.Fault?.ToString());
    }
}
