using System.Text;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Wire;
using Groundwork.Wire.Nacos;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>
/// Nacos's naming over HTTP, versions 1 and 2, as clients before Nacos's gRPC speak it. Settings, and what is about
/// them, are the settings module's.
/// </summary>
internal sealed class NacosNamingApi(
    Authenticator authenticator,
    NacosCallers callers,
    NacosInstances instances,
    NacosServices services,
    NacosBeat beat)
{
    private const string Why =
        "the credential is a parameter as often as a header: the handler finds the caller and asks the roles itself";

    private const string BeatSummary = "Renews an instance's lease; registers it again where it is not there.";

    private const string LoginSummary = "A token for a name and its password.";

    /// <summary>Far above what the handler reads, which says itself that a body is too large.</summary>
    private const long BodyBytes = 1024L * 1024 * 1024;

    /// <summary>Serves the protocol wherever the configuration has it.</summary>
    public static void Serve(
        Node node, InstanceRegistry registry, Registrations registrations, InstanceRules rules, RegistryAccess access,
        ConsumerBook consumers, NacosPush push)
    {
        var callers = new NacosCallers(node.Authenticator, happened => node.Audit?.Append(happened));
        var instances = new NacosInstances(registry, registrations, rules, access, node.Changes, node.Time);
        var services = new NacosServices(registry, access, push, consumers, node.Time);
        var beat = new NacosBeat(registry, access, callers, instances);
        var api = new NacosNamingApi(node.Authenticator, callers, instances, services, beat);
        node.Listeners.MapProtocol(ProtocolListeners.Nacos.Name, api.Map);
        node.Listeners.WordFaults(
            ProtocolListeners.Nacos.Name, "/nacos", (context, fault) => NacosCall.FailAsync(
                context, fault, context.Request.Path.StartsWithSegments("/nacos/v2", StringComparison.Ordinal)));
        node.Metrics.Add(push);
    }

    public void Map(IEndpointRouteBuilder endpoints)
    {
        Map(endpoints, "/nacos/v1/ns", "nacos", isV2: false);
        Map(endpoints, "/nacos/v2/ns", "nacosV2", isV2: true);
        Add(endpoints, "PUT", "/nacos/v1/ns/instance/beat", "nacosBeat", BeatSummary, beat.TakeAsync);
        Add(endpoints, "PUT", "/nacos/v2/ns/instance/beat", "nacosV2Beat", BeatSummary, beat.TakeV2Async);
        Add(endpoints, "GET", "/nacos/v1/ns/service/subscribers", "nacosSubscribers", "Who is pushed to.",
            Handle(services.ListSubscribersAsync, false));
        // The same for both versions: Nacos has no second one of its own.
        Add(endpoints, "POST", "/nacos/v1/auth/login", "nacosLogin", LoginSummary, SignInAsync);
        Add(endpoints, "POST", "/nacos/v1/auth/users/login", "nacosUserLogin", LoginSummary, SignInAsync);
        Add(endpoints, "GET", "/nacos/serverlist", "nacosServers", "This node, as the caller reached it.",
            ListServersAsync);
        Add(endpoints, "GET", "/nacos/v1/console/health/liveness", "nacosLiveness", "OK.", AnswerOkAsync);
        Add(endpoints, "GET", "/nacos/v1/console/health/readiness", "nacosReadiness", "OK.", AnswerOkAsync);
    }

    private void Map(IEndpointRouteBuilder endpoints, string root, string id, bool isV2)
    {
        Add(endpoints, "POST", $"{root}/instance", $"{id}Register", "Registers an instance.",
            Handle(instances.RegisterAsync, isV2));
        Add(endpoints, "DELETE", $"{root}/instance", $"{id}Deregister", "Takes an instance out.",
            Handle(instances.DeregisterAsync, isV2));
        Add(endpoints, "PUT", $"{root}/instance", $"{id}Change", "Changes weight, metadata or whether it is enabled.",
            Handle(instances.ChangeAsync, isV2));
        Add(endpoints, "GET", $"{root}/instance", $"{id}Instance", "One instance.",
            Handle(instances.ShowAsync, isV2));
        Add(endpoints, "PUT", $"{root}/health/instance", $"{id}SetHealth", "Says how a persistent instance is.",
            Handle(instances.SetHealthAsync, isV2));
        Add(endpoints, "GET", $"{root}/instance/list", $"{id}Instances",
            "The instances of a service; with udpPort a subscription.", Handle(services.ListInstancesAsync, isV2));
        Add(endpoints, "GET", $"{root}/service", $"{id}Service", "One service.",
            Handle(services.ShowServiceAsync, isV2));
        Add(endpoints, "GET", $"{root}/service/list", $"{id}Services", "Names of the services of a group.",
            Handle(services.ListServicesAsync, isV2));
        Add(endpoints, "GET", $"{root}/operator/metrics", $"{id}State", "UP.",
            context => TellStateAsync(context, isV2));
    }

    private RequestDelegate Handle(Func<NacosCall, Task> handle, bool isV2) => callers.Handle(handle, isV2);

    private static void Add(
        IEndpointRouteBuilder endpoints, string method, string path, string operation, string summary,
        RequestDelegate handle) =>
        endpoints.MapMethods(path, [method], (Delegate)((HttpContext context) => handle(context)))
            .WithTags("Nacos").LimitsBody(BodyBytes).AllowsAnyone(Why).Describe<string>(operation, summary);

    /// <summary>An access key may stand as the password, and is the token then.</summary>
    private async Task SignInAsync(HttpContext context)
    {
        try
        {
            if (await TrySignInAsync(context) is { } fault) await NacosCall.FailAsync(context, fault, isV2: false);
        }
        catch (StorageException away) when (!context.Response.HasStarted)
        {
            await NacosCall.FailAsync(context, away.Fault, isV2: false);
        }
    }

    private async Task<Fault?> TrySignInAsync(HttpContext context)
    {
        var read = await FormCall.ReadAsync(context, NacosLimits.MaxBodyBytes);
        if (!read.TryGet(out var form, out var fault)) return fault;
        if (form.Given("username") is not { } name) return NacosTarget.Missing("username");
        if (form.Given("password") is not { } password) return NacosTarget.Missing("password");
        var signedIn = await authenticator.SignInAsync(context, name, password);
        if (!signedIn.TryGet(out var answer, out fault)) return fault;
        await new NacosCall(form, Principal.Anonymous, IsV2: false).JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteString("accessToken", answer.Token);
            json.WriteNumber("tokenTtl", (long)answer.Life.TotalSeconds);
            json.WriteBoolean("globalAdmin", false);
            json.WriteString("username", name);
            json.WriteEndObject();
        });
        return null;
    }

    private static Task TellStateAsync(HttpContext context, bool isV2)
    {
        // How many there are of what is the business of those who may see them.
        var up = "{\"status\":\"UP\"}"u8.ToArray();
        return FormCall.AnswerAsync(
            context, StatusCodes.Status200OK, NacosReply.JsonType,
            isV2 ? NacosReply.Envelope(NacosReply.Success, "success", json => json.WriteRawValue(up)) : up);
    }

    // As the caller itself reaches this node. With the end of line that one of npm's clients splits at and the other
    // trims.
    private static Task ListServersAsync(HttpContext context) => FormCall.AnswerAsync(
        context, StatusCodes.Status200OK, NacosReply.TextType,
        Encoding.UTF8.GetBytes($"{context.Request.Host.Value}\r\n"));

    private static Task AnswerOkAsync(HttpContext context) =>
        FormCall.AnswerAsync(context, StatusCodes.Status200OK, NacosReply.TextType, "OK"u8.ToArray());
}
