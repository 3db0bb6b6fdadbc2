using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>Keys that are fetched, from a real server.</summary>
public sealed class KeySetAddressTests
{
    [Fact]
    public async Task A_new_key_is_fetched_when_a_token_names_it_and_strangers_cannot_ask_for_it_again_and_again()
    {
        var set = TestTokens.KeySet(("one", TestTokens.Rsa));
        await using var keys = await WebInstance.StartAsync(context => context.Response.WriteAsync(set));
        await using var instance = await TokenTests.EchoAsync();
        var time = new ManualTimeProvider();
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.Instances(instance.Address).RouteWith(new(Token: new(["main"])))
            .Put(TokenIssuerKind.Kind, "main", Spec(keys));
        Assert.Equal(200, await StatusAsync("one"));
        Assert.Equal(1, keys.Requests);
        // The issuer has changed its key; a token with the new one is the first that says so.
        set = TestTokens.KeySet(("one", TestTokens.Rsa), ("two", TestTokens.OtherRsa));
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(200, await StatusAsync("two"));
        Assert.Equal(200, await StatusAsync("one"));
        Assert.Equal(2, keys.Requests);
        for (var count = 0; count < 20; count++) Assert.Equal(401, await StatusAsync($"invented-{count}"));
        Assert.Equal(2, keys.Requests);
        // A key that is taken out ends what it signed, at the next fetch.
        set = TestTokens.KeySet(("two", TestTokens.OtherRsa));
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(401, await StatusAsync("invented"));
        Assert.Equal(3, keys.Requests);
        Assert.Equal(401, await StatusAsync("one"));
        Assert.Equal(200, await StatusAsync("two"));

        async Task<int> StatusAsync(string kid)
        {
            var by = kid == "two" ? TestTokens.OtherRsa : TestTokens.Rsa;
            using var answer = await edge.SendAsync(TestTokens.Rs256(TestTokens.Claims(time.GetUtcNow()), kid, by));
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task Nobody_passes_while_the_keys_are_not_known_and_those_that_are_known_outlast_a_failure()
    {
        var (status, body) = (500, "");
        await using var keys = await WebInstance.StartAsync(context =>
        {
            context.Response.StatusCode = Volatile.Read(ref status);
            context.Response.Headers.Location = "http://127.0.0.1:1/";
            return context.Response.WriteAsync(body);
        });
        await using var instance = await TokenTests.EchoAsync();
        var time = new ManualTimeProvider();
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.Instances(instance.Address).RouteWith(new(Token: new(["main"])))
            .Put(TokenIssuerKind.Kind, "main", Spec(keys));
        Assert.Equal(503, await StatusAsync());
        body = TestTokens.KeySet(("rsa", TestTokens.Rsa));
        foreach (var bad in (int[])[500, 404, 302])
        {
            status = bad;
            time.Advance(TimeSpan.FromSeconds(11));
            Assert.Equal(503, await StatusAsync());
        }
        (status, body) = (200, new string(' ', 300_000) + body); // More than a key set has.
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(503, await StatusAsync());
        body = "<html>";
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(503, await StatusAsync());
        body = TestTokens.KeySet(("rsa", TestTokens.Rsa));
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(200, await StatusAsync());
        // The address goes away: who was believed still is.
        var before = keys.Requests;
        status = 500;
        time.Advance(TimeSpan.FromMinutes(6));
        await Eventually.TrueAsync(() => keys.Requests > before, "the keys are asked for again");
        Assert.Equal(200, await StatusAsync());

        async Task<int> StatusAsync()
        {
            using var answer = await edge.SendAsync(TestTokens.Rs256(TestTokens.Claims(time.GetUtcNow())));
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task The_gateways_own_listeners_are_never_asked_for_keys()
    {
        await using var edge = await TestEdge.StartAsync();
        edge.RouteWith(new(Token: new(["main"])));
        edge.Snapshots.Put(Routes.Resource("keys", new RouteSpec(
            new MatchSpec(["127.0.0.1"], "/keys"),
            Respond: new AnswerSpec(200, TestTokens.KeySet(("rsa", TestTokens.Rsa))))));
        edge.Put(TokenIssuerKind.Kind, "main", Spec(new Uri($"http://{edge.Address}/keys")));
        using var answer = await edge.SendAsync(TestTokens.Rs256());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }

    private static TokenIssuerSpec Spec(WebInstance keys) => Spec(new Uri($"http://{keys.Address}/keys"));

    private static TokenIssuerSpec Spec(Uri address) =>
        TestTokens.Spec with { Keys = null, KeySetAddress = address.ToString() };
}
