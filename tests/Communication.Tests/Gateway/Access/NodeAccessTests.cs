using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>Access at whole nodes: secrets in a real store, a restart, and two nodes over one database.</summary>
public sealed class NodeAccessTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    [Fact]
    public async Task Secrets_and_the_signing_key_outlast_a_restart_and_never_leave_the_store_in_clear()
    {
        using var directory = new TemporaryDirectory();
        await using var instance = await TokenTests.EchoAsync();
        string keys;
        await using (var node = await StartAsync(instance, directory.Combine("data")))
        {
            await CommitAsync(node);
            Assert.Equal("user=alice key= tenant=acme", await AskAsync(node));
            keys = await node.Client().GetStringAsync("/groundwork/v1/gateway/identity-keys");
            Assert.DoesNotContain("\"d\"", keys, StringComparison.Ordinal);
            foreach (var path in (string[])["token-issuer/default/main", "signing-key/default/partner"])
            {
                var shown = await node.Local.GetStringAsync($"/groundwork/v1/resources/{path}");
                Assert.Contains("sha256:", shown, StringComparison.Ordinal);
                Assert.DoesNotContain(TestTokens.Secret, shown, StringComparison.Ordinal);
            }
        }
        await using var again = await StartAsync(instance, directory.Combine("data"));
        Assert.Equal("user=alice key= tenant=acme", await AskAsync(again));
        Assert.Equal(keys, await again.Client().GetStringAsync("/groundwork/v1/gateway/identity-keys"));
        var key = await again.MintAsync("shop/orders", ["reader"]);
        Assert.Equal("user= key=key:shop/orders tenant=", await AskAsync(again, key));
    }

    [Fact]
    public async Task A_change_on_one_node_is_in_force_on_the_other_and_both_sign_alike()
    {
        var database = new DatabaseOptions(await server.CreateDatabaseAsync());
        using var directory = new TemporaryDirectory();
        await using var instance = await TokenTests.EchoAsync();
        ProcessConfiguration Shared(ProcessConfiguration configuration, string name) => configuration with
        {
            Database = database,
            NodeName = name,
            RootKeyFile = directory.Combine("root.key"),
        };
        await using var one = await StartAsync(instance, null, configuration => Shared(configuration, "one"));
        await using var two = await StartAsync(instance, null, configuration => Shared(configuration, "two"));
        await CommitAsync(one);
        await Eventually.TrueAsync(
            async () => await AskAsync(two) == "user=alice key= tenant=acme", "the other node opens the secret");
        Assert.Equal(
            await one.Client().GetStringAsync("/groundwork/v1/gateway/identity-keys"),
            await two.Client().GetStringAsync("/groundwork/v1/gateway/identity-keys"));
        var begun = TimeProvider.System.GetTimestamp();
        await CommitAsync(one, new AccessListSpec(Users: ["alice"]));
        Assert.Equal("403", await AskAsync(one));
        await Eventually.TrueAsync(async () => await AskAsync(two) == "403", "the other node denies too");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"in force on the other node {TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds:F0} ms later");
        // Who did it stands in the history of the list.
        var history = await two.Local.GetStringAsync("/groundwork/v1/history/access-list/default/blocked");
        Assert.Contains("system:test", history, StringComparison.Ordinal);
    }

    private static async Task<RunningNode> StartAsync(
        WebInstance instance, string? directory, Func<ProcessConfiguration, ProcessConfiguration>? configure = null)
    {
        var services = new HeldServices();
        services.Set("service", (instance.Address.Address.ToString(), instance.Address.Port, 100));
        return await RunningNode.StartAsync(
            [new GatewayModule(() => services, new GatewayOptions()), new RegistryModule(new RegistryOptions())],
            configure, directory);
    }

    private static async Task CommitAsync(RunningNode node, AccessListSpec? blocked = null)
    {
        var route = new RouteSpec(
            new MatchSpec(["127.0.0.1"], "/**"), "service",
            Access: new(
                Deny: new(Lists: ["blocked"]), Token: new(["main"]), AccessKey: new(["reader"]), Signature: new()));
        var committed = await node.Node.Changes!.CommitAsync( // It is no follower.
            new Changeset(
                Principal.System("test"),
                [
                    Change.Put(AccessListKind.Kind, "default", "blocked", blocked ?? new AccessListSpec()),
                    Change.Put(TokenIssuerKind.Kind, "default", "main", TestTokens.WithSecret),
                    Change.Put(
                        SigningKeyKind.Kind, "default", "partner",
                        new SigningKeySpec(SecretText.Of(TestTokens.Secret))),
                    Change.Put(RouteKind.Kind, "default", "orders", route),
                ]),
            CancellationToken.None);
        Assert.True(committed.Succeeded, $"{committed.Fault}");
    }

    private static async Task<string> AskAsync(RunningNode node, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", key ?? TestTokens.Hs256(Encoding.UTF8.GetBytes(TestTokens.Secret)));
        using var answer = await node.Client(listener: ListenerDefinition.Gateway).SendAsync(request);
        return answer.StatusCode == HttpStatusCode.OK
            ? await answer.Content.ReadAsStringAsync()
            : $"{(int)answer.StatusCode}";
    }
}
