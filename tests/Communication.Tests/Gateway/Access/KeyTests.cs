using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>Access keys of the platform at the gateway, as a node that follows another knows them.</summary>
public sealed class KeyTests
{
    [Fact]
    public async Task A_key_with_a_role_of_the_route_passes_until_it_is_gone_or_expired()
    {
        var time = new ManualTimeProvider();
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await TestEdge.StartAsync(time: time);
        var (secret, hash) = AccessKeys.Mint();
        var (other, otherHash) = AccessKeys.Mint();
        edge.Instances(instance.Address).RouteWith(new(AccessKey: new(["partner", "friend"])))
            .Put(SecurityKinds.AccessKey, "shop/orders", new AccessKeySpec(hash, ["partner"]))
            .Put(SecurityKinds.AccessKey, "shop/reader", new AccessKeySpec(otherHash, ["reader"]));
        Assert.Equal((200, "user= key=key:shop/orders tenant="), await AskAsync(secret));
        Assert.Equal(403, (await AskAsync(other)).Status);
        Assert.Equal(401, (await AskAsync(AccessKeys.Mint().Secret)).Status);
        Assert.Equal(401, (await AskAsync("gw_short")).Status);
        Assert.Equal(401, (await AskAsync("not-of-ours")).Status);
        edge.RouteWith(new(Deny: new(Keys: ["key:shop/orders"]), AccessKey: new(["partner"])));
        Assert.Equal(403, (await AskAsync(secret)).Status);
        edge.RouteWith(new(AccessKey: new(["partner"])));
        edge.Put(
            SecurityKinds.AccessKey, "shop/orders",
            new AccessKeySpec(hash, ["partner"], ExpiresAt: time.GetUtcNow().AddMinutes(1)));
        Assert.Equal(200, (await AskAsync(secret)).Status);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(401, (await AskAsync(secret)).Status);
        edge.Put(SecurityKinds.AccessKey, "shop/orders", new AccessKeySpec(hash, ["partner"]));
        Assert.Equal(200, (await AskAsync(secret)).Status);
        edge.Snapshots.Delete(new(SecurityKinds.AccessKey.Name, "", "shop/orders"));
        Assert.Equal(401, (await AskAsync(secret)).Status);

        async Task<(int Status, string Body)> AskAsync(string key)
        {
            using var answer = await edge.SendAsync(key);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task A_key_in_a_field_of_its_own_passes_and_goes_no_further()
    {
        await using var instance = await WebInstance.StartAsync(context =>
            context.Response.Body.WriteAsync(
                System.Text.Encoding.ASCII.GetBytes($"[{context.Request.Headers["X-Api-Key"]}]")).AsTask());
        await using var edge = await TestEdge.StartAsync();
        var (secret, hash) = AccessKeys.Mint();
        edge.Instances(instance.Address).RouteWith(new(AccessKey: new(["partner"], "X-Api-Key")))
            .Put(SecurityKinds.AccessKey, "shop/orders", new AccessKeySpec(hash, ["partner"]));
        using var right = await edge.SendAsync(null, ("X-Api-Key", secret));
        Assert.Equal("[]", await right.Content.ReadAsStringAsync());
        using var elsewhere = await edge.SendAsync(secret);
        Assert.Equal((HttpStatusCode.Unauthorized, "credential_missing"),
            (elsewhere.StatusCode, await elsewhere.CodeAsync()));
    }

    [Fact]
    public async Task Of_two_sorts_any_suffices_or_all_are_wanted_and_a_wrong_one_never_does()
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        var (secret, hash) = AccessKeys.Mint();
        var both = new AccessSpec(Token: new(["main"]), AccessKey: new(["partner"], "X-Api-Key"));
        edge.Instances(instance.Address).RouteWith(both)
            .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec)
            .Put(SecurityKinds.AccessKey, "shop/orders", new AccessKeySpec(hash, ["partner"]));
        var token = TestTokens.Rs256();
        Assert.Equal("user=alice key= tenant=acme", await AskAsync(token, null));
        Assert.Equal("user= key=key:shop/orders tenant=", await AskAsync(null, secret));
        Assert.Equal("401", await AskAsync(null, null));
        Assert.Equal("401", await AskAsync(token + "x", secret));
        edge.RouteWith(both with { Require = "all" });
        Assert.Equal("user=alice key=key:shop/orders tenant=acme", await AskAsync(token, secret));
        Assert.Equal("401", await AskAsync(token, null));
        Assert.Equal("401", await AskAsync(null, secret));
        Assert.Equal("401", await AskAsync(token, AccessKeys.Mint().Secret));

        async Task<string> AskAsync(string? bearer, string? key)
        {
            using var answer = await edge.SendAsync(bearer, key is null ? [] : [("X-Api-Key", key)]);
            return answer.IsSuccessStatusCode
                ? await answer.Content.ReadAsStringAsync()
                : $"{(int)answer.StatusCode}";
        }
    }
}
