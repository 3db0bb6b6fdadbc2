using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Tests.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Tests.Hosting;

/// <summary>
/// A module that writes down what the node does with it, with a kind, a table, and a path on the API.
/// </summary>
internal sealed class ToyModule(string name = "toy", Action<Node>? starting = null) : IModule
{
    public string Name => name;

    public List<string> Life { get; } = [];

    /// <summary>Ends the drain; it waits for nothing unless a test wants it to.</summary>
    public TaskCompletionSource Drained { get; } = new();

    public void Declare(ModuleDeclaration declaration)
    {
        Life.Add("declare");
        if (name != "toy") return;
        declaration
            .Add(ToyKinds.Toy)
            .Add(new Migration("toy", 1, "CREATE TABLE toy_things (name {key} PRIMARY KEY)"));
    }

    public async Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        Life.Add("start");
        starting?.Invoke(node);
        node.Listeners.Map(ListenerDefinition.Api, endpoints => endpoints
            .MapGet($"/{name}/{{namespace}}", () => "toys")
            .Requires(Verb.Read, context => new ResourceKey(
                "toy", (string?)context.Request.RouteValues["namespace"] ?? "", "any")));
        if (node.Storage is { } storage && name == "toy")
            await storage.WriteAsync(session => session.Execute(
                "INSERT INTO toy_things VALUES ('a') ON CONFLICT DO NOTHING"), cancellationToken);
    }

    public Task DrainAsync(CancellationToken cancellationToken)
    {
        Life.Add("drain");
        return Drained.Task.WaitAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Life.Add("stop");
        return Task.CompletedTask;
    }
}
