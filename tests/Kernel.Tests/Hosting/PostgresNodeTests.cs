using System.Net;
using System.Net.Http.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class PostgresNodeTests(PostgresServer server)
{
    [Fact]
    public async Task Two_nodes_share_a_store_and_see_each_other()
    {
        var database = new DatabaseOptions(await server.CreateDatabaseAsync());
        using var directory = new TemporaryDirectory();
        ProcessConfiguration Shared(ProcessConfiguration configuration, string name) => configuration with
        {
            Database = database,
            NodeName = name,
            RootKeyFile = directory.Combine("root.key"),
        };
        await using var one = await RunningNode.StartAsync(configure: configuration => Shared(configuration, "one"));
        await using var two = await RunningNode.StartAsync(configure: configuration => Shared(configuration, "two"));

        Assert.NotNull(one.Host.FirstPassword);
        Assert.Null(two.Host.FirstPassword);
        using var put = await one.Local.PutAsJsonAsync(
            "/groundwork/v1/resources/namespace/_/shop", new { spec = new { } });
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        var revision = Assert.Single(put.Headers.GetValues(HeaderNames.Revision));
        using var get = await two.Local.GetAsync($"/groundwork/v1/resources/namespace/_/shop?atLeast={revision}");
        Assert.Equal(HttpStatusCode.OK, get.StatusCode);

        await Eventually.TrueAsync(
            async () =>
            {
                var nodes = await one.Local.GetFromJsonAsync("/groundwork/v1/nodes", WireJson.Strict.NodeList);
                return nodes?.Items.Count(node => node.State == "live" && node.ApiAddress.Length > 0) == 2;
            },
            "both nodes are live and say where their API is");
    }
}
