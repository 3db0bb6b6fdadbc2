using Groundwork.Load.Peers;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Acknowledged writes of 500 bytes over the network, one connection a worker, beside etcd: both sync before they
/// answer, keep history and tell watchers. Ours is authenticated, authorised, validated and audited besides.
/// </summary>
internal sealed class HttpChangesScenario : Scenario
{
    private const int ValueBytes = 500;

    /// <summary>Keys that the writers change in turn, as in <see cref="ChangesScenario"/>.</summary>
    private const int Keys = 10_000;

    private static readonly string Text = new('x', ValueBytes - 24);

    public override string Name => "http-changes";

    public override string Question => "How many acknowledged changes a second over the network, beside etcd?";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("Groundwork, SQLite, a resource", options => StartNodeAsync(options, Resource)),
        new("Groundwork, SQLite, a setting", options => StartNodeAsync(options, Setting)),
        .. PostgresDatabase.Server is null
            ? Array.Empty<Contender>()
            : [new("Groundwork, PostgreSQL, a resource", StartOnPostgresAsync)],
        new("Groundwork, SQLite, a resource, HttpClient", StartNodeOrdinarilyAsync),
        new("etcd, HttpClient", StartEtcdOrdinarilyAsync),
        new("etcd", StartEtcdAsync),
    ];

    private static async Task<Running> StartOnPostgresAsync(LoadOptions options)
    {
        var database = await PostgresDatabase.CreateAsync();
        var running = await StartNodeAsync(options, Resource, database.ConnectionString);
        return running with
        {
            StopAsync = async () =>
            {
                await running.StopAsync();
                await database.DisposeAsync();
            },
        };
    }

    private static async Task<Running> StartNodeAsync(
        LoadOptions options, Func<GroundworkNode, int, byte[]> request, string? database = null)
    {
        var node = await GroundworkNode.StartAsync(database);
        return await Running.OverConnectionsAsync(
            options,
            node.ConnectAsync,
            (connection, number) => connection.SendAsync(request(node, number)),
            node.Process,
            node);
    }

    private static async Task<Running> StartEtcdAsync(LoadOptions options)
    {
        var etcd = await EtcdServer.StartAsync();
        return await Running.OverConnectionsAsync(
            options,
            etcd.ConnectAsync,
            (connection, number) => connection.CallAsync(
                EtcdServer.Put($"/load/r{number % Keys}", $"{number} {Text}")),
            etcd.Process,
            etcd);
    }

    private static async Task<Running> StartNodeOrdinarilyAsync(LoadOptions options)
    {
        var node = await GroundworkNode.StartAsync();
        var resources = new Uri($"http://127.0.0.1:{node.Port}/groundwork/v1/resources/namespace/_/");
        return await Running.OverConnectionsAsync(
            options,
            () => Task.FromResult(new OrdinaryClient()),
            (client, number) => new ValueTask(client.PutAsync(
                new Uri(resources, $"r{number % Keys}"), node.AccessKey, ResourceBody(number))),
            node.Process,
            node);
    }

    private static async Task<Running> StartEtcdOrdinarilyAsync(LoadOptions options)
    {
        var etcd = await EtcdServer.StartAsync();
        var put = new Uri($"http://127.0.0.1:{etcd.Port}/etcdserverpb.KV/Put");
        return await Running.OverConnectionsAsync(
            options,
            () => Task.FromResult(new OrdinaryClient()),
            (client, number) => new ValueTask(
                client.CallAsync(put, EtcdServer.Put($"/load/r{number % Keys}", $"{number} {Text}"))),
            etcd.Process,
            etcd);
    }

    // Namespaces are the kernel's plainest kind: resident, with a description as long as we like.
    private static byte[] Resource(GroundworkNode node, int number) => node.Request(
        "PUT", $"resources/namespace/_/r{number % Keys}", ResourceBody(number));

    private static string ResourceBody(int number) => $$$"""{"spec":{"description":"{{{number}}} {{{Text}}}"}}""";

    private static byte[] Setting(GroundworkNode node, int number) => node.Request(
        "PUT", $"resources/setting/default/load/r{number % Keys}",
        $$$"""{"spec":{"format":"text","content":"{{{number}}} {{{Text}}}"}}""");
}
