using System.Text.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.Nacos;

/// <summary>The naming client of npm, unmodified, through the whole life of an instance.</summary>
public sealed class NacosNamingTests(NpmClients clients)
{
    /// <summary>Below the ten seconds after which a client that is pushed to looks by itself.</summary>
    private static readonly TimeSpan Pushed = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task An_instance_is_registered_found_and_told_of_until_it_leaves()
    {
        await using var node = await NacosNode.StartAsync();
        await using var client = clients.Run("nacos-naming.mjs", node.Server, "public", node.Credentials);
        await client.ReadyAsync();
        await client.CallAsync(new
        {
            call = "register", service = "orders",
            instance = new
            {
                ip = "10.0.0.7", port = 8080, weight = 2.5, clusterName = "DEFAULT",
                metadata = new { version = "1.4" },
            },
        });
        await client.NextAsync("did-register");

        var ours = Assert.Single((await node.ServiceAsync("orders")).Instances);
        Assert.Equal("10.0.0.7:8080", ours.Id);
        Assert.Equal(250, ours.Weight);
        Assert.Equal("1.4", ours.Metadata?["version"]);
        Assert.StartsWith("nacos, Nacos-Java-Client:v1.0.0, key:", ours.RegisteredBy, StringComparison.Ordinal);

        await client.CallAsync(new { call = "subscribe", service = "orders" });
        var first = Assert.Single(Hosts(await client.NextAsync("hosts")));
        Assert.Equal(2.5, first.GetProperty("weight").GetDouble());
        Assert.True(first.GetProperty("healthy").GetBoolean());

        // Over another protocol, and told of by a datagram: its next look is seconds away.
        await Task.WhenAll(
            node.RegisterAsync(new InstanceDocument("orders", "10.0.0.8", 8080) { LeaseSeconds = 60 }),
            SeenAsync(client, hosts => hosts.Length == 2));

        await client.CallAsync(new { call = "deregister", service = "orders", instance = At("10.0.0.7") });
        await SeenAsync(client, hosts => hosts is [var left] && Ip(left) == "10.0.0.8");

        // The last one: an empty list would not reach this client.
        await client.CallAsync(new { call = "deregister", service = "orders", instance = At("10.0.0.8") });
        await SeenAsync(client, hosts => hosts is [var gone] && !gone.GetProperty("healthy").GetBoolean());
        Assert.Empty((await node.ServiceAsync("orders")).Instances);
        await client.CallAsync(new { call = "select", service = "orders" });
        Assert.Empty(Hosts(await client.NextAsync("select")));
        await client.EndAsync();
    }

    [Fact]
    public async Task A_beat_brings_an_instance_back_after_a_restart_that_has_lost_it()
    {
        var port = FreePort.Next();
        NpmClient client;
        await using (var before = await NacosNode.StartAsync(port))
        {
            client = clients.Run("nacos-naming.mjs", before.Server, "public", "{}");
            await AllowAnonymousAsync(before);
            await client.ReadyAsync();
            await client.CallAsync(new
            {
                call = "register", service = "orders",
                instance = new { ip = "10.0.0.7", port = 8080, weight = 3, clusterName = "blue",
                    metadata = new { zone = "eu" } },
            });
            await client.NextAsync("did-register");
        }
        await using var beating = client;
        await using var after = await NacosNode.StartAsync(port); // Upon an empty directory.
        await AllowAnonymousAsync(after);
        await Eventually.TrueAsync(
            async () => await FindAsync(after) is not null, "the instance is registered again");
        var back = await FindAsync(after);
        Assert.Equal(("blue", 300, "eu"), (back!.Cluster, back.Weight, back.Metadata?["zone"]));
    }

    private static async Task<InstanceDocument?> FindAsync(NacosNode node) =>
        (await node.ServiceAsync("orders")).Instances.SingleOrDefault();

    private static Task AllowAnonymousAsync(NacosNode node) => Anonymous.AllowAsync(node.Running);

    private static object At(string ip) => new { ip, port = 8080 };

    private static string? Ip(JsonElement host) => host.GetProperty("ip").GetString();

    private static JsonElement[] Hosts(JsonElement happened) => [.. happened.GetProperty("hosts").EnumerateArray()];

    /// <summary>The subscriber hears of such a list within the time that only a push can keep.</summary>
    private static async Task SeenAsync(NpmClient client, Func<JsonElement[], bool> wanted)
    {
        var seen = Task.Run(async () =>
        {
            while (!wanted(Hosts(await client.NextAsync("hosts"))))
            {
                // An earlier state, told of again.
            }
        });
        await seen.WaitAsync(Pushed, TimeProvider.System);
    }
}
