using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>
/// What is written into the catalog past any agent: services on machines that only the catalog knows. Nobody looks
/// after their checks but who wrote them. A machine is there as long as it has a service.
/// </summary>
internal sealed class ConsulCatalog(ProtocolParts parts, ConsulAgent agent, ConsulReads reads)
{
    /// <summary><c>PUT /catalog/register</c>.</summary>
    public async Task<Fault?> RegisterAsync(HttpContext context, ConsulCall call)
    {
        if (!(await ConsulAgent.ReadAsync(context, ConsulRequestJson.Default.CatalogRequest)).TryGet(
            out var asked, out var fault)) return fault;
        if (ConsulCall.CheckPlace(asked.Datacenter) is { } elsewhere) return elsewhere;
        if (string.IsNullOrEmpty(asked.Node) || string.IsNullOrEmpty(asked.Address))
            return ConsulRules.Bad("Must provide node and address");
        var wanted = (asked.Checks ?? []).Prepend(asked.Check).OfType<CheckRequest>().ToArray();
        if (asked.Service is null)
            return wanted.Length > 0
                ? await SetChecksAsync(context, call, asked.Node, wanted)
                : ConsulRules.Bad("A node is kept with its services: register one with it");
        if (string.IsNullOrEmpty(asked.Service.Service)) return ConsulRules.Bad("Must provide service name with ID");
        if (!ProtocolNames.OfConsul(datacenter: null, call.Namespace, asked.Service.Service).TryGet(
            out var service, out fault)) return fault;
        var machine = asked.Node == ConsulShapes.NodeName ? null : new ConsulMachine(asked.Node, asked.Address)
        {
            Id = asked.Id ?? "",
            Meta = asked.NodeMeta?.ToDictionary(entry => entry.Key, entry => entry.Value ?? "", StringComparer.Ordinal),
            TaggedAddresses = asked.TaggedAddresses,
        };
        var id = string.IsNullOrEmpty(asked.Service.Id) ? asked.Service.Service : asked.Service.Id;
        var request = new ServiceRequest
        {
            Name = asked.Service.Service, Id = id, Tags = asked.Service.Tags, Meta = asked.Service.Meta,
            Port = asked.Service.Port, Weights = asked.Service.Weights, TaggedAddresses = asked.Service.TaggedAddresses,
        };
        var key = new InstanceKey(service, IdOf(asked.Node, id));
        var address = string.IsNullOrEmpty(asked.Service.Address) ? asked.Address : asked.Service.Address;
        if (await agent.RegisterAsync(context, request, key, address, machine) is { } refused) return refused;
        foreach (var check in wanted)
            if (await SetCheckAsync(context, key, asked.Node, id, check) is { } wrong) return wrong;
        return null;
    }

    /// <summary><c>PUT /catalog/deregister</c>: a check, a service, or all of a machine.</summary>
    public async Task<Fault?> DeregisterAsync(HttpContext context, ConsulCall call)
    {
        if (!(await ConsulAgent.ReadAsync(context, ConsulRequestJson.Default.CatalogRemovalRequest)).TryGet(
            out var asked, out var fault)) return fault;
        if (ConsulCall.CheckPlace(asked.Datacenter) is { } elsewhere) return elsewhere;
        if (string.IsNullOrEmpty(asked.Node)) return ConsulRules.Bad("Must provide node");
        var entries = reads.OnMachine(context, call.Namespace, asked.Node)
            .Where(entry => entry.Kept is not null
                && (string.IsNullOrEmpty(asked.ServiceId) || entry.Id == asked.ServiceId))
            .ToArray();
        if (asked.CheckId is { Length: > 0 } check)
        {
            entries = [.. entries.Where(entry =>
                entry.Instance.Checks.Any(one => one.Name == OwnCheck(asked.Node, check)))];
        }
        else if (string.IsNullOrEmpty(asked.ServiceId) && asked.Node == ConsulShapes.NodeName)
        {
            return ConsulRules.Bad("The agent's own node is not deregistered: name a ServiceID");
        }
        foreach (var key in entries.Select(entry => entry.Instance.Key))
        {
            fault = parts.Access.Check(context, Verb.Register, RegistryAccess.Target(key));
            fault ??= asked.CheckId is { Length: > 0 } one
                ? await agent.RemoveCheckAsync(context, key, OwnCheck(asked.Node, one))
                : await parts.Registrations.DeregisterAsync(
                    key, incarnation: null, context.Principal().Name, why: null, context.RequestAborted);
            if (fault is not null) return fault;
        }
        return null;
    }

    /// <summary><c>/catalog/datacenters</c>: the one there is.</summary>
    public static Task DatacentersAsync(HttpContext context) =>
        ConsulCall.WriteAsync(context, new JsonArray(ProtocolNames.ConsulDatacenter));

    private async Task<Fault?> SetChecksAsync(
        HttpContext context, ConsulCall call, string machine, IReadOnlyList<CheckRequest> wanted)
    {
        foreach (var check in wanted)
        {
            if (string.IsNullOrEmpty(check.ServiceId))
                return ConsulRules.Bad("Checks of nodes are not kept: name a ServiceID");
            var found = reads.OnMachine(context, call.Namespace, machine)
                .Where(entry => entry.Kept is not null && entry.Id == check.ServiceId).ToArray();
            if (found.Length == 0)
                return ConsulRules.Bad($"ServiceID \"{check.ServiceId}\" does not exist on {machine}");
            var key = found[0].Instance.Key;
            if (parts.Access.Check(context, Verb.Register, RegistryAccess.Target(key)) is { } refusal) return refusal;
            if (await SetCheckAsync(context, key, machine, check.ServiceId, check) is { } wrong) return wrong;
        }
        return null;
    }

    // The state is as it is written: who writes into the catalog looks after it.
    private Task<Fault?> SetCheckAsync(
        HttpContext context, InstanceKey key, string machine, string serviceId, CheckRequest check)
    {
        var plain = check with
        {
            Http = null, Tcp = null, Ttl = null, DeregisterCriticalServiceAfter = null, Output = check.Output ?? "",
            CheckId = OwnCheck(
                machine, string.IsNullOrEmpty(check.CheckId) ? check.Id ?? $"service:{serviceId}" : check.CheckId),
        };
        return ConsulRules.Read(plain, $"service:{serviceId}", $"service:{serviceId}", mayRest: true).TryGet(
            out var read, out var fault)
            ? agent.SetCheckAsync(context, key, read.Definition, read.Status, read.Output)
            : Task.FromResult<Fault?>(fault);
    }

    // On another machine the same ids may be used again.
    private static string IdOf(string machine, string id) =>
        InstanceIds.Of(machine == ConsulShapes.NodeName ? id : $"{machine}:{id}");

    private static string OwnCheck(string machine, string check) =>
        machine == ConsulShapes.NodeName ? check : $"{machine}/{check}";
}
