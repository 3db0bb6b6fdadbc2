using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Explaining;
using Groundwork.Services.Registry.Storing;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>What clients of Eureka change: their own instances, and the status of others.</summary>
internal sealed class EurekaWrites(
    InstanceRegistry registry,
    Registrations registrations,
    InstanceRules rules,
    RegistryAccess access,
    RefusedClaims refused,
    StoreSync sync,
    EurekaApplications applications,
    TimeProvider time)
{
    /// <summary>How long an override waits for the store, which writes as soon as it is back.</summary>
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(5);

    /// <summary>204, as its clients insist.</summary>
    public async Task<Fault?> RegisterAsync(HttpContext context)
    {
        var app = SentPath.RouteValue(context, "service");
        if (!(await ProtocolCalls.ReadBodyAsync(context, RegistryLimits.MaxRegistrationBytes))
            .TryGet(out var body, out var fault)) return fault;
        if (!EurekaRegistration.Read(body, context.Request.ContentType).TryGet(out var asked, out fault)) return fault;
        if (asked.Check(app) is { } wrong) return wrong;
        if (!applications.ForRegistration(app, asked.Vip, asked.Id).TryGet(out var service, out fault)) return fault;
        var principal = context.Principal().Name;
        var key = new InstanceKey(service, InstanceIds.Of(asked.Id));
        var known = registry.FindInstance(key)?.Instance;
        var by = ProtocolCalls.Describe(EurekaExtension.Name, ClientOf(context.Request), principal);
        if (!rules.Read(asked.ToDocument(service, known), by, RequestAddress.Of(context))
            .TryGet(out var wanted, out fault)) return fault;
        fault = access.Check(context, Verb.Register, RegistryAccess.Target(wanted.Key));
        if (fault is null)
        {
            // A late one: what the client has said since stands, and that it lives is news all the same.
            if (known is not null && EurekaExtension.Of(known)?.Dirty > asked.Dirty
                && registry.Renew(key, incarnation: null) is null) return null;
            var outcome = await registrations.RegisterAsync(wanted, principal, context.RequestAborted);
            if (outcome.TryGet(out _, out fault)) return null;
        }
        refused.Note(wanted.Key, "registration", fault.Error, principal);
        return fault;
    }

    /// <summary>
    /// 200; 404 for an instance that is not registered, or that has changed since it registered: it then registers
    /// again.
    /// </summary>
    public Fault? Renew(HttpContext context)
    {
        if (!Find(context, Verb.Renew).TryGet(out var key, out var fault)) return fault;
        if (long.TryParse(context.Request.Query["lastDirtyTimestamp"], out var dirty)
            && registry.FindInstance(key)?.Instance is { } known
            && EurekaExtension.Of(known) is { Dirty: { } registered } && dirty > registered)
            return new Fault(ErrorCodes.InstanceNotFound, "The instance has changed since; register it again.");
        return registry.Renew(key, incarnation: null) is { } code
            ? new Fault(code, "The instance is not registered.")
            : null;
    }

    public async Task<Fault?> CancelAsync(HttpContext context)
    {
        if (!Find(context, Verb.Register).TryGet(out var key, out var fault)) return fault;
        return await registrations.DeregisterAsync(
            key, incarnation: null, context.Principal().Name, why: null, context.RequestAborted);
    }

    /// <summary>
    /// Puts a status over what the instance says of itself. It holds until it is taken back or deregistered.
    /// </summary>
    public Task<Fault?> SetStatusAsync(HttpContext context)
    {
        var value = context.Request.Query["value"].ToString().ToUpperInvariant();
        return EurekaStatus.IsStatus(value)
            ? OverrideAsync(context, value == EurekaStatus.Unknown ? null : value, own: null)
            : Task.FromResult<Fault?>(new Fault(ErrorCodes.BadRequest, $"There is no status '{value}'."));
    }

    /// <summary>
    /// Takes the override back. The value, where it is given, is what the instance says of itself meanwhile.
    /// </summary>
    public Task<Fault?> ClearStatusAsync(HttpContext context)
    {
        var value = context.Request.Query["value"].ToString().ToUpperInvariant();
        return value.Length == 0 || EurekaStatus.IsStatus(value)
            ? OverrideAsync(context, over: null, value is "" or EurekaStatus.Unknown ? null : value)
            : Task.FromResult<Fault?>(new Fault(ErrorCodes.BadRequest, $"There is no status '{value}'."));
    }

    /// <summary>Adds to the metadata, or changes it.</summary>
    public Fault? SetMetadata(HttpContext context)
    {
        if (!Find(context, Verb.Register).TryGet(out var key, out var fault)) return fault;
        var added = context.Request.Query.ToDictionary(
            entry => entry.Key, entry => entry.Value.ToString(), StringComparer.Ordinal);
        Fault? wrong = null;
        var outcome = registry.Amend(
            key,
            known =>
            {
                var merged = known.Metadata.Where(entry => !added.ContainsKey(entry.Key)).Concat(added)
                    .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
                wrong = InstanceRules.CheckMetadata(merged);
                return wrong is null ? known with { Metadata = TextMap.Of(merged) } : known;
            },
            "its metadata was changed", context.Principal().Name);
        return wrong ?? outcome.Fault;
    }

    private async Task<Fault?> OverrideAsync(HttpContext context, string? over, string? own)
    {
        if (!Find(context, Verb.Register, orOperate: true).TryGet(out var key, out var fault)) return fault;
        var outcome = registry.Amend(
            key,
            known =>
            {
                var kept = EurekaExtension.Of(known)
                    ?? new EurekaExtension(known.Key.Id, EurekaStatus.Write(known.Status), null, null, []);
                var next = kept with { Override = over, Status = own ?? kept.Status };
                return known with
                {
                    Status = EurekaStatus.Read(EurekaStatus.Effective(next.Status, over)),
                    Extensions = next.In(known.Extensions),
                };
            },
            over is null ? "the override of its status was taken back" : $"its status was overridden: {over}",
            context.Principal().Name);
        if (outcome.Fault is { } missing) return missing;
        try
        {
            await sync.FlushAsync().WaitAsync(StorePatience, time, context.RequestAborted);
            return null;
        }
        catch (TimeoutException)
        {
            return new Fault(ErrorCodes.StorageUnavailable, "The override is in effect, but not in the store yet.");
        }
    }

    /// <summary>The instance of the path, which the caller may do this to.</summary>
    private Outcome<InstanceKey> Find(HttpContext context, Verb verb, bool orOperate = false)
    {
        var app = SentPath.RouteValue(context, "service");
        var id = SentPath.RouteValue(context, "id");
        if (applications.FindInstance(app, id) is { } key)
        {
            var target = RegistryAccess.Target(key);
            if (orOperate && access.Allows(context.Principal(), Verb.Operate, target)) return key;
            return access.Check(context, verb, target) is { } refusal ? refusal : key;
        }
        // Not there is told to whoever could have it there; to others, what they may not do.
        var possible = EurekaApplications.Spellings(app)
            .Select(service => RegistryAccess.Target(new InstanceKey(service, InstanceIds.Of(id)))).ToArray();
        if (possible.Length > 0 && !possible.Any(target => access.Allows(context.Principal(), verb, target))
            && access.Check(context, verb, possible[0]) is { } forbidden) return forbidden;
        return new Fault(ErrorCodes.InstanceNotFound, $"There is no instance {id} of {app}.");
    }

    // Java's clients say it in headers of their own, npm's not at all.
    public static string ClientOf(HttpRequest request)
    {
        var name = request.Headers["DiscoveryIdentity-Name"].ToString();
        return name.Length == 0
            ? request.Headers.UserAgent.ToString()
            : $"{name}/{request.Headers["DiscoveryIdentity-Version"]}";
    }
}
