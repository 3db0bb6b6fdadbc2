using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.Xds;

/// <summary>A node with the discovery service on an address of its own, and clients of npm that ask it.</summary>
internal sealed class XdsNode : IAsyncDisposable
{
    private XdsNode(RunningNode running) => Running = running;

    public RunningNode Running { get; }

    /// <summary>As clients name it: host and port.</summary>
    public string Server => Running.Node.Listeners.UrlOf(ProtocolListeners.Xds.Name).Authority;

    /// <param name="granted">What callers of this machine may discover; null: they have no role.</param>
    public static async Task<XdsNode> StartAsync(
        int port = 0, string? directory = null, IReadOnlyList<string>? granted = null)
    {
        var registry = new RegistryModule();
        var node = new XdsNode(await RunningNode.StartAsync(
            [registry, new GatewayModule(() => registry.View, new GatewayOptions())],
            configuration => configuration with
            {
                Listeners = configuration.Listeners.SetItem(
                    ProtocolListeners.Xds.Name,
                    new ListenerOptions { Address = ListenAddress.Parse($"127.0.0.1:{port}", "The test's address") }),
            },
            directory));
        if (granted is not null) await node.GrantAsync(granted);
        return node;
    }

    /// <summary>A route of the gateway.</summary>
    public Task RouteAsync(string name, RouteSpec route) =>
        CommitAsync(Change.Put(RouteKind.Kind, "default", name, route));

    /// <summary>Callers of this machine may discover these, as <c>group/service/*</c>, and no others.</summary>
    public Task GrantAsync(IReadOnlyList<string> names) => CommitAsync(Change.Put(
        SecurityKinds.Role, "", BuiltInRoles.AnonymousLoopback,
        new RoleSpec(names.Count == 0 ? [] : [new Grant(["discover"], ["instance"], ["*"], names)])));

    /// <summary>Registers a server of this machine; its id is its port.</summary>
    public async Task RegisterAsync(
        int port, string service = "orders", int? weight = null, string? zone = null, string? @namespace = null,
        string? group = null)
    {
        var document = new InstanceDocument(
            service, "127.0.0.1", port, @namespace, group, $"{port}", Weight: weight, Zone: zone, LeaseSeconds: 300);
        using var answer = await Running.Local.PutAsJsonAsync(
            "/groundwork/v1/registry/instances", document, WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async Task DeregisterAsync(int port)
    {
        using var answer = await Running.Local.DeleteAsync(
            new Uri($"/groundwork/v1/registry/instances/default/orders/{port}", UriKind.Relative));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async Task DrainAsync(int port)
    {
        using var answer = await Running.Local.PostAsync(
            new Uri($"/groundwork/v1/registry/instances/default/orders/{port}/drain", UriKind.Relative), null);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>An operator gives an instance a status.</summary>
    public async Task OverrideAsync(int port, string status)
    {
        using var answer = await Running.Local.PutAsJsonAsync(
            new Uri($"/groundwork/v1/resources/instance-override/default/default/orders/{port}", UriKind.Relative),
            new { spec = new { status } });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <param name="metadata">What the client says of itself besides.</param>
    public async Task<XdsClient> ClientAsync(
        NpmClients clients, string? zone = null, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var about = JsonSerializer.Serialize(new
        {
            id = "client", locality = new { zone = zone ?? "" },
            metadata = metadata ?? new Dictionary<string, string>(StringComparer.Ordinal),
        });
        var client = clients.Run("xds.mjs", Server, about);
        TestContext.Current.TestOutputHelper?.WriteLine($"{await client.NextAsync("version")}");
        return new XdsClient(client);
    }

    public ValueTask DisposeAsync() => Running.DisposeAsync();

    private async Task CommitAsync(Change change)
    {
        var changes = Running.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var commit = await changes.CommitAsync(
            new Changeset(Principal.System("test"), [change]), CancellationToken.None);
        Assert.True(commit.Succeeded, commit.Fault?.ToString());
    }
}
