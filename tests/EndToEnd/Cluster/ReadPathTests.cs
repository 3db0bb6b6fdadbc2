using System.Net;
using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>
/// Reads of what is resident are answered from memory: the database counts the statements, and then it is stopped.
/// </summary>
[Collection(LoadedMachine.Name)]
public sealed class ReadPathTests : IAsyncLifetime
{
    private const int Reads = 1_000;

    /// <summary>
    /// Statements of the node's own loops while so many reads run, which take seconds; a statement per read would be
    /// thousands.
    /// </summary>
    private const int OwnStatements = Reads / 2;

    private static readonly string[] paths =
    [
        "resources/namespace/_/read", "resources/namespace?limit=10", "resources/setting?prefix=read/",
        "registry/services/default/read", "registry/services", "settings/default?group=read", "kinds", "whoami",
    ];

    private readonly PostgresServer server = new() { Settings = ["shared_preload_libraries = 'pg_stat_statements'"] };
    private readonly TemporaryDirectory directory = new();
    private GroundworkProcess? node;
    private string database = "";

    public async ValueTask InitializeAsync()
    {
        var connection = await server.CreateDatabaseAsync();
        database = new Npgsql.NpgsqlConnectionStringBuilder(connection).Database ?? "";
        await server.ExecuteAsync("CREATE EXTENSION pg_stat_statements", database);
        node = await GroundworkProcess.StartAsync(
            directory.Combine("data"), ["run", .. GroundworkProcess.AnyPorts, "--set", $"database={connection}"]);
    }

    public async ValueTask DisposeAsync()
    {
        if (node is not null) await node.DisposeAsync();
        await server.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Reads_of_what_is_resident_cause_no_statement_and_go_on_without_the_database()
    {
        using var client = (node ?? throw new InvalidOperationException("No node runs.")).Local();
        await ArrangeAsync(client);
        foreach (var path in paths) await ReadAsync(client, path); // Whatever happens only once has happened.
        var output = TestContext.Current.TestOutputHelper;
        foreach (var path in paths)
        {
            var before = await StatementsAsync();
            for (var read = 0; read < Reads; read++) await ReadAsync(client, path);
            var statements = await StatementsAsync() - before;
            output?.WriteLine($"{statements} statements during {Reads} reads of {path}");
            Assert.True(statements < OwnStatements, $"{statements} statements during {Reads} reads of {path}");
        }
        await server.StopAsync();
        foreach (var path in paths)
            for (var read = 0; read < 100; read++) await ReadAsync(client, path);
    }

    private static async Task ArrangeAsync(HttpClient client)
    {
        using var resident = await client.PutAsJsonAsync("resources/namespace/_/read", new { spec = new { } });
        Assert.True(resident.IsSuccessStatusCode, await resident.Content.ReadAsStringAsync());
        using var setting = await client.PutAsJsonAsync(
            "resources/setting/default/read/one", new { spec = new { format = "text", content = "x" } });
        Assert.True(setting.IsSuccessStatusCode, await setting.Content.ReadAsStringAsync());
        using var instance = await client.PutAsJsonAsync(
            "registry/instances", new InstanceDocument("read", "10.0.0.1", 8080, LeaseSeconds: 3600),
            WireJson.Strict.InstanceDocument);
        Assert.True(instance.IsSuccessStatusCode, await instance.Content.ReadAsStringAsync());
    }

    private static async Task ReadAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {await answer.Content.ReadAsStringAsync()}");
    }

    private async Task<long> StatementsAsync() => Convert.ToInt64(
        await server.QueryAsync("SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements", database),
        System.Globalization.CultureInfo.InvariantCulture);
}
