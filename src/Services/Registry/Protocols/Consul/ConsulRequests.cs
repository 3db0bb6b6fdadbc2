using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Services.Registry.Protocols.Consul;

/// <summary>A service as a client registers it with the agent; names in any case, as Go reads them.</summary>
internal sealed record ServiceRequest
{
    public string? Name { get; init; }

    /// <summary>The name unless given.</summary>
    [JsonPropertyName("ID")]
    public string? Id { get; init; }

    public string? Namespace { get; init; }

    public IReadOnlyList<string?>? Tags { get; init; }

    public IReadOnlyDictionary<string, string?>? Meta { get; init; }

    /// <summary>Where the call came from unless given, since an agent is on the machine of its services.</summary>
    public string? Address { get; init; }

    public int? Port { get; init; }

    public CheckRequest? Check { get; init; }

    public IReadOnlyList<CheckRequest?>? Checks { get; init; }

    public JsonElement? TaggedAddresses { get; init; }

    public WeightsRequest? Weights { get; init; }

    public bool? EnableTagOverride { get; init; }

    public string? Kind { get; init; }

    public JsonElement? Proxy { get; init; }

    public JsonElement? Connect { get; init; }
}

/// <summary>Shares of the traffic while all checks pass, and while one warns.</summary>
internal sealed record WeightsRequest
{
    public int? Passing { get; init; }

    public int? Warning { get; init; }
}

/// <summary>A check as a client defines it.</summary>
internal sealed record CheckRequest
{
    [JsonPropertyName("CheckID")]
    public string? CheckId { get; init; }

    [JsonPropertyName("ID")]
    public string? Id { get; init; }

    public string? Name { get; init; }

    public string? Notes { get; init; }

    [JsonPropertyName("ServiceID")]
    public string? ServiceId { get; init; }

    public string? Status { get; init; }

    public string? Output { get; init; }

    [JsonPropertyName("TTL")]
    public JsonElement? Ttl { get; init; }

    [JsonPropertyName("HTTP")]
    public string? Http { get; init; }

    public string? Method { get; init; }

    public string? Body { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyList<string?>?>? Header { get; init; }

    [JsonPropertyName("TCP")]
    public string? Tcp { get; init; }

    public JsonElement? Interval { get; init; }

    public JsonElement? Timeout { get; init; }

    public JsonElement? DeregisterCriticalServiceAfter { get; init; }

    [JsonPropertyName("TLSSkipVerify")]
    public bool? TlsSkipVerify { get; init; }

    public int? SuccessBeforePassing { get; init; }

    public int? FailuresBeforeCritical { get; init; }

    // Kinds of checks that there are none of here: named to be refused, not passed over.
    public JsonElement? Script { get; init; }

    public JsonElement? Args { get; init; }

    [JsonPropertyName("DockerContainerID")]
    public JsonElement? DockerContainerId { get; init; }

    [JsonPropertyName("docker_container_id")]
    public JsonElement? OldDockerContainerId { get; init; }

    [JsonPropertyName("GRPC")]
    public JsonElement? Grpc { get; init; }

    [JsonPropertyName("H2PING")]
    public JsonElement? H2Ping { get; init; }

    [JsonPropertyName("UDP")]
    public JsonElement? Udp { get; init; }

    public JsonElement? AliasNode { get; init; }

    public JsonElement? AliasService { get; init; }
}

/// <summary>What a client writes into the catalog itself, past any agent.</summary>
internal sealed record CatalogRequest
{
    public string? Datacenter { get; init; }

    [JsonPropertyName("ID")]
    public string? Id { get; init; }

    public string? Node { get; init; }

    public string? Address { get; init; }

    public JsonElement? TaggedAddresses { get; init; }

    public IReadOnlyDictionary<string, string?>? NodeMeta { get; init; }

    public CatalogServiceRequest? Service { get; init; }

    public CheckRequest? Check { get; init; }

    public IReadOnlyList<CheckRequest?>? Checks { get; init; }
}

/// <summary>A service in the catalog: its name is <c>Service</c> there.</summary>
internal sealed record CatalogServiceRequest
{
    [JsonPropertyName("ID")]
    public string? Id { get; init; }

    public string? Service { get; init; }

    public IReadOnlyList<string?>? Tags { get; init; }

    public IReadOnlyDictionary<string, string?>? Meta { get; init; }

    public string? Address { get; init; }

    public int? Port { get; init; }

    public WeightsRequest? Weights { get; init; }

    public JsonElement? TaggedAddresses { get; init; }
}

/// <summary>What a client takes out of the catalog: a check, a service, or all of a node.</summary>
internal sealed record CatalogRemovalRequest
{
    public string? Datacenter { get; init; }

    public string? Node { get; init; }

    [JsonPropertyName("ServiceID")]
    public string? ServiceId { get; init; }

    [JsonPropertyName("CheckID")]
    public string? CheckId { get; init; }
}

/// <summary>A new state of a TTL check.</summary>
internal sealed record CheckUpdateRequest
{
    public string? Status { get; init; }

    public string? Output { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(ServiceRequest))]
[JsonSerializable(typeof(CheckRequest))]
[JsonSerializable(typeof(CatalogRequest))]
[JsonSerializable(typeof(CatalogRemovalRequest))]
[JsonSerializable(typeof(CheckUpdateRequest))]
internal sealed partial class ConsulRequestJson : JsonSerializerContext;
