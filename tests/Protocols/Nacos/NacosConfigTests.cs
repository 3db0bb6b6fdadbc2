using System.Text;
using System.Text.Json;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.Nacos;

/// <summary>The configuration client of npm, unmodified: reads, follows, publishes and deletes.</summary>
public sealed class NacosConfigTests(NpmClients clients)
{
    [Fact]
    public async Task A_configuration_is_missing_published_changed_delivered_and_gone()
    {
        await using var node = await NacosNode.StartAsync();
        await using var client = clients.Run("nacos-config.mjs", node.Server, "", node.Credentials);
        await client.ReadyAsync();
        await client.CallAsync(new { call = "get", dataId = "shop.json" });
        Assert.Equal(JsonValueKind.Null, (await client.NextAsync("got")).GetProperty("content").ValueKind);

        await client.CallAsync(new { call = "publish", dataId = "shop.json", content = "{\"größe\": 1}" });
        await client.NextAsync("published");
        await client.CallAsync(new { call = "get", dataId = "shop.json" });
        Assert.Equal("{\"größe\": 1}", Text(await client.NextAsync("got"), "content"));
        using var ours = await node.Running.Local.GetAsync("/groundwork/v1/settings/default/default/shop.json");
        Assert.Equal("{\"größe\": 1}", await ours.Content.ReadAsStringAsync());

        await client.CallAsync(new { call = "subscribe", dataId = "shop.json" });
        Assert.Equal("{\"größe\": 1}", Text(await client.NextAsync("changed"), "content"));
        // Over our own API; the poll that waits is answered.
        using (var body = new ByteArrayContent(Encoding.UTF8.GetBytes("{\"größe\": 2}")))
        using (var put = await node.Running.Local.PutAsync("/groundwork/v1/settings/default/default/shop.json", body))
            Assert.True(put.IsSuccessStatusCode);
        Assert.Equal("{\"größe\": 2}", Text(await client.NextAsync("changed"), "content"));

        await client.CallAsync(new { call = "remove", dataId = "shop.json" });
        Assert.Null(Text(await client.NextAsync("changed"), "content"));
        // With nothing to hear it asks about every half minute, and not in a circle.
        await client.CallAsync(new { call = "calls" });
        Assert.InRange((await client.NextAsync("calls")).GetProperty("calls").GetInt32(), 1, 20);
        await client.EndAsync();
    }

    [Fact]
    public async Task A_client_that_is_refused_does_not_storm()
    {
        await using var node = await NacosNode.StartAsync();
        await using var client = clients.Run(
            "nacos-config.mjs", node.Server, "", "{\"username\":\"nobody\",\"password\":\"wrong\"}");
        await client.ReadyAsync();
        await client.CallAsync(new { call = "publish", dataId = "shop.json", content = "{}" });
        var refused = await client.NextAsync("refused");
        // For five seconds it repeats what fails; told at once, that would be some thousand times.
        Assert.InRange(refused.GetProperty("calls").GetInt32(), 1, 8);
    }

    [Fact]
    public async Task A_text_that_is_broken_is_refused_and_the_one_before_stays()
    {
        await using var node = await NacosNode.StartAsync();
        await using var client = clients.Run("nacos-config.mjs", node.Server, "", node.Credentials);
        await client.ReadyAsync();
        await client.CallAsync(new { call = "publish", dataId = "shop.json", content = "{\"a\": 1}" });
        await client.NextAsync("published");
        await client.CallAsync(new { call = "publish", dataId = "shop.json", content = "{\"a\": 1" });
        await client.NextAsync("refused");
        await client.CallAsync(new { call = "get", dataId = "shop.json" });
        Assert.Equal("{\"a\": 1}", Text(await client.NextAsync("got"), "content"));
    }

    private static string? Text(JsonElement happened, string member) => happened.GetProperty(member).GetString();
}
