using System.Globalization;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>Which instance a call of Nacos is about.</summary>
internal sealed record NacosTarget(ServiceKey Service, string Ip, int Port, string? Cluster)
{
    public InstanceKey DerivedKey => new(Service, NacosWords.IdOf(Ip, Port, Cluster));

    /// <summary>The service that parameters name; the group in its name counts before the one beside it.</summary>
    public static Outcome<ServiceKey> ReadService(FormCall call) => call.Given("serviceName") is { } name
        ? ProtocolNames.OfNacos(call["namespaceId"], call["groupName"], name)
        : Missing("serviceName");

    public static Outcome<NacosTarget> Read(FormCall call)
    {
        if (!ReadService(call).TryGet(out var service, out var fault)) return fault;
        if (call.Given("ip") is not { } ip) return Missing("ip");
        if (call.Given("port") is not { } portText) return Missing("port");
        if (!int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return new Fault(ErrorCodes.BadRequest, "'port' must be a number.");
        return new NacosTarget(
            service, ip, port, NacosWords.ClusterOf(call.Given("clusterName") ?? call.Given("cluster")));
    }

    /// <summary>
    /// The instance as it is registered, by whichever protocol and under whichever id; null when there is none.
    /// </summary>
    public Instance? Find(InstanceRegistry registry)
    {
        if (registry.FindInstance(DerivedKey) is { Removed: false } state) return state.Instance;
        foreach (var instance in registry.FindFresh(Service)?.Instances ?? [])
        {
            if (instance.Host == Ip && instance.Port == Port && NacosWords.ClusterOf(instance.Cluster) == Cluster)
                return registry.FindInstance(instance.Key)?.Instance;
        }
        return null;
    }

    public static Fault Missing(string parameter) =>
        new(ErrorCodes.BadRequest, $"Required parameter '{parameter}' is missing.");
}

/// <summary>What a registration, a change or a beat says of an instance.</summary>
internal sealed record NacosRegistration(NacosTarget Target)
{
    /// <summary>Name of the check that says what Nacos's <c>healthy</c> does, of instances without beats.</summary>
    public const string HealthCheck = "nacos";

    public double? Weight { get; init; }

    public bool? Enabled { get; init; }

    /// <summary>Counts for persistent instances alone: beats say how the others are.</summary>
    public bool? Healthy { get; init; }

    public bool? Ephemeral { get; init; }

    /// <summary>Null when nothing is said of it.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public string? App { get; init; }

    public static Outcome<NacosRegistration> Read(FormCall call)
    {
        if (!NacosTarget.Read(call).TryGet(out var target, out var fault)) return fault;
        double? weight = null;
        if (call.Given("weight") is { } text)
        {
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var given)
                || !IsWeight(given)) return BadWeight();
            weight = given;
        }
        if (!NacosWords.ReadMetadata(call["metadata"]).TryGet(out var metadata, out fault)) return fault;
        var flags = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var name in (string[])["enable", "enabled", "healthy", "ephemeral"])
        {
            if (call.Given(name) is not { } flag) continue;
            if (!bool.TryParse(flag, out var value))
                return new Fault(ErrorCodes.BadRequest, $"'{name}' must be true or false.");
            flags[name] = value;
        }
        return new NacosRegistration(target)
        {
            Weight = weight,
            Enabled = Flag("enabled") ?? Flag("enable"),
            Healthy = Flag("healthy"),
            Ephemeral = Flag("ephemeral"),
            Metadata = call["metadata"] is null ? null : metadata,
            App = call.Given("app"),
        };

        bool? Flag(string name) => flags.TryGetValue(name, out var value) ? value : null;
    }

    /// <summary>Reads the JSON of a beat, which says all that is needed to register again.</summary>
    public static Outcome<NacosRegistration> ReadBeat(ReadOnlyMemory<byte> json, NacosTarget target)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var beat = document.RootElement;
            double? weight = null;
            if (beat.TryGetProperty("weight", out var given) && given.ValueKind == JsonValueKind.Number)
            {
                weight = given.GetDouble();
                if (!IsWeight(weight.Value)) return BadWeight();
            }
            Dictionary<string, string>? metadata = null;
            if (beat.TryGetProperty("metadata", out var entries))
                NacosWords.ReadMetadata(entries, metadata = new Dictionary<string, string>(StringComparer.Ordinal));
            return new NacosRegistration(target) { Weight = weight, Metadata = metadata };
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            return BeatQuery.Malformed(); // The second is text that is not UTF-8.
        }
    }

    /// <summary>As a registration of our own; what is not said is as Nacos has it by default.</summary>
    /// <param name="id">Null: derived.</param>
    public InstanceDocument ToDocument(string? id, DateTimeOffset now)
    {
        var ephemeral = Ephemeral ?? true;
        var weight = Weight ?? 1;
        return new InstanceDocument(Target.Service.Service, Target.Ip, Target.Port)
        {
            Namespace = Target.Service.Namespace,
            Group = Target.Service.Group,
            Id = id ?? Target.DerivedKey.Id,
            Weight = NacosWords.WeightOf(weight),
            Cluster = Target.Cluster,
            Metadata = Metadata,
            Status = InstanceWords.Of(Enabled == false ? InstanceStatus.OutOfService : InstanceStatus.Up),
            Ephemeral = ephemeral,
            LeaseSeconds = ephemeral ? NacosWords.LeaseOf(Metadata) : null,
            Checks = ephemeral || Healthy is not false
                ? null
                : [new InstanceCheck(
                    HealthCheck, "critical", now, NacosWords.Protocol, "it was said to be unhealthy over Nacos")],
            Extensions = NacosWords.ExtensionOf(weight, App),
        };
    }

    /// <summary>What is said, over what is registered.</summary>
    public NacosRegistration Over(Instance known)
    {
        var checks = known.Checks.Any(check => check is { Name: HealthCheck, State: CheckState.Critical });
        return this with
        {
            Weight = Weight ?? NacosWords.Weight(known),
            Enabled = Enabled ?? known.Status == InstanceStatus.Up,
            Healthy = Healthy ?? !checks,
            Ephemeral = known.Ephemeral,
            Metadata = Metadata ?? known.Metadata,
        };
    }

    private static bool IsWeight(double weight) => weight is >= 0 and <= NacosWords.MaxWeight;

    private static Fault BadWeight() =>
        new(ErrorCodes.BadRequest, $"'weight' must be 0 to {NacosWords.MaxWeight}.");
}
