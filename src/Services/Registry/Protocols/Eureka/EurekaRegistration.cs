using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>An instance as a client registers it: <c>{"instance": {...}}</c>, or the same in XML.</summary>
/// <remarks>
/// What must be there and how it is told is that of Netflix's <c>ApplicationResource.addInstance</c>. Numbers may come
/// as text, and <c>@enabled</c> as true or as text.
/// </remarks>
internal sealed class EurekaRegistration
{
    /// <summary>Seconds that an instance lives without a renewal when it does not say.</summary>
    private const int DefaultLeaseSeconds = 90;

    // What the registry has fields for, or sets itself; the rest is answered as it came.
    private static readonly string[] Held =
        ["instanceId", "app", "status", "overriddenstatus", "overriddenStatus", "metadata", "lastUpdatedTimestamp",
            "lastDirtyTimestamp", "actionType"];

    private static readonly JsonDocumentOptions OnceEach = new() { AllowDuplicateProperties = false };

    private readonly JsonObject instance;

    private EurekaRegistration(JsonObject instance) => this.instance = instance;

    /// <summary>The application, as the body names it.</summary>
    public string App => TextOf("app");

    /// <summary>
    /// The id that the client will renew by: the one it gives, that of its machine at Amazon, or its host name.
    /// </summary>
    public string Id => TextOf("instanceId") is { Length: > 0 } given ? given
        : IsAmazon && instance["dataCenterInfo"]?["metadata"] is JsonObject machine
            && EurekaXml.TextOf(machine["instance-id"]) is { Length: > 0 } own ? own
        : TextOf("hostName");

    /// <summary>The names that it is found by; several are separated by commas.</summary>
    public string Vip => TextOf("vipAddress");

    /// <summary>UP unless given.</summary>
    public string Status => TextOf("status") is { Length: > 0 } given ? given.ToUpperInvariant() : EurekaStatus.Up;

    /// <summary>The override that the client brings along, from another server; null: none.</summary>
    public string? Override =>
        (TextOf("overriddenstatus") is { Length: > 0 } given
            ? given
            : TextOf("overriddenStatus")) is { Length: > 0 } over
            && over != EurekaStatus.Unknown && EurekaStatus.IsStatus(over) ? over : null;

    /// <summary>Unix milliseconds by the client's clock; null when it does not say.</summary>
    public long? Dirty => ReadNumber(instance["lastDirtyTimestamp"]);

    private bool IsAmazon => instance["dataCenterInfo"] is JsonObject center
        && EurekaXml.TextOf(center["name"]).Equals("Amazon", StringComparison.OrdinalIgnoreCase);

    /// <param name="contentType">XML when it says so, else JSON.</param>
    public static Outcome<EurekaRegistration> Read(ReadOnlyMemory<byte> body, string? contentType)
    {
        JsonObject? root;
        if (contentType?.Contains("xml", StringComparison.OrdinalIgnoreCase) == true)
        {
            if (!EurekaXml.Read(body).TryGet(out root, out var fault)) return fault;
        }
        else
        {
            try
            {
                if (!JsonText.IsUnicode(body.Span))
                    return new Fault(ErrorCodes.BadRequest, "The body has a text that is no Unicode.");
                root = JsonNode.Parse(body.Span, documentOptions: OnceEach) as JsonObject;
            }
            catch (JsonException)
            {
                return new Fault(ErrorCodes.BadRequest, "The body is not JSON that can be read.");
            }
        }
        if (root?["instance"] is not JsonObject instance)
            return new Fault(ErrorCodes.BadRequest, "The body is not an instance.");
        return new EurekaRegistration(instance);
    }

    /// <summary>Null when everything is there that a client of Eureka must say.</summary>
    public Fault? Check(string app)
    {
        if (string.IsNullOrWhiteSpace(Id)) return Missing("Missing instanceId");
        if (string.IsNullOrWhiteSpace(TextOf("hostName"))) return Missing("Missing hostname");
        if (string.IsNullOrWhiteSpace(TextOf("ipAddr"))) return Missing("Missing ip address");
        if (string.IsNullOrWhiteSpace(App)) return Missing("Missing appName");
        if (!App.Equals(app, StringComparison.OrdinalIgnoreCase))
            return Missing($"Mismatched appName, expecting {app} but was {App}");
        if (instance["dataCenterInfo"] is not JsonObject center) return Missing("Missing dataCenterInfo");
        if (EurekaXml.TextOf(center["name"]).Length == 0) return Missing("Missing dataCenterInfo Name");
        return EurekaStatus.IsStatus(Status) ? null : Missing($"Unknown status {Status}");
    }

    /// <summary>What the registry is asked to register; the rules of every registration are checked over it.</summary>
    /// <param name="known">What is registered by that id, whose override goes on.</param>
    public InstanceDocument ToDocument(ServiceKey service, Instance? known)
    {
        var over = Override ?? (known is null ? null : EurekaExtension.Of(known)?.Override);
        var (host, port, scheme) = ReadPlace();
        var metadata = ReadMetadata();
        return new InstanceDocument(service.Service, host, port, service.Namespace, service.Group, InstanceIds.Of(Id))
        {
            Scheme = scheme,
            Ports = ReadSecond(scheme),
            Status = InstanceWords.Of(EurekaStatus.Read(EurekaStatus.Effective(Status, over))),
            LeaseSeconds = ReadLease(),
            // Told to drain it stays so, since it may have been going all the while.
            Incarnation = known is { Status: InstanceStatus.Draining } ? known.Incarnation : null,
            Metadata = metadata,
            Zone = Label(metadata, "zone"),
            Version = Label(metadata, "version"),
            Extensions = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
            {
                [EurekaExtension.Name] = new EurekaExtension(Id, Status, over, Dirty, ReadFields()).ToJson(),
            },
        };
    }

    // The address is what we can connect to; the host's name may mean something to its own network alone.
    private (string Host, int Port, string Scheme) ReadPlace()
    {
        var address = TextOf("ipAddr");
        var host = System.Net.IPAddress.TryParse(address, out _) ? address : TextOf("hostName");
        var (plain, isPlain) = ReadPort("port", enabledUnlessSaid: true);
        var (secure, isSecure) = ReadPort("securePort", enabledUnlessSaid: false);
        return isSecure && (!isPlain || plain is null) && secure is { } tls
            ? (host, tls, "https")
            : (host, plain ?? 0, "http"); // 0 is refused with the reason by the rules of every registration.
    }

    private Dictionary<string, int>? ReadSecond(string scheme) =>
        scheme == "http" && ReadPort("securePort", enabledUnlessSaid: false) is (
            >= 1 and <= ushort.MaxValue and var tls, true)
            ? new Dictionary<string, int>(StringComparer.Ordinal) { ["secure"] = tls }
            : null;

    private (int? Port, bool Enabled) ReadPort(string field, bool enabledUnlessSaid)
    {
        var value = instance[field];
        if (value is not JsonObject parts)
            return (ReadNumber(value) is { } plain ? (int)Math.Clamp(plain, -1, 1 << 16) : null, enabledUnlessSaid);
        var enabled = EurekaXml.TextOf(parts["@enabled"]);
        var port = ReadNumber(parts["$"]) is { } number ? (int?)(int)Math.Clamp(number, -1, 1 << 16) : null;
        return (port, enabled.Length == 0
            ? enabledUnlessSaid
            : enabled.Equals("true", StringComparison.OrdinalIgnoreCase));
    }

    private int ReadLease()
    {
        var seconds = instance["leaseInfo"] is JsonObject lease ? ReadNumber(lease["durationInSecs"]) : null;
        return (int)Math.Clamp(
            seconds ?? DefaultLeaseSeconds, RegistryLimits.MinLeaseSeconds, RegistryLimits.MaxLeaseSeconds);
    }

    private Dictionary<string, string>? ReadMetadata()
    {
        if (instance["metadata"] is not JsonObject given) return null;
        // @class names the Java type of an empty map, and is nobody's metadata.
        var read = given.Where(entry => !entry.Key.StartsWith('@'))
            .ToDictionary(entry => entry.Key, entry => EurekaXml.TextOf(entry.Value), StringComparer.Ordinal);
        return read.Count == 0 ? null : read;
    }

    private JsonObject ReadFields()
    {
        var kept = new JsonObject();
        foreach (var (name, value) in instance)
            if (!Held.Contains(name) && name != "leaseInfo") kept[name] = value?.DeepClone();
        if (instance["leaseInfo"] is JsonObject lease && ReadNumber(lease["renewalIntervalInSecs"]) is { } interval)
            kept["leaseInfo"] = new JsonObject { ["renewalIntervalInSecs"] = interval };
        return kept;
    }

    private string TextOf(string field) => instance[field] is JsonValue value ? EurekaXml.TextOf(value).Trim() : "";

    private static string? Label(Dictionary<string, string>? metadata, string name) =>
        metadata?.GetValueOrDefault(name) is { Length: > 0 and <= RegistryLimits.MaxLabelLength } label
            && !label.Any(char.IsControl) ? label : null;

    private static long? ReadNumber(JsonNode? value) =>
        value is JsonValue && long.TryParse(
            EurekaXml.TextOf(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static Fault Missing(string what) => new(ErrorCodes.BadRequest, what);
}
