using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Npgsql;

namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>kill -9 of the node that probes: the other takes the lease when it has run out, and goes on.</summary>
[Collection(LoadedMachine.Name)]
public sealed class ProberHandOverTests(PostgresServer server)
{
    private const string Holds = "This node probes the registry's persistent instances now";

    [Fact]
    public async Task Kill_9_of_the_node_that_probes_hands_the_probes_to_the_other()
    {
        await using var instance = new StatusServer();
        await using var pair = await NodePair.StartAsync(server);
        using (var client = pair.A.Local())
        {
            await PutAsync(client, "registry/instances", new InstanceDocument(
                "orders", "127.0.0.1", instance.Port, Id: "x", Ephemeral: false));
            await PutAsync(client, "resources/service-policy/default/default/orders", new
            {
                spec = new { probe = new { type = "http", intervalSeconds = 1, timeoutMs = 900, unhealthyAfter = 2 } },
            });
        }
        await CheckAsync(pair.A, "passing");
        await CheckAsync(pair.B, "passing");
        var name = await HolderAsync(pair);
        var (holder, other) = name == "a" ? (pair.A, pair.B) : (pair.B, pair.A);
        await holder.PrintsAsync(Holds);

        holder.Signal(Signals.Kill);
        await holder.ExitAsync();
        var before = instance.Asked;
        instance.Status = 503;
        await CheckAsync(other, "critical");
        await other.PrintsAsync(Holds);
        Assert.NotEqual(name, await HolderAsync(pair));
        Assert.True(instance.Asked >= before + 2);
    }

    private static async Task<string?> HolderAsync(NodePair pair)
    {
        await using var source = NpgsqlDataSource.Create(pair.Database);
        await using var command = source.CreateCommand(
            "SELECT holder FROM cluster_leases WHERE name = 'registry/prober'");
        return (string?)await command.ExecuteScalarAsync();
    }

    private static async Task PutAsync<T>(HttpClient client, string path, T body)
    {
        using var answer = await client.PutAsJsonAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task CheckAsync(GroundworkProcess node, string state)
    {
        using var client = node.Local();
        await Eventually.PassesAsync(
            async () =>
            {
                var service = await client.GetFromJsonAsync(
                    "registry/services/default/orders", WireJson.Lenient.ServiceDocument);
                Assert.Equal(state, Assert.Single(service!.Instances).Checks?[0].State);
            },
            TimeSpan.FromMinutes(1));
    }
}
