using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Groundwork.Kernel.Hosting.Running;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// The API of the node itself: health, version, modules, nodes, doctor, and the description of the whole API.
/// </summary>
internal sealed class NodeApi(Node node, DateTimeOffset startedAt)
{
    /// <summary>What stands for "the nodes" where a permission names a resource.</summary>
    private const string NodeKind = "node";

    public static string Version { get; } =
        typeof(NodeApi)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var health = endpoints.MapGroup("/health").WithTags("Node");
        health.MapGet("/live", Live)
            .AllowsAnyone("a supervisor has no credential, and the answer says only that the process answers")
            .Describe<HealthDocument>("isLive", "Whether the process answers at all; restart it when not.");
        health.MapGet("/ready", Ready)
            .AllowsAnyone("a load balancer has no credential, and the answer names no resource")
            .Describe<HealthDocument>("isReady", "Whether the node should get traffic: 503 while it starts or drains.");

        var api = endpoints.MapGroup(Listeners.ApiRoot).WithTags("Node");
        api.MapGet("/version", GetVersion)
            .RequiresPrincipal("the version is no secret for those who may call at all")
            .Describe<VersionDocument>("getVersion", "What runs here.");
        api.MapGet("/modules", ListModules)
            .RequiresPrincipal("the modules are no secret for those who may call at all")
            .Describe<ModuleList>("listModules", "All modules in start order, and which run here.");
        api.MapGet("/nodes", ListNodes)
            .Requires(Verb.Read, _ => new ResourceKey(NodeKind, "", node.Name))
            .Describe<NodeList>("listNodes", "All nodes that share the store.");
        api.MapGet("/leases", ListLeasesAsync)
            .Requires(Verb.Read, _ => new ResourceKey(NodeKind, "", node.Name))
            .Describe<LeaseList>("listLeases", "What one node does for all that share the store, and which.");
        api.MapGet("/doctor", Examine)
            .Requires(Verb.Administer, _ => new ResourceKey(NodeKind, "", node.Name))
            .Describe<DoctorDocument>(
                "examineNode", "Every process option with its origin, and where the node listens.");
        endpoints.MapOpenApi($"{Listeners.ApiRoot}/openapi.json")
            .AllowsAnyone("describes the API and holds nothing of this node");
    }

    private static IResult Live() =>
        Results.Json(new HealthDocument(NodeHealth.Ok, []), WireJson.Strict.HealthDocument);

    private IResult Ready(HttpContext context)
    {
        var health = node.Health.Read();
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(
            health,
            WireJson.Strict.HealthDocument,
            statusCode: health.Status == NodeHealth.Failing
                ? StatusCodes.Status503ServiceUnavailable
                : StatusCodes.Status200OK);
    }

    private IResult GetVersion()
    {
        var snapshot = node.Snapshots.Current;
        return Results.Json(
            new VersionDocument(
                Version, RuntimeInformation.FrameworkDescription, EngineName, snapshot.StoreId, snapshot.Revision),
            WireJson.Strict.VersionDocument);
    }

    private IResult ListModules() => Results.Json(
        new ModuleList(
        [
            .. Modules.Select([]).Value.InStartOrder.Select(module => new ModuleDocument(
                module.Name,
                module.Layer.ToString().ToLowerInvariant(),
                module.Needs,
                node.Configuration.Modules.Has(module.Name))),
        ]),
        WireJson.Strict.ModuleList);

    private IResult ListNodes()
    {
        var snapshot = node.Snapshots.Current;
        if (node.Cluster is not { } cluster)
            return Problems.From(
                new Fault(ErrorCodes.ReadOnlyFollower, "This node follows another; ask that one for the nodes."));
        return Results.Json(
            new NodeList(snapshot.StoreId, EngineName, [.. cluster.Nodes.Nodes.Select(
                other => NodeAbout.ToDocument(other, cluster.Nodes))]),
            WireJson.Strict.NodeList);
    }

    private async Task<IResult> ListLeasesAsync(CancellationToken cancellationToken)
    {
        if (node.Cluster is not { } cluster)
            return Problems.From(
                new Fault(ErrorCodes.ReadOnlyFollower, "This node follows another; ask that one for the leases."));
        try
        {
            var (leases, now) = await cluster.Leases.ReadAsync(cancellationToken);
            return Results.Json(
                new LeaseList([.. leases.Select(lease => new LeaseDocument(
                    lease.Name, lease.Holder, lease.Token, lease.LeaseUntil > now ? "held" : "free",
                    DateTimeOffset.FromUnixTimeMilliseconds(lease.LeaseUntil)))]),
                WireJson.Strict.LeaseList);
        }
        catch (StorageException fault)
        {
            return Problems.From(fault.Fault);
        }
    }

    private IResult Examine() => Results.Json(
        new DoctorDocument(
            node.Name,
            Environment.ProcessId,
            startedAt,
            EngineName,
            node.DataDirectory.Path,
            node.DataDirectory.FreeBytes,
            [
                .. node.Configuration.Values.Select(value => new DoctorOption(
                    value.Key, value.Value, value.Origin, OptionOf(
                        value.Key)?.Default ?? "", OptionOf(value.Key)?.Unit ?? "",
                    OptionOf(value.Key)?.Why ?? "")),
            ],
            node.Listeners.Addresses.ToDictionary(
                pair => pair.Key,
                pair => string.Join(", ", pair.Value.Select(address => address.ToString())),
                StringComparer.Ordinal),
            node.Health.Read()),
        WireJson.Strict.DoctorDocument);

    private string EngineName => node.Storage?.Engine
        ?? string.Create(CultureInfo.InvariantCulture, $"follower of {node.Configuration.Follow?.Address}");

    // The keys of one listener are described once, with NAME for its name.
    private static ProcessOption? OptionOf(string key)
    {
        var parts = key.Split('.', 3);
        var general = parts is ["listeners", _, var field] ? $"listeners.NAME.{field}" : key;
        return ProcessConfiguration.Options.FirstOrDefault(option => option.Key == key || option.Key == general);
    }
}
