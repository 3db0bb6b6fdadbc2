using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Releases;
using Groundwork.Tests.Protocols.Spring;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.Apollo;

/// <summary>npm's ctrip-apollo, as published, against a node. It carries no credential, so the role of callers of this
/// machine is there.</summary>
public sealed class ApolloClientTests(NpmClients clients)
{
    [Fact]
    public async Task The_client_reads_a_namespace_and_is_told_of_each_change()
    {
        await using var node = await StartAsync();
        await SpringClientTests.PublishAsync(node, "orders/application.properties", "a=1\nb=2\n");
        await using var client = Run(node, "application");
        Assert.Equal("4.5.1", (await client.NextAsync("version")).GetProperty("version").GetString());
        var ready = await client.NextAsync("ready");
        Assert.Equal("""{"a":"1","b":"2"}""", ready.GetProperty("config").GetRawText());
        // Its first answer only tells it a number, and what changes before that it sees with the next change. So the
        // next change is made until it has seen one.
        var number = 2;
        var seen = client.NextAsync("updated");
        while (!seen.IsCompleted)
        {
            await SpringClientTests.PublishAsync(node, "orders/application.properties", $"a={number++}\nc=3\n");
            await Task.WhenAny(seen, Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System));
        }
        var updated = await seen;
        var now = updated.GetProperty("newConfig");
        Assert.Equal("3", now.GetProperty("c").GetString());
        Assert.False(now.TryGetProperty("b", out _));
        // From here on every change reaches it.
        await SpringClientTests.PublishAsync(node, "orders/application.properties", "a=last\n");
        while (updated.GetProperty("newConfig").GetProperty("a").GetString() != "last")
            updated = await client.NextAsync("updated");
        await client.EndAsync();
    }

    [Fact]
    public async Task The_client_gets_the_gray_release_of_its_address_and_the_text_of_all_when_it_ends()
    {
        await using var node = await StartAsync();
        await SpringClientTests.PublishAsync(node, "orders/application.properties", "a=all\n");
        await SpringClientTests.CommitAsync(node, Change.Put(
            GrayReleaseKind.Kind, "default", "g", new GrayReleaseSpec(
                "orders/application.properties", "a=gray", new(Instances: ["orders/10.0.0.7"]), "properties")));
        await using var chosen = Run(node, "application", new { ip = "10.0.0.7" });
        await using var other = Run(node, "application", new { ip = "10.0.0.8" });
        Assert.Equal("gray", (await chosen.NextAsync("ready")).GetProperty("config").GetProperty("a").GetString());
        Assert.Equal("all", (await other.NextAsync("ready")).GetProperty("config").GetProperty("a").GetString());
        await SpringClientTests.CommitAsync(
            node, Change.Delete(new ResourceKey(GrayReleaseKind.Name, "default", "g")));
        await chosen.TellAsync("fetch");
        Assert.Equal("all", (await chosen.NextAsync("fetched")).GetProperty("config").GetProperty("a").GetString());
        await chosen.EndAsync();
        await other.EndAsync();
    }

    [Fact]
    public async Task A_namespace_that_is_not_there_is_an_error_to_the_client_and_no_storm()
    {
        await using var node = await StartAsync();
        await using var client = Run(node, "nothing");
        Assert.Contains(
            "404", (await client.NextAsync("refused")).GetProperty("message").GetString(), StringComparison.Ordinal);
        await client.EndAsync();
    }

    [Fact]
    public async Task A_client_of_a_namespace_of_JSON_reads_its_content_and_asks_no_faster_than_it_is_let()
    {
        await using var node = await StartAsync();
        await SpringClientTests.PublishAsync(node, "orders/cfg.json", """{"a":1}""");
        await using var counter = await CountingProxy.StartAsync(node.Node.Listeners.UrlOf(ListenerDefinition.Api));
        await using var client = Run(node, "cfg", type: "JSON", address: counter.Address);
        var config = (await client.NextAsync("ready")).GetProperty("config");
        Assert.Equal("""{"a":1}""", config.GetProperty("content").GetString());
        await Eventually.TrueAsync(() => counter.Requests >= 4, "it goes on asking");
        var (before, started) = (counter.Requests, TimeProvider.System.GetTimestamp());
        await Eventually.TrueAsync(() => counter.Requests >= before + 3, "it still does");
        var perSecond = 3 / TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        Assert.True(perSecond < 5, $"{perSecond:0.0} requests in a second");
    }

    private NpmClient Run(
        RunningNode node, string name, object? more = null, string type = "PROPERTIES", Uri? address = null)
    {
        var host = new Uri(address ?? node.Node.Listeners.UrlOf(ListenerDefinition.Api), "apollo").ToString();
        var options = JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        options["host"] = host;
        options["appId"] = "orders";
        return clients.Run("apollo.mjs", options.ToJsonString(), name, type);
    }

    private static async Task<RunningNode> StartAsync()
    {
        var node = await RunningNode.StartAsync([new SettingsModule()]);
        await SpringClientTests.CommitAsync(node, Change.Put(
            SecurityKinds.Role, "", BuiltInRoles.AnonymousLoopback,
            new RoleSpec([new Grant(["read"], [SettingKind.Name], ["default"])])));
        return node;
    }
}
