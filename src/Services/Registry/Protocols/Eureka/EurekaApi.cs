using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>
/// Eureka's REST protocol, version 2, at both of the paths that its clients know. A view of the registry: see
/// <c>docs/protocols/eureka.md</c>.
/// </summary>
internal sealed partial class EurekaApi
{
    /// <summary>Where it stands.</summary>
    public const string Prefix = "/eureka";

    private const string Why =
        "the credential is looked at inside, because faults have Eureka's shape; the registry's own verbs decide";

    private readonly InstanceRegistry registry;
    private readonly RegistryAccess access;
    private readonly ProtocolCallers callers;
    private readonly EurekaApplications applications;
    private readonly EurekaDeltas deltas;
    private readonly EurekaAnswers answers;
    private readonly EurekaWrites writes;
    private readonly EurekaFetchers fetchers;
    private readonly ILogger logger;

    public EurekaApi(ProtocolParts parts)
    {
        registry = parts.Registry;
        access = parts.Access;
        callers = parts.Callers;
        logger = parts.Logs.CreateLogger<EurekaApi>();
        applications = new EurekaApplications(registry);
        deltas = new EurekaDeltas(applications, parts.Time);
        answers = new EurekaAnswers(registry);
        fetchers = new EurekaFetchers(parts.Time);
        writes = new EurekaWrites(
            registry, parts.Registrations, parts.Rules, access, parts.Refused, parts.Sync, applications, parts.Time);
    }

    /// <summary>What its clients are shown.</summary>
    public EurekaSight Sight => new(applications, fetchers, MaySee);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        Map(endpoints, Prefix, "eureka");
        Map(endpoints, Prefix + "/v2", "eurekaV2");
    }

    private void Map(IEndpointRouteBuilder endpoints, string root, string name)
    {
        void Add(string method, string path, string operation, string summary, Func<HttpContext, Task> handle) =>
            endpoints.MapMethods(root + path, [method],
                (Delegate)((HttpContext context) => HandleAsync(context, handle)))
                .WithTags("Eureka").LimitsBody(long.MaxValue) // Bounded where it is read, to be told in Eureka's way.
                .AllowsAnyone(Why)
                .Describe<string>(name + operation, summary);

        Add("GET", "/apps", "Applications", "All applications with their instances.", GetAllAsync);
        Add("GET", "/apps/delta", "Delta", "What changed in the last three minutes.", GetDeltaAsync);
        Add("GET", "/apps/{service}", "Application", "One application.", GetApplicationAsync);
        Add("POST", "/apps/{service}", "Register", "Registers an instance.",
            context => DoAsync(context, writes.RegisterAsync, StatusCodes.Status204NoContent));
        Add("GET", "/apps/{service}/{id}", "Instance", "One instance of an application.", GetInstanceAsync);
        Add("PUT", "/apps/{service}/{id}", "Renew", "Renews an instance; 404 when it has to register.",
            context => DoAsync(context, one => Task.FromResult(writes.Renew(one))));
        Add("DELETE", "/apps/{service}/{id}", "Cancel", "Deregisters an instance.",
            context => DoAsync(context, writes.CancelAsync));
        Add("PUT", "/apps/{service}/{id}/status", "SetStatus", "Overrides the status of an instance.",
            context => DoAsync(context, writes.SetStatusAsync));
        Add("DELETE", "/apps/{service}/{id}/status", "ClearStatus", "Takes the override of a status back.",
            context => DoAsync(context, writes.ClearStatusAsync));
        Add("PUT", "/apps/{service}/{id}/metadata", "SetMetadata", "Changes metadata of an instance.",
            context => DoAsync(context, one => Task.FromResult(writes.SetMetadata(one))));
        Add("GET", "/instances/{id}", "InstanceById", "One instance by its id alone.", GetByIdAsync);
        Add("GET", "/vips/{name}", "Vip", "The instances of a virtual address.",
            context => GetVipAsync(context, false));
        Add("GET", "/svips/{name}", "SecureVip", "The instances of a secure virtual address.",
            context => GetVipAsync(context, true));
        Add("GET", "/status", "Status", "How many instances there are, and what is protected.", GetStatusAsync);
    }

    private async Task HandleAsync(HttpContext context, Func<HttpContext, Task> handle)
    {
        try
        {
            if (await callers.IdentifyAsync(context) is { } unknown) await EurekaAnswers.WriteAsync(context, unknown);
            else await handle(context);
        }
        catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
        {
            await EurekaAnswers.WriteAsync(context, new Fault(ErrorCodes.BadRequest, bad.Message));
        }
        catch (StorageException away) when (!context.Response.HasStarted)
        {
            await EurekaAnswers.WriteAsync(context, away.Fault);
        }
        catch (Exception failure) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            LogFailure(context.Request.Method, context.Request.Path, failure);
            await EurekaAnswers.WriteAsync(context, new Fault(ErrorCodes.Internal, "The request failed."));
        }
    }

    private static async Task DoAsync(
        HttpContext context, Func<HttpContext, Task<Fault?>> change, int status = StatusCodes.Status200OK)
    {
        if (await change(context) is { } fault) await EurekaAnswers.WriteAsync(context, fault);
        else await EurekaAnswers.WriteAsync(context, status);
    }

    private Task GetAllAsync(HttpContext context)
    {
        var moment = deltas.Look();
        if (!TrySee(context, moment.Applications, out var seen)) return Refuse(context);
        ShowProtection(context, seen);
        fetchers.Note(context, application: null);
        return answers.WriteAsync(context, seen, moment.Version);
    }

    private Task GetDeltaAsync(HttpContext context)
    {
        var moment = deltas.Look();
        if (!TrySee(context, moment.Applications, out var seen)) return Refuse(context);
        ShowProtection(context, seen);
        fetchers.Note(context, application: null);
        var principal = context.Principal();
        return answers.WriteAsync(
            context, seen, moment.Deltas.Where(delta => MaySee(principal, delta.Instance.Key.Service)), moment.Version);
    }

    private Task GetApplicationAsync(HttpContext context)
    {
        var app = SentPath.RouteValue(context, "service");
        if (!applications.Find(app).TryGet(out var view, out var fault))
            return EurekaAnswers.WriteAsync(context, fault);
        if (CheckDiscover(context, app, view) is { } refusal) return EurekaAnswers.WriteAsync(context, refusal);
        if (view is null) return NotFound(context);
        fetchers.Note(context, view.Key);
        return answers.WriteAsync(context, view);
    }

    private Task GetInstanceAsync(HttpContext context)
    {
        var app = SentPath.RouteValue(context, "service");
        var key = applications.FindInstance(app, SentPath.RouteValue(context, "id"));
        var view = key is { } found ? registry.FindFresh(found.Service) : null;
        if (CheckDiscover(context, app, view) is { } refusal) return EurekaAnswers.WriteAsync(context, refusal);
        return view?.Instances.FirstOrDefault(instance => instance.Key == key) is { } one
            ? answers.WriteAsync(context, view, one)
            : NotFound(context);
    }

    private Task GetByIdAsync(HttpContext context)
    {
        var principal = context.Principal();
        foreach (var key in registry.ById.Find(InstanceIds.Of(SentPath.RouteValue(context, "id"))))
        {
            if (key.Service.Namespace != Names.DefaultNamespace || !MaySee(principal, key.Service)) continue;
            if (registry.FindFresh(key.Service) is not { } view) continue;
            if (view.Instances.FirstOrDefault(instance => instance.Key == key) is { } one)
                return answers.WriteAsync(context, view, one);
        }
        return ProtocolCallers.IsNobody(context) ? Refuse(context) : NotFound(context);
    }

    private Task GetVipAsync(HttpContext context, bool secure)
    {
        var vip = SentPath.RouteValue(context, "name");
        var moment = deltas.Look();
        if (!TrySee(context, moment.Applications, out var seen)) return Refuse(context);
        var found = seen
            .Select(view => (View: view, Some: view.Instances.Where(one => HasVip(one, vip, secure)).ToArray()))
            .Where(part => part.Some.Length > 0)
            .ToArray();
        if (found.Length == 0) return NotFound(context);
        foreach (var part in found) fetchers.Note(context, part.View.Key);
        return answers.WriteAsync(context, found, moment.Version);
    }

    /// <summary>
    /// What Netflix's server shows on its page and at this path, in part: above all what is kept although it does not
    /// renew.
    /// </summary>
    private Task GetStatusAsync(HttpContext context)
    {
        if (!TrySee(context, applications.All(), out var seen)) return Refuse(context);
        var kept = seen.Where(view => view.Protection).ToArray();
        return EurekaAnswers.WriteAsync(context, "statusInfo", new JsonObject
        {
            ["applicationStats"] = new JsonObject
            {
                ["registered-applications"] = Text(seen.Length),
                ["registered-instances"] = Text(seen.Sum(view => view.Instances.Length)),
                ["self-preservation"] = kept.Length > 0 ? "true" : "false",
                ["self-preserved-applications"] = string.Join(',',
                    kept.Select(view => ProtocolNames.ToEureka(view.Key))),
                ["self-preservation-reason"] = string.Join(
                    "; ", kept.Select(view => $"{ProtocolNames.ToEureka(view.Key)}: {view.ProtectionReason}")),
            },
            ["isHealthy"] = "true",
        });
    }

    private static bool HasVip(Instance instance, string vip, bool secure) =>
        EurekaInstance.VipOf(instance, secure).Split(',').Contains(vip, StringComparer.OrdinalIgnoreCase);

    // Self-preservation, per application: with every list, since it is why instances are in it that do not renew.
    private static void ShowProtection(HttpContext context, ImmutableArray<ServiceView> seen)
    {
        var kept = seen.Where(view => view.Protection).Select(view => ProtocolNames.ToEureka(view.Key)).Take(100);
        if (string.Join(',', kept) is { Length: > 0 } names)
            context.Response.Headers["Eureka-Self-Preservation"] = names;
    }

    /// <summary>
    /// What the caller may discover; false for one who may discover nothing and has not said who it is.
    /// </summary>
    private bool TrySee(
        HttpContext context, ImmutableArray<ServiceView> all, out ImmutableArray<ServiceView> seen)
    {
        var principal = context.Principal();
        seen = [.. all.Where(view => MaySee(principal, view.Key))];
        return !seen.IsEmpty || !ProtocolCallers.IsNobody(context);
    }

    private bool MaySee(Principal principal, ServiceKey service) =>
        access.Allows(principal, Verb.Discover, RegistryAccess.Target(service));

    private Fault? CheckDiscover(HttpContext context, string app, ServiceView? view)
    {
        if (view is not null) return access.Check(context, Verb.Discover, RegistryAccess.Target(view.Key));
        // Not there is told to whoever may discover it were it there.
        var possible = EurekaApplications.Spellings(app).ToArray();
        return possible.Length == 0 || possible.Any(key => MaySee(context.Principal(), key))
            ? null
            : access.Check(context, Verb.Discover, RegistryAccess.Target(possible[0]));
    }

    private static Task NotFound(HttpContext context) =>
        EurekaAnswers.WriteAsync(context, StatusCodes.Status404NotFound);

    private static Task Refuse(HttpContext context) => EurekaAnswers.WriteAsync(
        context, new Fault(ErrorCodes.Unauthenticated, "Send a name and a password, or an access key."));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed inside the platform")]
    private partial void LogFailure(string method, string path, Exception failure);
}
