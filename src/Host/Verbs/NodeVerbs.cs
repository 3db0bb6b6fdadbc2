using System.Collections.Immutable;
using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;

namespace Groundwork.Host.Verbs;

/// <summary><c>modules</c>, <c>node</c> and <c>version</c>.</summary>
internal static class NodeVerbs
{
    public static ImmutableArray<Command> All() =>
    [
        new Verb("modules", "List the modules, what they need, and which run.", "modules", ModulesAsync),
        new Verb("node", "List the nodes that share the store, invite another, or join.", "node list", run: null)
        {
            new Verb("list", "List the nodes that share the store.", "node list", ListAsync),
            JoinVerbs.CreateInvite(),
            JoinVerbs.CreateJoin(),
        },
        new Verb("version", "Show the version of this program and of the node.", "version", VersionAsync),
    ];

    /// <summary>The version of this program.</summary>
    public static string Own { get; } = typeof(NodeVerbs).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    private static async Task<int> ModulesAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync("modules", call.Cancellation);
        var modules = answer.Read(WireJson.Lenient.ModuleList);
        call.Answer.Print(answer.Document, () => modules.Items.Aggregate(
            new Table("MODULE", "LAYER", "NEEDS", "RUNNING"),
            (table, module) => table.Add(
                module.Name, module.Layer, string.Join(' ', module.Needs), module.Running ? "yes" : "no")));
        return ExitCodes.Ok;
    }

    private static async Task<int> ListAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync("nodes", call.Cancellation);
        var nodes = answer.Read(WireJson.Lenient.NodeList);
        call.Answer.Print(answer.Document, () => nodes.Items.Aggregate(
            new Table("NODE", "API", "STATE", "STORAGE", "VERSION", "MODULES", "STARTED"),
            (table, node) => table.Add(
                node.Name, node.ApiAddress, node.State, node.Storage, node.Version,
                string.Join(' ', node.Modules), ReadVerbs.Text(node.StartedAt))));
        return ExitCodes.Ok;
    }

    /// <summary>Answers without a node too: which program this is must never depend on another one.</summary>
    private static async Task<int> VersionAsync(Call call)
    {
        var document = new JsonObject
        {
            ["program"] = new JsonObject { ["version"] = Own, ["runtime"] = RuntimeInformation.FrameworkDescription },
        };
        var text = $"groundwork {Own} on {RuntimeInformation.FrameworkDescription}";
        try
        {
            using var connection = call.Connect();
            var answer = await connection.GetAsync("version", call.Cancellation);
            var node = answer.Read(WireJson.Lenient.VersionDocument);
            document["node"] = answer.Document;
            text += $"{Environment.NewLine}node {node.Version} on {node.Runtime}, {node.Engine}, store "
                + $"{node.StoreId}, revision {node.Revision}";
        }
        catch (VerbFailure failure) when (failure.ExitCode == ExitCodes.Unreachable
            && call.Parsed.GetValue(SharedOptions.Server) is null && call.Parsed.GetValue(SharedOptions.Data) is null)
        {
            // Nobody named a node, and there is none here: the program alone is the answer.
        }
        call.Answer.Print(document, text);
        return ExitCodes.Ok;
    }
}
