using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.KeyValue;

/// <summary>Two whole nodes over one database, asked over Consul's protocol.</summary>
public sealed class KeyValueNodesTests(PostgresServer server) : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Query_that_waits_on_one_node_is_answered_by_a_write_on_the_other_and_both_say_one_index()
    {
        var connection = await server.CreateDatabaseAsync();
        await using var a = await StartAsync("a", connection);
        await using var b = await StartAsync("b", connection);
        await PutAsync(a, "shared/k", "1");
        var (value, index) = await GetAsync(b, "shared/k?raw");
        Assert.Equal("1", value);
        for (var round = 2; round < 12; round++)
        {
            var parked = GetAsync(b, $"shared/k?raw&wait=60s&index={index}");
            await PutAsync(a, "shared/beside", $"{round}");
            await PutAsync(a, "shared/k", $"{round}");
            var (next, at) = await parked;
            Assert.Equal($"{round}", next);
            Assert.True(at > index, $"{at} after {index}");
            Assert.Equal(at, (await GetAsync(a, "shared/k?raw")).Index);
            index = at;
        }
    }

    [Fact]
    public async Task Compare_and_set_on_two_nodes_at_once_has_one_winner()
    {
        var connection = await server.CreateDatabaseAsync();
        await using var a = await StartAsync("a", connection);
        await using var b = await StartAsync("b", connection);
        await PutAsync(a, "counter", "0");
        for (var round = 0; round < LongRun.Count(20, 500); round++)
        {
            var (_, index) = await GetAsync(b, "counter?raw");
            // What is there already would be no change, and leave the index to the other.
            var answers = await Task.WhenAll(
                PutAsync(a, $"counter?cas={index}", $"a{round}"), PutAsync(b, $"counter?cas={index}", $"b{round}"));
            Assert.Single(answers, "true");
            Assert.Single(answers, "false");
        }
    }

    private Task<RunningNode> StartAsync(string name, string connection) => RunningNode.StartAsync(
        [new RegistryModule(), new KeyValueModule()],
        configuration => configuration with
        {
            NodeName = name,
            Database = new DatabaseOptions(connection),
            RootKeyFile = directory.Combine("root.key"),
        },
        directory.Combine(name));

    private static async Task<string> PutAsync(RunningNode node, string key, string value)
    {
        using var answer = await node.Local.PutAsync("/v1/kv/" + key, new StringContent(value));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<(string Value, long Index)> GetAsync(RunningNode node, string key)
    {
        using var answer = await node.Local.GetAsync("/v1/kv/" + key);
        return (
            await answer.Content.ReadAsStringAsync(),
            long.Parse(answer.Headers.GetValues("X-Consul-Index").Single(), CultureInfo.InvariantCulture));
    }
}
