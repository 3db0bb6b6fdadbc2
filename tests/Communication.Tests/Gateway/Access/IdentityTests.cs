using System.Net;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Access.Callers;
using Groundwork.Communication.Gateway.Access.Tokens;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>What services are told about callers, signed.</summary>
public sealed class IdentityTests
{
    [Fact]
    public async Task A_service_gets_a_token_that_the_public_key_verifies_and_that_lives_a_minute()
    {
        var time = new ManualTimeProvider();
        await using var instance = await WebInstance.StartAsync(context =>
            context.Response.WriteAsync($"{context.Request.Headers["Groundwork-Identity"]}"));
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.Instances(instance.Address)
            .RouteWith(new(Token: new(["main"]), Identity: new("orders", ["realm_access.roles", "iss", "email"])))
            .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        var token = TestTokens.Rs256(TestTokens.Claims(time.GetUtcNow()));
        var first = await AskAsync();
        using (var read = Verify(first, edge.Module.IdentityKeySet))
        {
            var claims = read.Claims.RootElement;
            Assert.Equal(
                ("""{"iss":"groundwork-gateway","aud":"orders","iat":NOW,"exp":END,"sub":"alice","tenant":"acme","""
                    + "\"scope\":\"read write\",\"realm_access.roles\":[\"clerk\",\"buyer\"]}")
                    .Replace("NOW", $"{time.GetUtcNow().ToUnixTimeSeconds()}", StringComparison.Ordinal)
                    .Replace("END", $"{time.GetUtcNow().ToUnixTimeSeconds() + 60}", StringComparison.Ordinal),
                claims.GetRawText());
        }
        // One for all his requests, until it is old.
        time.Advance(TimeSpan.FromSeconds(39));
        Assert.Equal(first, await AskAsync());
        time.Advance(TimeSpan.FromSeconds(2));
        var second = await AskAsync();
        Assert.NotEqual(first, second);
        Verify(second, edge.Module.IdentityKeySet).Dispose();
        // Another store's gateway has another key.
        Assert.Throws<Xunit.Sdk.TrueException>(() => Verify(second, new IdentitySigner("another"u8).KeySet));

        async Task<string> AskAsync()
        {
            using var answer = await edge.SendAsync(token, ("Groundwork-Identity", "forged"));
            return await answer.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task It_never_outlives_the_token_that_it_was_made_from()
    {
        var time = new ManualTimeProvider();
        await using var instance = await WebInstance.StartAsync(context =>
            context.Response.WriteAsync($"{context.Request.Headers["Groundwork-Identity"]}"));
        await using var edge = await TestEdge.StartAsync(time: time);
        edge.Instances(instance.Address).RouteWith(new(Token: new(["main"])))
            .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec with { ClockSkewSeconds = 0 });
        var end = time.GetUtcNow().ToUnixTimeSeconds() + 5;
        using var answer = await edge.SendAsync(
            TestTokens.Rs256(TestTokens.Claims(time.GetUtcNow()).With("exp", end)));
        using var read = Verify(await answer.Content.ReadAsStringAsync(), edge.Module.IdentityKeySet);
        Assert.Equal(end, read.Claims.RootElement.GetProperty("exp").GetInt64());
    }

    [Fact]
    public async Task A_second_gateway_believes_it_where_its_route_says_so()
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var inner = await TestEdge.StartAsync();
        await using var outer = await TestEdge.StartAsync();
        inner.Instances(instance.Address)
            .RouteWith(new(Token: new(["outer"], Header: "Groundwork-Identity")))
            .Put(TokenIssuerKind.Kind, "outer", new TokenIssuerSpec(
                IdentitySigner.Issuer, ["services"], ["ES256"], KeySet: outer.Module.IdentityKeySet));
        outer.Instances(inner.Address).RouteWith(new(Token: new(["main"])))
            .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        using var answer = await outer.SendAsync(TestTokens.Rs256());
        Assert.Equal("user=alice key= tenant=acme", await answer.Content.ReadAsStringAsync());
        using var past = await inner.SendAsync(null, ("Groundwork-Identity", TestTokens.Es256()));
        Assert.Equal(HttpStatusCode.Unauthorized, past.StatusCode);
    }

    [Fact]
    public async Task A_name_that_no_field_can_carry_is_escaped()
    {
        await using var instance = await TokenTests.EchoAsync();
        await using var edge = await TestEdge.StartAsync();
        edge.Instances(instance.Address).RouteWith(new(Token: new(["main"]), Identity: new(Signed: false)))
            .Put(TokenIssuerKind.Kind, "main", TestTokens.Spec);
        using var answer = await edge.SendAsync(TestTokens.Rs256(
            TestTokens.Claims().With("sub", "Zoë, 100%\r\nGroundwork-Tenant: all").With("tenant", null)));
        Assert.Equal(
            "user=Zo%C3%AB%2C%20100%25%0D%0AGroundwork-Tenant:%20all key= tenant=",
            await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public void The_key_is_the_same_wherever_the_store_is_the_same()
    {
        Assert.Equal(new IdentitySigner("seed"u8).KeyId, new IdentitySigner("seed"u8).KeyId);
        Assert.NotEqual(new IdentitySigner("seed"u8).KeyId, new IdentitySigner("seed2"u8).KeyId);
        using var set = JsonDocument.Parse(new IdentitySigner("seed"u8).KeySet);
        Assert.False(set.RootElement.GetProperty("keys")[0].TryGetProperty("d", out _));
    }

    private static ReadToken Verify(string token, string keySet)
    {
        var bytes = Encoding.ASCII.GetBytes(token);
        var algorithm = TokenAlgorithm.Find("ES256")!; // It exists.
        var key = Assert.Single(KeySetText.Read(Encoding.UTF8.GetBytes(keySet), [algorithm]).Keys);
        Assert.True(TokenText.TryRead(bytes, out var read), token);
        Assert.True(key.Verifies(algorithm, bytes.AsSpan(0, read.SignedBytes), read.Signature), token);
        Assert.Equal(key.Id, read.KeyId);
        return read;
    }
}
