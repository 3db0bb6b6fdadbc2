using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.KeyValue;

/// <summary>npm's etcd3 1.1.2 over gRPC: keys, transactions, leases, locks, watches that resume.</summary>
public sealed class EtcdTests(NpmClients clients) : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private string key = "";

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Keys_are_put_read_compared_and_deleted()
    {
        await using var node = await StartAsync();
        var seen = await RunAsync(node, "kv");
        Assert.Equal("1", seen.GetProperty("one").GetString());
        Assert.Equal(JsonValueKind.Null, seen.GetProperty("none").ValueKind);
        Assert.Equal("""{"app/a":"1","app/b":"2"}""", seen.GetProperty("all").ToString());
        Assert.Equal("""["app/b","app/a"]""", seen.GetProperty("sorted").ToString());
        Assert.Equal(2, seen.GetProperty("count").GetInt32());
        Assert.True(seen.GetProperty("done").GetBoolean());
        Assert.False(seen.GetProperty("not").GetBoolean());
        Assert.Equal("9", seen.GetProperty("otherwise").GetString());
        Assert.Equal("2", seen.GetProperty("deleted").GetString());
    }

    [Fact]
    public async Task Lease_takes_its_keys_with_it_and_the_watch_says_so()
    {
        await using var node = await StartAsync();
        var seen = await RunAsync(node, "lease");
        Assert.Equal("""["eph/a"]""", seen.GetProperty("keys").ToString());
        Assert.Equal("5", seen.GetProperty("granted").GetString());
        Assert.Equal("eph/a", seen.GetProperty("gone").GetString());
        Assert.Equal(JsonValueKind.Null, seen.GetProperty("left").ValueKind);
    }

    [Fact]
    public async Task Lock_has_one_holder_at_a_time()
    {
        await using var node = await StartAsync();
        var seen = await RunAsync(node, "lock");
        Assert.StartsWith("EtcdLockFailedError", seen.GetProperty("second").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_goes_on_after_a_restart_without_a_gap_or_a_repeat()
    {
        var port = FreePort.Next();
        var first = await StartAsync(port);
        await using var watch = Run(first, "watch");
        await watch.NextAsync("watching");
        using (var http = first.Client(key)) await PutAsync(http, "app/a", "1");
        Assert.Equal("1", (await watch.NextAsync("put")).GetProperty("value").GetString());
        await first.DisposeAsync();
        await watch.NextAsync("disconnected");
        // Nobody listens for gRPC while this is written: the watch must find it in the history.
        await using (var between = await StartAsync())
        {
            using var http = between.Client(key);
            await PutAsync(http, "app/a", "2");
            await PutAsync(http, "beside", "x");
            using var deleted = await http.DeleteAsync("/v1/kv/app/a");
        }
        await using var second = await StartAsync(port);
        Assert.Equal("2", (await watch.NextAsync("put")).GetProperty("value").GetString());
        Assert.Equal("app/a", (await watch.NextAsync("delete")).GetProperty("key").GetString());
        using (var http = second.Client(key)) await PutAsync(http, "app/b", "3");
        Assert.Equal("app/b", (await watch.NextAsync("put")).GetProperty("key").GetString());
        await watch.EndAsync();
    }

    [Fact]
    public async Task Wrong_password_and_a_key_without_the_right_are_refused_in_etcds_words()
    {
        await using var node = await StartAsync();
        var wrong = await RefusedAsync(node, AccessKeys.Mint().Secret);
        Assert.Contains("authentication failed", wrong, StringComparison.Ordinal);
        var reader = await node.MintAsync("reader", [], [new Grant(["read"], ["kv-key"], ["default"], ["app/*"])]);
        Assert.Contains("permission denied", await RefusedAsync(node, reader), StringComparison.Ordinal);
    }

    private async Task<RunningNode> StartAsync(int port = 0)
    {
        var node = await RunningNode.StartAsync(
            [new RegistryModule(), new KeyValueModule()],
            configuration => configuration with
            {
                Listeners = configuration.Listeners.SetItem(
                    ProtocolListeners.Etcd.Name,
                    new ListenerOptions { Address = ListenAddress.Parse($"127.0.0.1:{port}", "The test's address") }),
            },
            directory: directory.Combine("data"));
        if (key.Length == 0) key = await node.MintAsync("all", [BuiltInRoles.Administrator]);
        return node;
    }

    private NpmClient Run(RunningNode node, string part, string? password = null) => clients.Run(
        "etcd3.mjs", node.Node.Listeners.UrlOf(ProtocolListeners.Etcd.Name).ToString().TrimEnd('/'), "client",
        password ?? key, part);

    private async Task<JsonElement> RunAsync(RunningNode node, string part)
    {
        await using var client = Run(node, part);
        var seen = await client.NextAsync(part);
        await client.EndAsync();
        return seen;
    }

    private async Task<string> RefusedAsync(RunningNode node, string password)
    {
        await using var client = Run(node, "refused", password);
        var seen = await client.NextAsync("refused");
        await client.EndAsync();
        return seen.GetProperty("text").GetString() ?? "";
    }

    private static async Task PutAsync(HttpClient http, string path, string value)
    {
        using var answer = await http.PutAsync("/v1/kv/" + path, new StringContent(value));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
