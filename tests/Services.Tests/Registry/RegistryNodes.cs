using System.Net.Http.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry;

/// <summary>
/// Whole nodes with the registry over one store: one node over SQLite, or two over PostgreSQL. They can be started
/// again.
/// </summary>
internal sealed class RegistryNodes : IAsyncDisposable
{
    private const string Root = "/groundwork/v1/";

    private readonly TemporaryDirectory directory = new();
    private readonly DatabaseOptions? database;
    private readonly RegistryOptions? options;
    private readonly string[] names;
    private RunningNode[] nodes = [];
    private RegistryModule[] modules = [];

    private RegistryNodes(string? connection, RegistryOptions? options)
    {
        database = connection is null ? null : new DatabaseOptions(connection);
        names = connection is null ? ["a"] : ["a", "b"];
        this.options = options;
    }

    /// <summary>Null for a store that nobody shares.</summary>
    public static async Task<RegistryNodes> StartAsync(PostgresServer? server, RegistryOptions? options = null)
    {
        var connection = server is null ? null : await server.CreateDatabaseAsync();
        var started = new RegistryNodes(connection, options);
        await started.StartAllAsync();
        return started;
    }

    public RunningNode A => nodes[0];

    /// <summary>The other node; the only one where there is no other.</summary>
    public RunningNode B => nodes[^1];

    public IReadOnlyList<RunningNode> All => nodes;

    /// <summary>What other modules of the node <see cref="B"/> use.</summary>
    public IRegistryView ViewOfB => modules[^1].View;

    public async Task RestartAsync()
    {
        foreach (var node in nodes) await node.DisposeAsync();
        await StartAllAsync();
    }

    public static async Task<RegistrationAnswer> RegisterAsync(RunningNode node, InstanceDocument document)
    {
        using var answer = await node.Local.PutAsJsonAsync(
            Root + "registry/instances", document, WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync(WireJson.Strict.RegistrationAnswer))!; // A success has a body.
    }

    public static async Task<ServiceDocument> ServiceAsync(RunningNode node, string service = "orders") =>
        (await node.Local.GetFromJsonAsync(
            $"{Root}registry/services/default/{service}", WireJson.Strict.ServiceDocument))!; // A success has a body.

    public static async Task<InstanceDocument> InstanceAsync(RunningNode node, string id) =>
        Assert.Single((await ServiceAsync(node)).Instances, instance => instance.Id == id);

    public static async Task<RegistryEventDocument[]> EventsAsync(RunningNode node, string service = "orders")
    {
        var list = await node.Local.GetFromJsonAsync(
            $"{Root}registry/events?namespace=default&service={service}&limit=1000",
            WireJson.Strict.RegistryEventList);
        return [.. list!.Items]; // A success has a body.
    }

    public static async Task PostAsync(RunningNode node, string path, string? reason = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Root}registry/{path}");
        if (reason is not null) request.Headers.Add(HeaderNames.Reason, Uri.EscapeDataString(reason));
        using var answer = await node.Local.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Writes a resource as an operator does.</summary>
    public static async Task PutAsync<TSpec>(RunningNode node, Kind<TSpec> kind, string name, TSpec spec)
        where TSpec : class => await CommitAsync(node, Change.Put(kind, "default", name, spec));

    public static async Task DeleteAsync(RunningNode node, string kind, string name) =>
        await CommitAsync(node, Change.Delete(new ResourceKey(kind, "default", name)));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes) await node.DisposeAsync();
        directory.Dispose();
    }

    private static async Task CommitAsync(RunningNode node, Change change)
    {
        var log = node.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var outcome = await log.CommitAsync(
            new Changeset(Principal.System("olga"), [change]), CancellationToken.None);
        Assert.True(outcome.Succeeded, outcome.Succeeded ? "" : outcome.Fault.ToString());
    }

    private async Task StartAllAsync()
    {
        nodes = new RunningNode[names.Length];
        modules = [.. names.Select(_ => new RegistryModule(options))];
        for (var at = 0; at < names.Length; at++)
        {
            var name = names[at];
            nodes[at] = await RunningNode.StartAsync(
                [modules[at]],
                configuration => configuration with
                {
                    NodeName = name,
                    Database = database ?? configuration.Database,
                    RootKeyFile = directory.Combine("root.key"),
                },
                directory.Combine(name));
        }
    }
}
