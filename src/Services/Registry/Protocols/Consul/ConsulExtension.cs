using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>What an instance keeps of its registration over Consul, beside what the registry has a field for.</summary>
internal sealed record ConsulExtension
{
    /// <summary>Its key among the extensions of an instance, and the name of the protocol.</summary>
    public const string Name = "consul";

    /// <summary>The service's id as the client writes it.</summary>
    public required string Id { get; init; }

    /// <summary>True for a service without a port, which nobody calls.</summary>
    public bool HasNoPort { get; init; }

    /// <summary>The shares that were asked for; 1 and 1 unless given.</summary>
    public int PassingWeight { get; init; } = 1;

    public int WarningWeight { get; init; } = 1;

    public bool EnableTagOverride { get; init; }

    /// <summary>Why it is in maintenance; null while it is not.</summary>
    public string? Maintenance { get; init; }

    /// <summary>How its checks are made, in the order given; their states are the instance's.</summary>
    public ImmutableArray<ConsulCheck> Checks { get; init; } = [];

    /// <summary>The machine it was put on by the catalog; null for what the agent has.</summary>
    public ConsulMachine? Machine { get; init; }

    /// <summary>Answered as it came.</summary>
    public JsonElement? TaggedAddresses { get; init; }

    public string? Kind { get; init; }

    public JsonElement? Proxy { get; init; }

    public JsonElement? Connect { get; init; }

    // By the text's own object, which lives as long as the instance: it is asked for with every answer.
    private static readonly ConditionalWeakTable<string, StrongBox<ConsulExtension?>> Known = [];

    /// <summary>Null for an instance that another protocol registered.</summary>
    public static ConsulExtension? Of(Instance instance) =>
        instance.Extensions.TryGetValue(Name, out var text)
            ? Known.GetValue(text, static text => new StrongBox<ConsulExtension?>(Read(text))).Value
            : null;

    // Over our own API anybody may leave an extension of this name: what is not ours is none.
    private static ConsulExtension? Read(string text)
    {
        try
        {
            var read = JsonSerializer.Deserialize(text, ConsulExtensionJson.Default.ConsulExtension);
            return read is null or { Checks.IsDefault: true } || string.IsNullOrEmpty(read.Id)
                || read.Checks.Any(check => check is null or { Id: null } or { Name: null } or { Notes: null })
                || read.Machine is { Name: null } or { Address: null } or { Id: null }
                ? null
                : read;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, ConsulExtensionJson.Default.ConsulExtension);

    /// <summary>The extensions of an instance with this in its place.</summary>
    public TextMap In(TextMap extensions) => TextMap.Of(
        extensions.Where(entry => entry.Key != Name).Append(KeyValuePair.Create(Name, ToJson().GetRawText())));
}

/// <summary>How a check is made. One without a TTL, HTTP or TCP has only the state that somebody writes.</summary>
/// <param name="Id">Unique among all checks.</param>
/// <param name="Ttl">Milliseconds within which it must be told again.</param>
/// <param name="Http">What to get.</param>
/// <param name="Tcp"><c>host:port</c> to connect to.</param>
/// <param name="DeregisterAfter">Milliseconds of being critical after which the service goes.</param>
internal sealed record ConsulCheck(string Id, string Name)
{
    public string Notes { get; init; } = "";

    public long? Ttl { get; init; }

    public string? Http { get; init; }

    /// <summary>GET or HEAD.</summary>
    public string? Method { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Header { get; init; }

    public string? Tcp { get; init; }

    /// <summary>Milliseconds between two looks.</summary>
    public long Interval { get; init; }

    /// <summary>Milliseconds for one look.</summary>
    public int Timeout { get; init; }

    public long? DeregisterAfter { get; init; }

    /// <summary>Good looks in a row before it passes.</summary>
    public int Successes { get; init; }

    /// <summary>Bad looks in a row before it is critical.</summary>
    public int Failures { get; init; }

    /// <summary>As Consul's answers name its kind.</summary>
    [JsonIgnore]
    public string Type => Ttl is not null ? "ttl" : Http is not null ? "http" : Tcp is not null ? "tcp" : "";
}

/// <summary>A machine that only the catalog knows.</summary>
internal sealed record ConsulMachine(string Name, string Address)
{
    public string Id { get; init; } = "";

    public IReadOnlyDictionary<string, string>? Meta { get; init; }

    public JsonElement? TaggedAddresses { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(ConsulExtension))]
internal sealed partial class ConsulExtensionJson : JsonSerializerContext;
