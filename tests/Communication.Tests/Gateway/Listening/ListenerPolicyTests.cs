using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Tests.Gateway.Access;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Listening;

/// <summary>What a listener says of access and limits holds for all its routes; a route can only tighten it.</summary>
public sealed class ListenerPolicyTests
{
    private static readonly AccessSpec WithToken = new(Token: new(["main"]));

    private readonly ManualTimeProvider time = new(TimeProvider.System.GetUtcNow());

    [Fact]
    public async Task Who_the_listener_denies_no_route_lets_in()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(instance, open: new(Allow: new CallerLists(Clients: ["127.0.0.0/8"])));
        Listen(edge, new(Access: new(Deny: new CallerLists(Clients: ["127.0.0.1"]))));
        Assert.Equal(403, await AskAsync(edge, "/open"));
        Assert.Equal(403, await AskAsync(edge, "/bare"));
        // Nor where no route is: it tells nobody which there are.
        Listen(edge, new(Access: new(Deny: new CallerLists(Clients: ["10.0.0.0/8"]))));
        Assert.Equal(200, await AskAsync(edge, "/open"));
        Assert.Equal(200, await AskAsync(edge, "/bare"));
        // And the route refuses whom the listener takes.
        Put(edge, "bare", new(Deny: new CallerLists(Clients: ["127.0.0.1"])));
        Assert.Equal(403, await AskAsync(edge, "/bare"));
        Assert.Equal(200, await AskAsync(edge, "/open"));
    }

    [Fact]
    public async Task A_credential_of_the_listener_is_asked_for_on_every_route()
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await StartAsync(instance);
        edge.Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        Assert.Equal(200, await AskAsync(edge, "/bare"));
        Listen(edge, new(Access: WithToken));
        Assert.Equal(401, await AskAsync(edge, "/bare"));
        Assert.Equal(401, await AskAsync(edge, "/open"));
        Assert.Equal(200, await AskAsync(edge, "/bare", Token("alice")));
        // The route wants more of it; less it cannot want.
        Put(edge, "bare", new(Token: new(["main"], Scopes: ["admin"])));
        Assert.Equal(403, await AskAsync(edge, "/bare", Token("alice")));
        Put(edge, "bare", new(Allow: new CallerLists(Clients: ["127.0.0.1"])));
        Assert.Equal(401, await AskAsync(edge, "/bare"));
    }

    [Fact]
    public async Task The_listeners_limit_counts_all_routes_together_and_a_routes_own_only_itself()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var edge = await StartAsync(instance);
        Listen(edge, new(Limits: [new LimitSpec("all", ["client"], new BucketSpec(5, 60))]));
        // The route's own is less, and holds for it alone; a larger one loosens nothing.
        Put(edge, "bare", null, new LimitSpec("own", ["client"], new BucketSpec(2, 60)));
        Put(edge, "open", null, new LimitSpec("own", ["client"], new BucketSpec(100, 60)));
        Assert.Equal([200, 200, 429], await AskAsync(edge, "/bare", times: 3));
        // What the route refuses has counted at the listener, which comes first.
        Assert.Equal([200, 200, 429, 429], await AskAsync(edge, "/open", times: 4));
        Assert.Equal(4, instance.Requests);
        // The twin: without the listener's the same requests pass.
        edge.Snapshots.Delete(new(GatewayListenerKind, "", "http"));
        Assert.Equal([200, 200, 200, 200], await AskAsync(edge, "/open", times: 4));
    }

    private const string GatewayListenerKind = Communication.Gateway.Listening.GatewayListenerKind.Name;

    private async Task<TestEdge> StartAsync(WebInstance instance, AccessSpec? open = null)
    {
        var edge = await TestEdge.StartAsync(time: time);
        Put(edge, "open", open);
        Put(edge, "bare", null);
        return edge.Instances(instance.Address);
    }

    private static void Put(TestEdge edge, string name, AccessSpec? access, params LimitSpec[] limits) =>
        edge.Snapshots.Put(Routes.Resource(name, new RouteSpec(
            new MatchSpec(["127.0.0.1"], $"/{name}"), "service", Timeouts: new RouteTimeouts(20_000, 20_000),
            Access: access, Limits: limits.Length == 0 ? null : limits)));

    private static void Listen(TestEdge edge, GatewayListenerSpec spec) =>
        edge.Snapshots.Put(ListenerTests.Listener("http", spec));

    private string Token(string user) => TestTokens.Rs256(TestTokens.Claims(time.GetUtcNow()).With("sub", user));

    private static async Task<List<int>> AskAsync(TestEdge edge, string path, int times)
    {
        var statuses = new List<int>();
        for (var count = 0; count < times; count++) statuses.Add(await AskAsync(edge, path));
        return statuses;
    }

    private static async Task<int> AskAsync(TestEdge edge, string path, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var answer = await edge.Client.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
