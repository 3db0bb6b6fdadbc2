using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.Eureka;

/// <summary>npm's eureka-js-client, as its author published it.</summary>
public sealed class EurekaClientTests(NpmClients npm, ITestOutputHelper output)
{
    private const string Registry = "/groundwork/v1/registry";

    private static readonly Grant All = new(["register", "renew", "discover"], ["instance"], ["default"]);

    [Theory]
    [InlineData("/eureka/v2/apps/")]
    [InlineData("/eureka/apps/")]
    public async Task Client_lives_its_whole_life(string servicePath)
    {
        await using var node = await RunningNode.StartAsync([new RegistryModule()]);
        var key = await node.MintAsync("orders", [], [All]);
        await using var client = await StartAsync(node, key, servicePath);
        await client.TellAsync("start");
        await client.NextAsync("registered");
        var started = await client.NextAsync("started");
        Assert.Equal(["h9"], Hosts(started, "vips", "orders"));
        Assert.Equal(["h9"], Hosts(started, "apps", "ORDERS"));
        var registered = Assert.Single((await ServiceAsync(node)).Instances);
        Assert.Equal(("h9", "127.0.0.1", 3000), (registered.Id, registered.Host, registered.Port));
        Assert.Equal("eureka, key:orders", registered.RegisteredBy);
        Assert.Equal("kept", registered.Extensions?["eureka"].GetProperty("fields").GetProperty("ours").GetString());

        // Whoever registers over another protocol is found by the same name.
        await PutAsync(node, new InstanceDocument("orders", "10.0.0.7", 8080) { Id = "other" });
        Assert.Equal(["10.0.0.7", "h9"], Hosts(await FetchAsync(client), "vips", "orders"));
        await PostAsync(node, "instances/default/orders/other/drain");
        Assert.Equal(["h9"], Hosts(await FetchAsync(client), "vips", "orders"));

        await client.TellAsync("renew");
        await client.NextAsync("heartbeat");
        using var removed = await node.Local.DeleteAsync($"{Registry}/instances/default/orders/h9");
        Assert.True(removed.IsSuccessStatusCode);
        Assert.Empty(Hosts(await FetchAsync(client), "vips", "orders"));
        await client.TellAsync("renew");
        await client.NextAsync("registered");
        Assert.Equal(["h9"], Hosts(await FetchAsync(client), "vips", "orders"));

        await client.TellAsync("stop");
        await client.NextAsync("deregistered");
        Assert.DoesNotContain((await ServiceAsync(node)).Instances, instance => instance.Id == "h9");
        await client.EndAsync();
    }

    [Fact]
    public async Task Differences_are_added_changed_and_deleted_in_the_client()
    {
        await using var node = await RunningNode.StartAsync([new RegistryModule()]);
        await using var client = await StartAsync(node, await node.MintAsync("orders", [], [All]), delta: true);
        await client.TellAsync("start");
        Assert.Equal(["h9"], Hosts(await client.NextAsync("started"), "vips", "orders"));
        await PutAsync(node, new InstanceDocument("stock", "10.0.0.7", 8080) { Id = "a" });
        await PutAsync(node, new InstanceDocument("stock", "10.0.0.8", 8080) { Id = "b" });
        Assert.Equal(["10.0.0.7", "10.0.0.8"], Hosts(await FetchAsync(client), "vips", "stock"));
        await PostAsync(node, "instances/default/stock/b/drain");
        var drained = (await FetchAsync(client)).GetProperty("vips").GetProperty("stock").EnumerateArray();
        Assert.Equal("OUT_OF_SERVICE", Assert.Single(drained, one => one.GetProperty("id").GetString() == "b")
            .GetProperty("status").GetString());
        using var removed = await node.Local.DeleteAsync($"{Registry}/instances/default/stock/b");
        Assert.Equal(["10.0.0.7"], Hosts(await FetchAsync(client), "vips", "stock"));
        await client.EndAsync();
    }

    [Fact]
    public async Task Client_without_a_credential_is_refused_unless_the_loopback_rule_grants_it()
    {
        await using var node = await RunningNode.StartAsync([new RegistryModule()]);
        await using (var stranger = await StartAsync(node, key: null))
        {
            await stranger.TellAsync("start");
            var refused = await stranger.NextAsync("started");
            Assert.Contains("401", refused.GetProperty("error").GetString(), StringComparison.Ordinal);
            await stranger.EndAsync();
        }
        var role = Kernel.Resources.Change.Put(
            SecurityKinds.Role, "", BuiltInRoles.AnonymousLoopback, new RoleSpec([All]));
        Assert.True((await node.Node.Changes!.CommitAsync( // There is a store.
            new Kernel.Resources.Changeset(Principal.System("test"), [role]), CancellationToken.None)).Succeeded);
        await using var local = await StartAsync(node, key: null);
        await local.TellAsync("start");
        Assert.Equal(["h9"], Hosts(await local.NextAsync("started"), "vips", "orders"));
        await local.EndAsync();
    }

    private async Task<NpmClient> StartAsync(
        RunningNode node, string? key, string servicePath = "/eureka/v2/apps/", bool delta = false)
    {
        var url = node.Node.Listeners.UrlOf(ListenerDefinition.Api);
        var client = npm.Run("eureka.mjs", url.Host, $"{url.Port}", JsonSerializer.Serialize(new
        {
            key,
            servicePath,
            delta,
            instance = new Dictionary<string, object>
            {
                ["app"] = "orders",
                ["hostName"] = "h9",
                ["ipAddr"] = "127.0.0.1",
                ["port"] = new Dictionary<string, object> { ["$"] = 3000, ["@enabled"] = true },
                ["vipAddress"] = "orders",
                ["dataCenterInfo"] = new Dictionary<string, object>
                {
                    ["@class"] = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", ["name"] = "MyOwn",
                },
                ["ours"] = "kept",
            },
        }));
        output.WriteLine($"eureka-js-client {(await client.NextAsync("version")).GetProperty("version")}");
        return client;
    }

    private static async Task<JsonElement> FetchAsync(NpmClient client)
    {
        await client.TellAsync("fetch");
        var fetched = await client.NextAsync("fetched");
        Assert.Equal(JsonValueKind.Null, fetched.GetProperty("error").ValueKind);
        return fetched;
    }

    private static string[] Hosts(JsonElement said, string cache, string name) =>
        said.GetProperty(cache).TryGetProperty(name, out var list)
            ? [.. list.EnumerateArray().Select(one => one.GetProperty("host").GetString() ?? "").Order()]
            : [];

    private static async Task<ServiceDocument> ServiceAsync(RunningNode node) =>
        (await node.Local.GetFromJsonAsync(
            $"{Registry}/services/default/orders", WireJson.Strict.ServiceDocument))!; // A success has a body.

    private static async Task PutAsync(RunningNode node, InstanceDocument document)
    {
        using var answer = await node.Local.PutAsJsonAsync(
            $"{Registry}/instances", document, WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task PostAsync(RunningNode node, string path)
    {
        using var answer = await node.Local.PostAsync($"{Registry}/{path}", content: null);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
