using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.Consul;

/// <summary>npm's consul, as its author published it.</summary>
public sealed class ConsulClientTests(NpmClients npm, ITestOutputHelper output)
{
    private static readonly Grant All = new(["register", "renew", "discover"], ["instance"], ["default"]);

    [Fact]
    public async Task Client_lives_its_whole_life()
    {
        await using var node = await RunningNode.StartAsync([new RegistryModule()]);
        await using var client = await StartAsync(node, await node.MintAsync("orders", [], [All]));
        await WatchAsync(client, "health.service", new { service = "orders", passing = true, wait = "20s" });
        var first = await ChangeAsync(client);
        Assert.Empty(first.GetProperty("content").EnumerateArray());
        Assert.True(IndexOf(first) > 0);
        await CallAsync(client, "agent.service.register", new
        {
            name = "orders", id = "orders-1", address = "10.0.0.1", port = 8080, tags = new[] { "v1" },
            meta = new { version = "2" }, check = new { ttl = "30s", notes = "ours" },
        });
        var critical = await ChangeAsync(client); // The service has changed, and nothing of it passes yet.
        Assert.Empty(critical.GetProperty("content").EnumerateArray());
        await CallAsync(client, "agent.check.pass", new { id = "service:orders-1", note = "well" });
        var passing = await ChangeAsync(client, entries: 1);
        var entry = Assert.Single(passing.GetProperty("content").EnumerateArray());
        Assert.Equal(("orders-1", "orders", "10.0.0.1", 8080), (
            entry.GetProperty("Service").GetProperty("ID").GetString(),
            entry.GetProperty("Service").GetProperty("Service").GetString(),
            entry.GetProperty("Service").GetProperty("Address").GetString(),
            entry.GetProperty("Service").GetProperty("Port").GetInt32()));
        Assert.True(IndexOf(passing) > IndexOf(critical) && IndexOf(critical) > IndexOf(first));
        var ours = await node.Local.GetFromJsonAsync(
            "/groundwork/v1/registry/services/default/orders", WireJson.Strict.ServiceDocument);
        var instance = Assert.Single(ours!.Instances); // A success has a body.
        Assert.Equal(("consul, papi/1.1.2, key:orders", "2", false), (
            instance.RegisteredBy, instance.Version, instance.Ephemeral));

        var service = (await CallAsync(client, "agent.services")).GetProperty("orders-1");
        Assert.Equal("v1", service.GetProperty("Tags")[0].GetString());
        Assert.Equal("2", service.GetProperty("Meta").GetProperty("version").GetString());
        Assert.Equal("well", (await CallAsync(client, "agent.checks"))
            .GetProperty("service:orders-1").GetProperty("Output").GetString());
        Assert.Equal("v1", (await CallAsync(client, "catalog.services")).GetProperty("orders")[0].GetString());
        Assert.Equal("orders-1", (await CallAsync(client, "catalog.service.nodes", "orders"))[0]
            .GetProperty("ServiceID").GetString());
        Assert.Equal("passing", (await CallAsync(client, "health.checks", "orders"))[0].GetProperty("Status")
            .GetString());
        Assert.Equal("dc1", (await CallAsync(client, "catalog.datacenters"))[0].GetString());
        Assert.Equal("groundwork", (await CallAsync(client, "agent.self"))
            .GetProperty("Config").GetProperty("NodeName").GetString());
        Assert.Contains(":", (await CallAsync(client, "status.leader")).GetString(), StringComparison.Ordinal);

        await CallAsync(client, "agent.service.maintenance",
            new { id = "orders-1", enable = true, reason = "a new disk" });
        await ChangeAsync(client, entries: 0);
        Assert.Equal("a new disk", Assert.Single(
            (await CallAsync(client, "health.state", "critical")).EnumerateArray()).GetProperty("Notes").GetString());
        await CallAsync(client, "agent.service.maintenance", new { id = "orders-1", enable = false });
        await ChangeAsync(client, entries: 1);
        await CallAsync(client, "agent.check.fail", "service:orders-1");
        await ChangeAsync(client, entries: 0);
        await CallAsync(client, "agent.service.deregister", "orders-1");
        Assert.Empty((await CallAsync(client, "health.service", "orders")).EnumerateArray());
        await client.EndAsync();
    }

    [Fact]
    public async Task Watch_wakes_for_its_own_service_and_goes_on_over_a_restart()
    {
        using var directory = new TemporaryDirectory();
        var port = FreePort.Next();
        var node = await StartAtAsync(directory, port);
        var key = await node.MintAsync("orders", [], [All]);
        await using var client = await StartAsync(node, key);
        await WatchAsync(client, "catalog.service.nodes", new { service = "orders", wait = "20s" });
        var before = IndexOf(await ChangeAsync(client));
        for (var other = 0; other < 20; other++)
            await CallAsync(client, "agent.service.register", new { name = $"other{other}", port = 80 });
        await CallAsync(client, "agent.service.register",
            new { name = "orders", id = "a", port = 80, address = "10.0.0.1" });
        var registered = await ChangeAsync(client, entries: 1);
        Assert.True(IndexOf(registered) > before);
        await node.DisposeAsync();
        await using var again = await StartAtAsync(directory, port);
        // Nothing that was registered is lost, and no index goes back: the watch would begin anew with 0 and say it
        // twice.
        var after = await ChangeAsync(client, entries: 1);
        Assert.True(IndexOf(after) > IndexOf(registered), $"{IndexOf(after)} is not above {IndexOf(registered)}");
        await CallAsync(client, "agent.service.deregister", "a");
        await ChangeAsync(client, entries: 0);
        await client.EndAsync();
    }

    [Fact]
    public async Task Looks_over_http_and_tcp_decide_and_never_at_ourselves()
    {
        await using var node = await RunningNode.StartAsync([new RegistryModule()]);
        await using var site = new StatusServer();
        await using var client = await StartAsync(node, await node.MintAsync("orders", [], [All]));
        var own = node.Node.Listeners.UrlOf(ListenerDefinition.Api);
        async Task RegisterAsync(string name, object check) => await CallAsync(client, "agent.service.register", new
        {
            name, port = site.Port, address = "127.0.0.1", check,
        });
        await RegisterAsync("web", new { http = $"http://127.0.0.1:{site.Port}/health", interval = "1s" });
        await RegisterAsync("plain", new { tcp = $"127.0.0.1:{site.Port}", interval = "1s" });
        await RegisterAsync("sly", new { http = $"{own}groundwork/v1/registry/instances", interval = "1s" });
        await RegisterAsync("slyer", new { tcp = $"localhost:{own.Port}", interval = "1s" });
        await RegisterAsync("cloud", new { http = "http://169.254.169.254/latest/meta-data", interval = "1s" });
        await StateAsync(client, "web", "passing");
        await StateAsync(client, "plain", "passing");
        foreach (var forbidden in new[] { "sly", "slyer", "cloud" })
            Assert.Contains("it is not probed", await StateAsync(client, forbidden, "critical"),
                StringComparison.Ordinal);
        site.Status = 429;
        await StateAsync(client, "web", "warning");
        site.Status = 500;
        Assert.Contains("500", await StateAsync(client, "web", "critical"), StringComparison.Ordinal);
        await client.EndAsync();
    }

    [Fact]
    public async Task Faults_are_in_words_that_the_client_shows()
    {
        await using var node = await RunningNode.StartAsync([new RegistryModule()]);
        await using (var stranger = await StartAsync(node, ""))
            Assert.StartsWith("Permission denied", await RefusedAsync(stranger, "catalog.services"),
                StringComparison.Ordinal);
        await using (var forger = await StartAsync(node, AccessKeys.Mint().Secret))
            Assert.Equal("ACL not found", await RefusedAsync(forger, "catalog.services"));
        await using var client = await StartAsync(node, await node.MintAsync("orders", [], [All]));
        Assert.Equal("No path to datacenter", await RefusedAsync(client, "catalog.services", new { dc = "dc2" }));
        // Longer words the client does not show.
        Assert.Equal(404, await StatusAsync(client, "agent.check.pass", "service:none"));
        Assert.Equal(404, await StatusAsync(client, "agent.service.deregister", "none"));
        Assert.Contains("not supported", await RefusedAsync(client, "agent.service.register", new
        {
            name = "x", port = 80, check = new { args = new[] { "rm" }, interval = "1s" },
        }), StringComparison.Ordinal);
        await WatchAsync(client, "catalog.service.list", new { dc = "dc2" });
        await client.NextAsync("watchEnded"); // For good, as the client does after 400.
        await client.EndAsync();
    }

    private async Task<NpmClient> StartAsync(RunningNode node, string token)
    {
        var url = node.Node.Listeners.UrlOf(ListenerDefinition.Api);
        var client = npm.Run("consul.mjs", url.Host, $"{url.Port}", token);
        output.WriteLine($"consul {(await client.NextAsync("version")).GetProperty("version")}");
        return client;
    }

    private static Task<RunningNode> StartAtAsync(TemporaryDirectory directory, int port) => RunningNode.StartAsync(
        [new RegistryModule()],
        configuration => configuration with
        {
            Listeners = configuration.Listeners.SetItem(
                ListenerDefinition.Api,
                new ListenerOptions { Address = ListenAddress.Parse($"127.0.0.1:{port}", "The test's address") }),
        },
        directory.Combine("data"));

    private static async Task<JsonElement> CallAsync(NpmClient client, string call, params object[] args)
    {
        await client.TellAsync(JsonSerializer.Serialize(new { call, args }));
        while (true)
        {
            var done = await client.NextAsync("done");
            if (done.GetProperty("call").GetString() != call) continue;
            Assert.False(done.TryGetProperty("error", out var error), $"{call}: {error}");
            return done.GetProperty("result");
        }
    }

    private static async Task<int> StatusAsync(NpmClient client, string call, params object[] args)
    {
        await client.TellAsync(JsonSerializer.Serialize(new { call, args }));
        return (await client.NextAsync("done")).GetProperty("status").GetInt32();
    }

    private static async Task<string> RefusedAsync(NpmClient client, string call, params object[] args)
    {
        await client.TellAsync(JsonSerializer.Serialize(new { call, args }));
        return (await client.NextAsync("done")).GetProperty("error").GetString() ?? "";
    }

    /// <summary>The next change of the watch, or the next with so many entries. No index may go back.</summary>
    private static async Task<JsonElement> ChangeAsync(NpmClient client, int? entries = null)
    {
        for (var last = 0L; ;)
        {
            await client.TellAsync("{\"next\": true}");
            var changed = await client.NextAsync("changed");
            Assert.True(IndexOf(changed) >= last, $"{IndexOf(changed)} after {last}");
            last = IndexOf(changed);
            if (entries is null || changed.GetProperty("content").GetArrayLength() == entries) return changed;
        }
    }

    private static Task WatchAsync(NpmClient client, string method, object options) =>
        client.TellAsync(JsonSerializer.Serialize(new { watch = method, args = new[] { options } }));

    /// <summary>Waits until the only check of a service is in that state, and returns its output.</summary>
    private static async Task<string> StateAsync(NpmClient client, string service, string state)
    {
        var check = await Eventually.ValueAsync(
            async () => (await CallAsync(client, "health.checks", service))[0],
            check => check.GetProperty("Status").GetString() == state && check.GetProperty("Output").GetString() != "",
            $"{service} is {state}");
        return check.GetProperty("Output").GetString() ?? "";
    }

    private static long IndexOf(JsonElement changed) =>
        long.Parse(changed.GetProperty("index").GetString() ?? "", CultureInfo.InvariantCulture);
}
