using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>An instance with what its view says of it.</summary>
internal readonly record struct ConsulEntry(Instance Instance, ServiceView View)
{
    public ConsulExtension? Kept => ConsulExtension.Of(Instance);

    /// <summary>As Consul names it: unique on its machine for those that a client of Consul has registered.</summary>
    public string Id => Kept?.Id ?? Instance.Key.Id;

    public string Machine => Kept?.Machine?.Name ?? ConsulShapes.NodeName;
}

/// <summary>
/// Writes instances as Consul has them, whichever protocol registered them. All that no catalog has put on a machine of
/// its own are on one node, which is the platform: its agent is whichever of our nodes is asked.
/// </summary>
internal sealed class ConsulShapes(string storeId, Func<IPEndPoint> endPoint)
{
    /// <summary>The one node that has an agent.</summary>
    public const string NodeName = "groundwork";

    /// <summary>Stands for whether the registry believes in an instance.</summary>
    private const string RegistryCheck = "groundwork:";

    /// <summary>What Consul calls the check of a service that is in maintenance.</summary>
    private const string MaintenanceCheck = "_service_maintenance:";

    private const string Serf = "serfHealth";

    /// <summary>The same on all nodes, as long as the store is.</summary>
    public string NodeId { get; } = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(storeId)).AsSpan(0, 16)).ToString();

    public string Address => Reached.Address.ToString();

    public int Port => Reached.Port;

    public string EndPoint => Reached.ToString();

    // A listener on every address has none of its own.
    private IPEndPoint Reached => endPoint() switch
    {
        { Address: var any, Port: var port } when any.Equals(IPAddress.Any) => new IPEndPoint(IPAddress.Loopback, port),
        { Address: var any, Port: var port } when any.Equals(IPAddress.IPv6Any) =>
            new IPEndPoint(IPAddress.IPv6Loopback, port),
        var one => one,
    };

    public static IEnumerable<ConsulEntry> Entries(ServiceView view)
    {
        foreach (var instance in view.Instances) yield return new ConsulEntry(instance, view);
    }

    /// <summary>The machine of an instance.</summary>
    public JsonObject Node(ConsulMachine? machine, long index) => new()
    {
        ["ID"] = machine?.Id ?? NodeId,
        ["Node"] = machine?.Name ?? NodeName,
        ["Address"] = machine?.Address ?? Address,
        ["Datacenter"] = ProtocolNames.ConsulDatacenter,
        ["TaggedAddresses"] = machine?.TaggedAddresses is { } tagged
            ? ToNode(tagged)
            : new JsonObject { ["lan"] = machine?.Address ?? Address, ["wan"] = machine?.Address ?? Address },
        ["Meta"] = Map(machine?.Meta),
        ["CreateIndex"] = index,
        ["ModifyIndex"] = index,
    };

    /// <summary>An instance as the agent and the lists of health have it.</summary>
    public static JsonObject Service(ConsulEntry entry)
    {
        var (instance, kept) = (entry.Instance, entry.Kept);
        var written = new JsonObject
        {
            ["ID"] = entry.Id,
            ["Service"] = ProtocolNames.ToConsul(instance.Key.Service),
            ["Tags"] = Tags(instance),
            ["Address"] = instance.Host,
            ["TaggedAddresses"] = kept?.TaggedAddresses is { } tagged ? ToNode(tagged) : new JsonObject(),
            ["Meta"] = Map(instance.Metadata),
            ["Port"] = kept?.HasNoPort == true ? 0 : instance.Port,
            ["Weights"] = Weights(instance, kept),
            ["EnableTagOverride"] = kept?.EnableTagOverride ?? false,
        };
        if (kept?.Kind is { } kind) written["Kind"] = kind;
        if (kept?.Proxy is { } proxy) written["Proxy"] = ToNode(proxy);
        if (kept?.Connect is { } connect) written["Connect"] = ToNode(connect);
        written["CreateIndex"] = entry.View.Index;
        written["ModifyIndex"] = entry.View.Index;
        return written;
    }

    /// <summary>An instance as the catalog's list of a service has it.</summary>
    public JsonObject CatalogService(ConsulEntry entry)
    {
        var written = Node(entry.Kept?.Machine, entry.View.Index);
        var meta = written["Meta"];
        written.Remove("Meta");
        written["NodeMeta"] = meta;
        var service = Service(entry);
        foreach (var (name, to) in new[] { ("ID", "ServiceID"), ("Service", "ServiceName"), ("Tags", "ServiceTags"),
            ("Address", "ServiceAddress"), ("TaggedAddresses", "ServiceTaggedAddresses"), ("Meta", "ServiceMeta"),
            ("Port", "ServicePort"), ("Weights", "ServiceWeights"), ("EnableTagOverride", "ServiceEnableTagOverride"),
            ("Kind", "ServiceKind"), ("Proxy", "ServiceProxy"), ("Connect", "ServiceConnect") })
        {
            var value = service[name];
            if (!service.Remove(name)) continue;
            written[to] = value;
        }
        return written;
    }

    /// <summary>An instance with its machine and its checks.</summary>
    public JsonObject HealthOf(ConsulEntry entry)
    {
        var checks = new JsonArray();
        if (entry.Kept?.Machine is null) checks.Add(SerfHealth(entry.View.Index));
        foreach (var check in Checks(entry)) checks.Add(check);
        return new JsonObject
        {
            ["Node"] = Node(entry.Kept?.Machine, entry.View.Index), ["Service"] = Service(entry), ["Checks"] = checks,
        };
    }

    /// <summary>
    /// True for what a caller may call. Who registered over Consul has the word of its own checks; of others, what the
    /// registry sends traffic to, protection included.
    /// </summary>
    public static bool IsPassing(ConsulEntry entry) => entry.Kept is null
        ? entry.View.Callable.Any(callable => ReferenceEquals(callable, entry.Instance))
        : entry.Instance.Checks.All(check => check.State == CheckState.Passing) && Doubt(entry.Instance) is null
            && entry.Instance.Status == InstanceStatus.Up;

    /// <summary>All checks of an instance: its own, and what the registry and operators say of it.</summary>
    public static IEnumerable<JsonObject> Checks(ConsulEntry entry)
    {
        var (instance, kept) = (entry.Instance, entry.Kept);
        foreach (var check in instance.Checks)
            yield return Check(
                entry, check.Name, check.State, check.Reason ?? "",
                kept?.Checks.FirstOrDefault(definition => definition.Id == check.Name));
        if (Doubt(instance) is { } doubt)
            yield return Check(
                entry, RegistryCheck + entry.Id, CheckState.Critical,
                entry.View.Protection ? $"{doubt}; {entry.View.ProtectionReason}" : doubt,
                new ConsulCheck("", "Registry"));
        else if (kept is null && instance.Health.Cause != HealthCause.Check)
            yield return Check(
                entry, RegistryCheck + entry.Id, CheckState.Passing, instance.Health.Reason,
                new ConsulCheck("", "Registry"));
        if (instance.Status != InstanceStatus.Up)
            yield return Check(
                entry, MaintenanceCheck + entry.Id, CheckState.Critical, "",
                new ConsulCheck("", "Service Maintenance Mode") { Notes = WhyNot(instance, kept) });
    }

    /// <summary>That the platform runs, where Consul says so of its agent.</summary>
    public static JsonObject SerfHealth(long index) => new()
    {
        ["Node"] = NodeName, ["CheckID"] = Serf, ["Name"] = "Serf Health Status", ["Status"] = "passing",
        ["Notes"] = "",
        ["Output"] = "Agent alive and reachable", ["ServiceID"] = "", ["ServiceName"] = "",
        ["ServiceTags"] = new JsonArray(), ["Type"] = "", ["Definition"] = new JsonObject(), ["CreateIndex"] = index,
        ["ModifyIndex"] = index,
    };

    /// <summary>What makes the registry not believe in an instance whose own checks do not say so.</summary>
    private static string? Doubt(Instance instance) =>
        instance.Health is { State: HealthState.Unhealthy, Cause: not HealthCause.Check }
            ? instance.Health.Reason
            : null;

    private static string WhyNot(Instance instance, ConsulExtension? kept) =>
        instance.Override is { RegisteredStatus: not null } over
            ? $"{InstanceWords.Of(instance.Status)}, by {over.By}: {over.Reason ?? "no reason given"}"
            : kept?.Maintenance is { } reason ? reason : $"The instance is {InstanceWords.Of(instance.Status)}.";

    private static JsonObject Check(
        ConsulEntry entry, string id, CheckState state, string output, ConsulCheck? definition) => new()
    {
        ["Node"] = entry.Machine,
        ["CheckID"] = id,
        ["Name"] = definition?.Name ?? id,
        ["Status"] = InstanceWords.Of(state),
        ["Notes"] = definition?.Notes ?? "",
        ["Output"] = output,
        ["ServiceID"] = entry.Id,
        ["ServiceName"] = ProtocolNames.ToConsul(entry.Instance.Key.Service),
        ["ServiceTags"] = Tags(entry.Instance),
        ["Type"] = definition?.Type ?? "",
        ["Interval"] = Span(definition?.Interval),
        ["Timeout"] = Span(definition?.Timeout),
        ["Definition"] = new JsonObject(),
        ["CreateIndex"] = entry.View.Index,
        ["ModifyIndex"] = entry.View.Index,
    };

    private static string Span(long? milliseconds) => milliseconds is null or 0
        ? ""
        : GoDuration.Write(TimeSpan.FromMilliseconds(milliseconds.Value));

    private static JsonObject Weights(Instance instance, ConsulExtension? kept)
    {
        var ours = instance.Weight == 0 ? 0 : Math.Max(1, (int)Math.Round(instance.Weight / 100.0));
        // What an operator has put over it counts.
        return kept is null || instance.Override?.RegisteredWeight is not null
            ? new JsonObject { ["Passing"] = ours, ["Warning"] = Math.Min(1, ours) }
            : new JsonObject { ["Passing"] = kept.PassingWeight, ["Warning"] = kept.WarningWeight };
    }

    private static JsonArray Tags(Instance instance)
    {
        var tags = new JsonArray();
        foreach (var tag in instance.Tags) tags.Add((JsonNode)tag);
        return tags;
    }

    private static JsonObject Map(IEnumerable<KeyValuePair<string, string>>? entries)
    {
        var map = new JsonObject();
        foreach (var (name, value) in entries ?? []) map[name] = value;
        return map;
    }

    private static JsonNode? ToNode(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(value),
        JsonValueKind.Array => JsonArray.Create(value),
        _ => JsonValue.Create(value),
    };
}
