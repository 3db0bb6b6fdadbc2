using System.Net.Http.Json;
using Groundwork.Kernel.Security;
using Groundwork.Tests.EndToEnd.Cluster;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Settings;

/// <summary>The row "one node is down" of "When things fail", with two nodes over one real PostgreSQL.</summary>
public sealed class TwoNodesDownTests(PostgresServer server)
{
    private const string Client = "r-1";

    [Fact]
    public async Task Client_of_a_node_that_is_killed_goes_on_at_the_other_and_back()
    {
        using var directory = new TemporaryDirectory();
        await using var nodes = await NodePair.StartAsync(server);
        using (var local = nodes.A.Local())
        {
            using var answer = await local.PostAsJsonAsync(
                "access-keys", new AccessKeyRequest("readers", [BuiltInRoles.Administrator]));
            var key = await answer.Content.ReadFromJsonAsync<AccessKeyAnswer>();
            directory.Write("key", key!.Secret); // A failure has no key, and the test ends here.
        }
        await PublishAsync(nodes.A, "1");
        await using var reader = await ReaderProcess.StartAsync(
            new Dictionary<string, string>
            {
                ["GROUNDWORK_ADDRESS"] = $"{nodes.A.Address("api")},{nodes.B.Address("api")}",
                ["GROUNDWORK_ACCESS_KEY_FILE"] = directory.Combine("key"),
            },
            Client);
        await reader.HasAsync(Client, "1");

        nodes.A.Signal(Signals.Kill);
        await nodes.A.ExitAsync();
        var revision = await PublishAsync(nodes.B, "2");
        await reader.HasAsync(Client, "2");
        await Eventually.TrueAsync(
            async () => await AppliedAsync(nodes.B, revision) == 1, "the other node has the receipt");

        await nodes.StartAsync("a");
        var back = await PublishAsync(nodes.A, "3");
        await reader.HasAsync(Client, "3");
        await Eventually.TrueAsync(
            async () => await AppliedAsync(nodes.A, back) == 1, "the node that is back knows it, too");
    }

    private static async Task<long> PublishAsync(GroundworkProcess node, string percent)
    {
        using var local = node.Local();
        using var answer = await local.PutAsJsonAsync(
            "resources/setting/default/reader/front",
            new { spec = new { format = "json", content = $$$"""{"Front":{"Percent":{{{percent}}}}}""" } });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync(WireJson.Lenient.ChangesetAnswer))!.Revision; // As asserted.
    }

    private static async Task<int> AppliedAsync(GroundworkProcess node, long revision)
    {
        using var local = node.Local();
        var receipts = await local.GetFromJsonAsync(
            $"receipts/default/reader/front?revision={revision}", WireJson.Lenient.SettingReceipts);
        return receipts!.Applied; // A failure threw.
    }
}
