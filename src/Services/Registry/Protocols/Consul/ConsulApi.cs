using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>
/// Consul's HTTP API, version 1, for services, their checks and their health. A view of the registry: see
/// <c>docs/protocols/consul.md</c>.
/// </summary>
internal sealed partial class ConsulApi
{
    /// <summary>Where it stands: others have paths below <c>/v1</c>, too.</summary>
    public static readonly ImmutableArray<PathString> Families =
    [
        "/v1/agent", "/v1/catalog", "/v1/health", "/v1/status",
    ];

    private const string Why =
        "the credential is looked at inside, because it may be X-Consul-Token and faults have Consul's shape; the "
        + "registry's own verbs decide";

    private readonly ProtocolCallers callers;
    private readonly ConsulShapes shapes;
    private readonly ConsulReads reads;
    private readonly ConsulAgent agent;
    private readonly ConsulCatalog catalog;
    private readonly ConsulChecks checks;
    private readonly ConsulLists lists;
    private readonly ILogger logger;

    /// <param name="look">Makes one look at a service.</param>
    /// <param name="address">Where this node is reached, as its answers say.</param>
    public ConsulApi(
        ProtocolParts parts,
        Func<ConsulCheck, CancellationToken, Task<ConsulFinding>> look,
        Func<IPEndPoint> address)
    {
        callers = parts.Callers;
        logger = parts.Logs.CreateLogger<ConsulApi>();
        shapes = new ConsulShapes(parts.Registry.StoreId, address);
        lists = new ConsulLists(parts.Registry, parts.Time);
        checks = new ConsulChecks(
            parts.Registry, parts.Registrations, parts.LiveNodes, look, parts.Time,
            parts.Logs.CreateLogger<ConsulChecks>());
        reads = new ConsulReads(parts.Registry, parts.Access, shapes, lists, parts.Time, parts.Stopping);
        agent = new ConsulAgent(parts, reads, checks, shapes);
        catalog = new ConsulCatalog(parts, agent, reads);
    }

    /// <summary>
    /// Looks after checks, and wakes who waits for lists. Also where nobody can ask: what is registered goes on.
    /// </summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(checks.RunAsync(cancellationToken), lists.RunAsync(cancellationToken));

    public void Map(IEndpointRouteBuilder endpoints)
    {
        MapAgent(endpoints);
        MapCatalog(endpoints);
        Add(endpoints, "GET", "/status/leader", "consulLeader", "Where this node is reached.",
            (context, _) => ConsulCall.WriteAsync(context, JsonValue.Create(shapes.EndPoint)));
        Add(endpoints, "GET", "/status/peers", "consulPeers", "The same, as a list.",
            (context, _) => ConsulCall.WriteAsync(context, new JsonArray(shapes.EndPoint)));
    }

    private void MapAgent(IEndpointRouteBuilder endpoints)
    {
        Add(endpoints, "GET", "/agent/self", "consulSelf", "What the agent is.",
            (context, _) => agent.SelfAsync(context));
        Add(endpoints, "GET", "/agent/members", "consulMembers", "The agent alone.",
            (context, _) => agent.MembersAsync(context));
        Add(endpoints, "GET", "/agent/services", "consulAgentServices", "What was registered with the agent.",
            agent.ServicesAsync);
        Add(endpoints, "GET", "/agent/service/{id}", "consulAgentService", "One service of the agent.",
            agent.ServiceAsync);
        Add(endpoints, "GET", "/agent/checks", "consulAgentChecks", "The checks of these.", agent.ChecksAsync);
        Do(endpoints, "PUT", "/agent/service/register", "consulRegister", "Registers a service.", agent.RegisterAsync);
        // Consul took any method before its version 1, and python-consul sends GET.
        foreach (var method in new[] { "PUT", "GET" })
        {
            var suffix = method == "PUT" ? "" : "ByGet";
            Do(endpoints, method, "/agent/service/deregister/{id}", "consulDeregister" + suffix,
                "Deregisters a service.", agent.DeregisterAsync);
            Do(endpoints, method, "/agent/check/deregister/{id}", "consulDeregisterCheck" + suffix,
                "Takes a check from its service.", (context, _) => agent.DeregisterCheckAsync(context));
            foreach (var (word, state) in new[] { ("pass", CheckState.Passing), ("warn", CheckState.Warning),
                ("fail", CheckState.Critical) })
                Do(endpoints, method, $"/agent/check/{word}/{{id}}",
                    $"consulCheck{char.ToUpperInvariant(word[0])}{word[1..]}{suffix}",
                    "Says how a TTL check stands.", (context, _) => Task.FromResult(agent.Tell(context, state)));
        }
        Do(endpoints, "PUT", "/agent/service/maintenance/{id}", "consulMaintenance",
            "Puts a service into maintenance, or takes it out.", agent.MaintainAsync);
        Do(endpoints, "PUT", "/agent/check/register", "consulRegisterCheck", "Adds a check to a service.",
            agent.RegisterCheckAsync);
        Do(endpoints, "PUT", "/agent/check/update/{id}", "consulUpdateCheck",
            "Says how a TTL check stands, in the body.",
            (context, _) => agent.UpdateCheckAsync(context));
    }

    private void MapCatalog(IEndpointRouteBuilder endpoints)
    {
        Add(endpoints, "GET", "/catalog/datacenters", "consulDatacenters", "The one datacenter.",
            (context, _) => ConsulCatalog.DatacentersAsync(context));
        Add(endpoints, "GET", "/catalog/services", "consulServices", "Names of services with their tags.",
            reads.CatalogServicesAsync);
        Add(endpoints, "GET", "/catalog/service/{service}", "consulService", "The instances of a service.",
            reads.CatalogServiceAsync);
        Add(endpoints, "GET", "/catalog/nodes", "consulNodes", "The machines.", reads.NodesAsync);
        Add(endpoints, "GET", "/catalog/node/{name}", "consulNode", "What is on a machine.", reads.NodeAsync);
        Do(endpoints, "PUT", "/catalog/register", "consulCatalogRegister",
            "Puts a service on a machine into the catalog.",
            catalog.RegisterAsync, saysTrue: true);
        Do(endpoints, "PUT", "/catalog/deregister", "consulCatalogDeregister", "Takes something out of the catalog.",
            catalog.DeregisterAsync, saysTrue: true);
        Add(endpoints, "GET", "/health/service/{service}", "consulHealthService",
            "The instances of a service with checks.",
            reads.HealthServiceAsync);
        Add(endpoints, "GET", "/health/checks/{service}", "consulHealthChecks", "The checks of a service.",
            reads.HealthChecksAsync);
        Add(endpoints, "GET", "/health/node/{name}", "consulHealthNode", "The checks on a machine.",
            reads.HealthNodeAsync);
        Add(endpoints, "GET", "/health/state/{name}", "consulHealthState", "The checks in a state.",
            reads.HealthStateAsync);
    }

    private void Do(
        IEndpointRouteBuilder endpoints, string method, string path, string operation, string summary,
        Func<HttpContext, ConsulCall, Task<Fault?>> change, bool saysTrue = false) =>
        Add(endpoints, method, path, operation, summary, async (context, call) =>
        {
            if (IsOfPage(context.Request))
                await ConsulCall.WriteTextAsync(
                    context, StatusCodes.Status405MethodNotAllowed, "A browser's GET changes nothing: send PUT");
            else if (await change(context, call) is { } fault) await ConsulCall.WriteAsync(context, fault);
            else if (saysTrue) await ConsulCall.WriteAsync(context, JsonValue.Create(true));
            else await ConsulCall.WriteDoneAsync(context);
        });

    // A picture on somebody's page is a GET, too, and browsers of some years ago do not say where it comes from. They
    // all say which language their people read.
    private static bool IsOfPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers.ContainsKey("Accept-Language");

    private void Add(
        IEndpointRouteBuilder endpoints, string method, string path, string operation, string summary,
        Func<HttpContext, ConsulCall, Task> handle) =>
        endpoints.MapMethods("/v1" + path, [method], (Delegate)((HttpContext context) => HandleAsync(context, handle)))
            .WithTags("Consul").LimitsBody(long.MaxValue) // Bounded where it is read, to be told in Consul's way.
            .AllowsAnyone(Why)
            .Describe<string>(operation, summary);

    private async Task HandleAsync(HttpContext context, Func<HttpContext, ConsulCall, Task> handle)
    {
        try
        {
            if (await callers.IdentifyAsync(context, ConsulCall.KeyOf(context.Request)) is { } unknown)
                await ConsulCall.WriteAsync(context, unknown);
            else if (!ConsulCall.Read(context.Request).TryGet(out var call, out var fault))
                await ConsulCall.WriteAsync(context, fault);
            else if (ProtocolCallers.IsNobody(context))
                await ConsulCall.WriteAsync(
                    context, new Fault(ErrorCodes.Unauthenticated, "send an access key as X-Consul-Token"));
            else await handle(context, call);
        }
        catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
        {
            await ConsulCall.WriteAsync(context, new Fault(ErrorCodes.BadRequest, bad.Message));
        }
        catch (StorageException away) when (!context.Response.HasStarted)
        {
            await ConsulCall.WriteAsync(context, away.Fault);
        }
        catch (Exception failure) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            LogFailure(context.Request.Method, context.Request.Path, failure);
            await ConsulCall.WriteAsync(context, new Fault(ErrorCodes.Internal, "The request failed."));
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed inside the platform")]
    private partial void LogFailure(string method, string path, Exception failure);
}
