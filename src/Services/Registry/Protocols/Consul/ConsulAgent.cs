using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>
/// The agent's part: services with their checks, which are instances that stay until they are deregistered.
/// </summary>
internal sealed class ConsulAgent(ProtocolParts parts, ConsulReads reads, ConsulChecks checks, ConsulShapes shapes)
{
    /// <summary>The API that this is like; some clients choose by it what they ask for.</summary>
    private const string Version = "1.9.0";

    /// <summary>How long a change waits for the store, which writes as soon as it is back.</summary>
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(5);

    private InstanceRegistry Registry => parts.Registry;

    /// <summary>
    /// The address of an instance that names none: where the call came from, as an agent is beside its services.
    /// </summary>
    public static string AddressOf(HttpContext context) =>
        context.Connection.RemoteIpAddress is not { } address ? IPAddress.Loopback.ToString()
        : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    public static async ValueTask<Outcome<T>> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> json)
        where T : class
    {
        if (!(await ProtocolCalls.ReadBodyAsync(context, RegistryLimits.MaxRegistrationBytes))
            .TryGet(out var body, out var fault)) return fault;
        try
        {
            if (!JsonText.IsUnicode(body)) return ConsulRules.Bad("Request decode failed: a text is no Unicode");
            return JsonSerializer.Deserialize(body, json) is { } read
                ? read
                : ConsulRules.Bad("Request decode failed: it is null");
        }
        catch (JsonException wrong)
        {
            return ConsulRules.Bad($"Request decode failed: {wrong.Path ?? "$"} is not what belongs there");
        }
    }

    /// <summary><c>PUT /agent/service/register</c>.</summary>
    public async Task<Fault?> RegisterAsync(HttpContext context, ConsulCall call)
    {
        if (!(await ReadAsync(context, ConsulRequestJson.Default.ServiceRequest)).TryGet(out var asked, out var fault))
            return fault;
        if (string.IsNullOrEmpty(asked.Name)) return ConsulRules.Bad("Missing service name");
        var id = string.IsNullOrEmpty(asked.Id) ? asked.Name : asked.Id;
        var ns = string.IsNullOrEmpty(asked.Namespace) ? call.Namespace : asked.Namespace;
        if (!ProtocolNames.OfConsul(datacenter: null, ns, asked.Name).TryGet(out var service, out fault)) return fault;
        var address = string.IsNullOrEmpty(asked.Address) ? AddressOf(context) : asked.Address;
        fault = await RegisterAsync(
            context, asked with { Id = id }, new InstanceKey(service, InstanceIds.Of(id)), address, machine: null);
        if (fault is not null) return fault;
        // An id is one service's: one that has moved to another name leaves the first.
        foreach (var other in Registry.ById.Find(InstanceIds.Of(id)))
        {
            if (other.Service == service || other.Service.Namespace != service.Namespace || !IsOfAgent(other)) continue;
            if (parts.Access.Check(context, Verb.Register, RegistryAccess.Target(other)) is not null) continue;
            await parts.Registrations.DeregisterAsync(
                other, incarnation: null, context.Principal().Name, "registered under another name",
                context.RequestAborted);
        }
        return null;
    }

    /// <summary>Registers what has been read, on whichever machine.</summary>
    public async Task<Fault?> RegisterAsync(
        HttpContext context, ServiceRequest asked, InstanceKey key, string address, ConsulMachine? machine)
    {
        var known = Registry.FindInstance(key)?.Instance;
        if (!ConsulRules.Read(asked, key.Service, key.Id, address, machine, known, Now()).TryGet(
            out var document, out var fault)) return fault;
        var principal = context.Principal().Name;
        var by = ProtocolCalls.Describe(
            ConsulExtension.Name, context.Request.Headers.UserAgent.ToString(), principal);
        if (!parts.Rules.Read(document, by, RequestAddress.Of(context)).TryGet(out var wanted, out fault)) return fault;
        fault = parts.Access.Check(context, Verb.Register, RegistryAccess.Target(wanted.Key));
        if (fault is null && FindTaken(wanted) is { } taken)
            fault = ConsulRules.Bad($"The check {taken} is another service's");
        if (fault is null)
        {
            var outcome = await parts.Registrations.RegisterAsync(wanted, principal, context.RequestAborted);
            if (outcome.TryGet(out _, out fault))
            {
                checks.Note(wanted.Key);
                // Its index is then the store's, and what others register does not move it.
                return await KeepAsync(context);
            }
        }
        parts.Refused.Note(wanted.Key, "registration", fault.Error, principal);
        return fault;
    }

    /// <summary><c>PUT /agent/service/deregister/ID</c>.</summary>
    public async Task<Fault?> DeregisterAsync(HttpContext context, ConsulCall call)
    {
        if (!FindService(context, call).TryGet(out var key, out var fault)) return fault;
        return await parts.Registrations.DeregisterAsync(
            key, incarnation: null, context.Principal().Name, why: null, context.RequestAborted);
    }

    /// <summary>
    /// <c>PUT /agent/service/maintenance/ID?enable=</c>: the instance is out of service, for everybody and with the
    /// reason, until it is told otherwise; its own registration does not take it back.
    /// </summary>
    public async Task<Fault?> MaintainAsync(HttpContext context, ConsulCall call)
    {
        bool? enable = context.Request.Query["enable"].ToString() switch
        {
            "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
            "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
            _ => null,
        };
        if (enable is null) return ConsulRules.Bad("Invalid value for enable, or it is missing");
        if (!FindService(context, call).TryGet(out var key, out var fault)) return fault;
        var given = ConsulRules.Clean(context.Request.Query["reason"].ToString());
        var reason = given.Length == 0
            ? "Maintenance mode is enabled for this service, but no reason was provided."
            : given;
        var outcome = Registry.Amend(
            key,
            known => ConsulExtension.Of(known) is not { } kept ? known : known with
            {
                Status = enable.Value ? InstanceStatus.OutOfService : InstanceStatus.Up,
                Extensions = (kept with { Maintenance = enable.Value ? reason : null }).In(known.Extensions),
            },
            enable.Value ? $"maintenance began: {reason}" : "maintenance ended", context.Principal().Name, hold: true);
        return outcome.Fault ?? await KeepAsync(context);
    }

    /// <summary><c>PUT /agent/check/register</c>, of a service that is registered.</summary>
    public async Task<Fault?> RegisterCheckAsync(HttpContext context, ConsulCall call)
    {
        if (!(await ReadAsync(context, ConsulRequestJson.Default.CheckRequest)).TryGet(out var asked, out var fault))
            return fault;
        if (string.IsNullOrEmpty(asked.Name)) return ConsulRules.Bad("Missing check name");
        if (string.IsNullOrEmpty(asked.ServiceId))
            return ConsulRules.Bad("Checks of the agent itself are not kept: name a ServiceID");
        if (FindOfAgent(call, asked.ServiceId) is not { } key)
            return ConsulRules.Bad($"ServiceID \"{asked.ServiceId}\" does not exist");
        if (parts.Access.Check(context, Verb.Register, RegistryAccess.Target(key)) is { } refusal) return refusal;
        if (!ConsulRules.Read(asked, asked.Name, asked.Name).TryGet(out var read, out fault)) return fault;
        return await SetCheckAsync(context, key, read.Definition, read.Status, read.Output);
    }

    /// <summary>Adds a check to an instance, or defines it anew.</summary>
    public async Task<Fault?> SetCheckAsync(
        HttpContext context, InstanceKey key, ConsulCheck check, string? status, string? output)
    {
        if (checks.Find(check.Id) is { } owner && owner != key && Registry.FindInstance(owner) is not null)
            return ConsulRules.Bad($"The check {check.Id} is another service's");
        Fault? wrong = null;
        var now = Now();
        var outcome = Registry.Amend(
            key,
            known =>
            {
                if (ConsulExtension.Of(known) is not { } kept) return known;
                if (kept.Checks.Length >= RegistryLimits.MaxChecks && kept.Checks.All(one => one.Id != check.Id))
                {
                    wrong = ConsulRules.Bad($"A service has at most {RegistryLimits.MaxChecks} checks");
                    return known;
                }
                var state = ConsulRules.StateOf(check, status, output, known, now);
                var next = new Check(
                    check.Id, InstanceWords.Check(state.State) ?? CheckState.Critical, state.Reason, state.Since,
                    ConsulExtension.Name);
                return known with
                {
                    Checks = known.Checks.RemoveAll(one => one.Name == check.Id).Add(next),
                    Extensions = (kept with { Checks = kept.Checks.RemoveAll(one => one.Id == check.Id).Add(check) })
                        .In(known.Extensions),
                };
            },
            $"check {check.Id} was registered", context.Principal().Name, hold: true);
        if ((wrong ?? outcome.Fault) is { } fault) return fault;
        checks.Note(key);
        return await KeepAsync(context);
    }

    /// <summary><c>PUT /agent/check/deregister/ID</c>.</summary>
    public Task<Fault?> DeregisterCheckAsync(HttpContext context) =>
        FindCheck(context, Verb.Register, out var check).TryGet(out var key, out var fault)
            ? RemoveCheckAsync(context, key, check)
            : Task.FromResult<Fault?>(fault);

    public async Task<Fault?> RemoveCheckAsync(HttpContext context, InstanceKey key, string check)
    {
        var outcome = Registry.Amend(
            key,
            known => ConsulExtension.Of(known) is not { } kept ? known : known with
            {
                Checks = known.Checks.RemoveAll(one => one.Name == check),
                Extensions = (kept with { Checks = kept.Checks.RemoveAll(one => one.Id == check) })
                    .In(known.Extensions),
            },
            $"check {check} was deregistered", context.Principal().Name, hold: true);
        return outcome.Fault ?? await KeepAsync(context);
    }

    /// <summary><c>PUT /agent/check/pass|warn|fail/ID?note=</c>.</summary>
    public Fault? Tell(HttpContext context, CheckState state) =>
        Tell(context, state, context.Request.Query["note"].ToString());

    /// <summary><c>PUT /agent/check/update/ID</c>, with the state in the body.</summary>
    public async Task<Fault?> UpdateCheckAsync(HttpContext context)
    {
        if (!(await ReadAsync(context, ConsulRequestJson.Default.CheckUpdateRequest))
            .TryGet(out var asked, out var fault))
            return fault;
        return InstanceWords.Check(asked.Status) is { } state
            ? Tell(context, state, asked.Output ?? "")
            : ConsulRules.Bad($"Invalid check status: '{asked.Status}'");
    }

    /// <summary><c>/agent/services</c>.</summary>
    public Task ServicesAsync(HttpContext context, ConsulCall call)
    {
        var services = new JsonObject();
        foreach (var entry in reads.OfAgent(context, call.Namespace))
        {
            var service = ConsulShapes.Service(entry);
            service["Datacenter"] = ProtocolNames.ConsulDatacenter;
            if (!call.Matches(service).TryGet(out var matches, out var fault))
                return ConsulCall.WriteAsync(context, fault);
            if (matches) services[ConsulReads.KeyOf(services, entry)] = service;
        }
        return ConsulCall.WriteAsync(context, services);
    }

    /// <summary><c>/agent/service/ID</c>.</summary>
    public Task ServiceAsync(HttpContext context, ConsulCall call)
    {
        var id = SentPath.RouteValue(context, "id");
        foreach (var entry in reads.OfAgent(context, call.Namespace))
        {
            if (entry.Id != id) continue;
            var service = ConsulShapes.Service(entry);
            service["Datacenter"] = ProtocolNames.ConsulDatacenter;
            return ConsulCall.WriteAsync(context, service);
        }
        return ConsulCall.WriteTextAsync(context, StatusCodes.Status404NotFound, $"unknown service ID: {id}");
    }

    /// <summary><c>/agent/checks</c>.</summary>
    public Task ChecksAsync(HttpContext context, ConsulCall call)
    {
        var all = new JsonObject();
        foreach (var check in reads.OfAgent(context, call.Namespace).SelectMany(ConsulShapes.Checks))
        {
            if (!call.Matches(check).TryGet(out var matches, out var fault))
                return ConsulCall.WriteAsync(context, fault);
            if (matches) all[(string?)check["CheckID"] ?? ""] = check;
        }
        return ConsulCall.WriteAsync(context, all);
    }

    /// <summary><c>/agent/self</c>: as much of it as is true here.</summary>
    public Task SelfAsync(HttpContext context) => ConsulCall.WriteAsync(context, new JsonObject
    {
        ["Config"] = new JsonObject
        {
            ["Datacenter"] = ProtocolNames.ConsulDatacenter, ["PrimaryDatacenter"] = ProtocolNames.ConsulDatacenter,
            ["NodeName"] = ConsulShapes.NodeName, ["NodeID"] = shapes.NodeId, ["Server"] = true,
            ["Revision"] = "groundwork", ["Version"] = Version,
        },
        ["Member"] = Member(),
        ["Meta"] = new JsonObject(),
    });

    /// <summary><c>/agent/members</c>: the one there is.</summary>
    public Task MembersAsync(HttpContext context) =>
        ConsulCall.WriteAsync(context, new JsonArray(Member()));

    private JsonObject Member() => new()
    {
        ["Name"] = ConsulShapes.NodeName, ["Addr"] = shapes.Address, ["Port"] = shapes.Port, ["Status"] = 1,
        ["Tags"] = new JsonObject
        {
            ["role"] = "consul", ["dc"] = ProtocolNames.ConsulDatacenter, ["id"] = shapes.NodeId, ["build"] = Version,
        },
    };

    private Fault? Tell(HttpContext context, CheckState state, string output)
    {
        if (!FindCheck(context, Verb.Renew, out var id).TryGet(out var key, out var fault)) return fault;
        var definition = Registry.FindInstance(key) is { } found
            ? ConsulExtension.Of(found.Instance)?.Checks.FirstOrDefault(check => check.Id == id)
            : null;
        if (definition is null) return UnknownCheck(id);
        if (definition.Ttl is null) return ConsulRules.Bad($"CheckID \"{id}\" does not have associated TTL");
        return checks.Tell(key, definition, state, output, context.Principal().Name) ? null : UnknownCheck(id);
    }

    /// <summary>The instance whose check the path names, and which the caller may do this to.</summary>
    private Outcome<InstanceKey> FindCheck(HttpContext context, Verb verb, out string check)
    {
        check = SentPath.RouteValue(context, "id");
        if (checks.Find(check) is { } key && Registry.FindInstance(key) is not null)
            return parts.Access.Check(context, verb, RegistryAccess.Target(key)) is { } refusal ? refusal : key;
        return UnknownCheck(check);
    }

    private Outcome<InstanceKey> FindService(HttpContext context, ConsulCall call)
    {
        var id = SentPath.RouteValue(context, "id");
        if (FindOfAgent(call, id) is { } key)
            return parts.Access.Check(context, Verb.Register, RegistryAccess.Target(key)) is { } refusal
                ? refusal
                : key;
        return new Fault(ErrorCodes.NotFound, $"Unknown service ID \"{id}\". "
            + "Ensure that the service ID is passed, not the service name.");
    }

    private InstanceKey? FindOfAgent(ConsulCall call, string id)
    {
        foreach (var key in Registry.ById.Find(InstanceIds.Of(id)))
            if (key.Service.Namespace == call.Namespace && IsOfAgent(key)) return key;
        return null;
    }

    private bool IsOfAgent(InstanceKey key) =>
        Registry.FindInstance(key)?.Instance is { } instance && ConsulExtension.Of(instance) is { Machine: null };

    // An id is unique among all checks, since it is all that a word about one names.
    private string? FindTaken(Instance wanted)
    {
        foreach (var check in wanted.Checks)
            if (checks.Find(check.Name) is { } owner && owner != wanted.Key && owner.Id != wanted.Key.Id
                && Registry.FindInstance(owner) is not null) return check.Name;
        return null;
    }

    private static Fault UnknownCheck(string id) => new(ErrorCodes.NotFound,
        $"Unknown check ID \"{id}\". Ensure that the check ID is passed, not the check name.");

    /// <summary>Waits until what was changed is in the store.</summary>
    private async Task<Fault?> KeepAsync(HttpContext context)
    {
        try
        {
            await parts.Sync.FlushAsync().WaitAsync(StorePatience, parts.Time, context.RequestAborted);
            return null;
        }
        catch (TimeoutException)
        {
            return new Fault(ErrorCodes.StorageUnavailable, "The change is in effect, but not in the store yet.");
        }
    }

    // As the store keeps it, so that what comes back from there is the same.
    private DateTimeOffset Now() =>
        DateTimeOffset.FromUnixTimeMilliseconds(parts.Time.GetUtcNow().ToUnixTimeMilliseconds());
}
