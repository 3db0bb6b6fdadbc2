using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Tests.Gateway.Access;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Limits;

/// <summary>Limits of whom access has found out: the user, the key, the tenant; two requests each.</summary>
public sealed class CallerLimitTests
{
    private readonly ManualTimeProvider time = new(TimeProvider.System.GetUtcNow());

    [Theory]
    [InlineData("user", "alice", "acme", true)] // The same user, with another token.
    [InlineData("user", "bob", "acme", false)]
    [InlineData("tenant", "bob", "acme", true)]
    [InlineData("tenant", "alice", "other", false)]
    public async Task A_token_says_whose_limit_it_is(string by, string user, string tenant, bool same)
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await StartAsync(instance, by);
        edge.Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        var first = Token("alice", "acme", "1");
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, first));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, first));
        // What the client says itself makes him nobody else.
        using var claimed = await edge.SendAsync(
            first, ("Groundwork-User", "carol"), ("Groundwork-Tenant", "third"), ("Groundwork-Key", "key:x"));
        Assert.Equal(HttpStatusCode.TooManyRequests, claimed.StatusCode);
        Assert.Equal(
            same ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK, await AskAsync(edge, Token(user, tenant, "2")));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, first));
    }

    [Fact]
    public async Task Each_key_has_a_limit_of_its_own_and_those_without_one_are_refused_before()
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await StartAsync(instance, "key");
        var (orders, hash) = AccessKeys.Mint();
        var (stock, otherHash) = AccessKeys.Mint();
        edge.Put(SecurityKinds.AccessKey, "orders", new AccessKeySpec(hash, ["partner"]))
            .Put(SecurityKinds.AccessKey, "stock", new AccessKeySpec(otherHash, ["partner"]));
        foreach (var key in new[] { orders, stock })
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, key));
            Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, key));
            Assert.Equal(HttpStatusCode.TooManyRequests, await AskAsync(edge, key));
        }
        // A wrong one is no caller: it counts against nobody, and is told what it is.
        for (var round = 0; round < 4; round++)
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(edge, AccessKeys.Mint().Secret));
        Assert.Equal(4, instance.Requests);
    }

    [Fact]
    public async Task Who_is_denied_uses_up_nothing_of_another()
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await StartAsync(instance, "tenant", new CallerLists(Users: ["mallory"]));
        edge.Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        for (var round = 0; round < 5; round++)
            Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(edge, Token("mallory", "acme", "m")));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, Token("alice", "acme", "1")));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, Token("alice", "acme", "1")));
        Assert.Equal(HttpStatusCode.TooManyRequests, await AskAsync(edge, Token("alice", "acme", "1")));
    }

    private async Task<TestEdge> StartAsync(WebInstance instance, string by, CallerLists? deny = null)
    {
        var edge = await TestEdge.StartAsync(time: time);
        edge.RouteAll(spec => spec with
        {
            Access = by == "key"
                ? new AccessSpec(Deny: deny, AccessKey: new(["partner"]))
                : new AccessSpec(Deny: deny, Token: new(["main"])),
            Limits = [new LimitSpec("each", [by], new BucketSpec(2, 60))],
        }).Instances(instance.Address);
        return edge;
    }

    private string Token(string user, string tenant, string id) => TestTokens.Rs256(
        TestTokens.Claims(time.GetUtcNow()).With("sub", user).With("tenant", tenant).With("jti", id));

    private static async Task<HttpStatusCode> AskAsync(TestEdge edge, string token)
    {
        using var answer = await edge.SendAsync(token);
        return answer.StatusCode;
    }
}
