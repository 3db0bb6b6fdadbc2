using System.Net.Http.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Communication.Tests.Gateway.Protocols.Xds;

/// <summary>Nodes that programs of this machine may ask for every service.</summary>
internal static class XdsNodes
{
    public static async Task<RunningNode> StartAsync()
    {
        var registry = new RegistryModule();
        var node = await RunningNode.StartAsync(
            [registry, new GatewayModule(() => registry.View, new GatewayOptions())]);
        await GrantAsync(node, "*");
        return node;
    }

    public static Task GrantAsync(RunningNode node, params string[] names) => CommitAsync(node, Change.Put(
        SecurityKinds.Role, "", BuiltInRoles.AnonymousLoopback,
        new RoleSpec([new Grant(["discover"], ["instance"], ["*"], names)])));

    public static async Task CommitAsync(RunningNode node, Change change)
    {
        var changes = node.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var commit = await changes.CommitAsync(
            new Changeset(Principal.System("test"), [change]), CancellationToken.None);
        Assert.True(commit.Succeeded, commit.Fault?.ToString());
    }

    public static Task RegisterAsync(RunningNode node, string service, int port) =>
        RegisterAsync(node, new InstanceDocument(service, "10.0.0.1", port, LeaseSeconds: 300));

    public static async Task RegisterAsync(RunningNode node, InstanceDocument document)
    {
        using var answer = await node.Local.PutAsJsonAsync(
            "/groundwork/v1/registry/instances", document, WireJson.Strict.InstanceDocument);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
