using System.Globalization;
using System.Text.Json;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>How Nacos says what the registry knows of an instance, and back.</summary>
internal static class NacosWords
{
    /// <summary>Name of the protocol, its extension and its check.</summary>
    public const string Protocol = "nacos";

    /// <summary>What Nacos calls no cluster.</summary>
    public const string DefaultCluster = "DEFAULT";

    /// <summary>Milliseconds between beats, in an instance's metadata.</summary>
    public const string BeatInterval = "preserved.heart.beat.interval";

    /// <summary>Milliseconds without a beat until an instance is down, in its metadata.</summary>
    public const string BeatTimeout = "preserved.heart.beat.timeout";

    /// <summary>The same until it is deleted, which here is not told apart from being down.</summary>
    public const string DeleteTimeout = "preserved.ip.delete.timeout";

    /// <summary>Weight 1 of Nacos is the registry's normal weight.</summary>
    private const int NormalWeight = 100;

    /// <summary>Nacos's largest weight.</summary>
    public const double MaxWeight = 10_000;

    private const string WeightMember = "weight";

    /// <summary>Null for Nacos's default cluster.</summary>
    public static string? ClusterOf(string? clusterName) =>
        string.IsNullOrEmpty(clusterName) || clusterName == DefaultCluster ? null : clusterName;

    public static string ClusterName(Instance instance) =>
        string.IsNullOrEmpty(instance.Cluster) ? DefaultCluster : instance.Cluster;

    /// <summary>
    /// The registry's weight. What is above its largest is cut; what is above 0 stays above 0, for 0 takes no traffic.
    /// </summary>
    public static int WeightOf(double weight) => weight <= 0
        ? 0
        : (int)Math.Clamp(Math.Round(weight * NormalWeight), 1, RegistryLimits.MaxWeight);

    /// <summary>The weight as Nacos has it: as it was registered, unless an operator has changed it.</summary>
    public static double Weight(Instance instance)
    {
        if (instance.Extensions.TryGetValue(Protocol, out var extension))
        {
            using var json = JsonDocument.Parse(extension);
            if (json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty(WeightMember, out var kept) && kept.TryGetDouble(out var exact)
                && WeightOf(exact) == instance.Weight) return exact;
        }
        return instance.Weight / (double)NormalWeight;
    }

    /// <summary>What of a registration the registry has no field for; null when that is nothing.</summary>
    public static Dictionary<string, JsonElement>? ExtensionOf(double weight, string? app)
    {
        var isExact = WeightOf(weight) / (double)NormalWeight is var same && same.Equals(weight);
        if (isExact && string.IsNullOrEmpty(app)) return null;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (!isExact) json.WriteNumber(WeightMember, weight);
            if (!string.IsNullOrEmpty(app)) json.WriteString("app", app);
            json.WriteEndObject();
        }
        using var document = JsonDocument.Parse(buffer.ToArray());
        return new Dictionary<string, JsonElement>(StringComparer.Ordinal)
        {
            [Protocol] = document.RootElement.Clone(),
        };
    }

    public static string InstanceId(Instance instance) => string.Create(
        CultureInfo.InvariantCulture,
        $"{instance.Host}#{instance.Port}#{ClusterName(instance)}#{ProtocolNames.ToNacos(instance.Key.Service)}");

    /// <summary>The registry's own id of an instance that does not bring one.</summary>
    public static string IdOf(ReadOnlySpan<char> ip, int port, ReadOnlySpan<char> cluster) =>
        cluster.IsEmpty || cluster is DefaultCluster
            ? string.Create(CultureInfo.InvariantCulture, $"{ip}:{port}")
            : string.Create(CultureInfo.InvariantCulture, $"{ip}:{port}:{cluster}");

    /// <summary>Seconds of the lease: as the instance's metadata say, else Nacos's 15.</summary>
    public static int LeaseOf(IReadOnlyDictionary<string, string>? metadata) =>
        Milliseconds(metadata, BeatTimeout) is { } timeout
            ? (int)Math.Clamp(
                (timeout + 999) / 1000, RegistryLimits.MinLeaseSeconds, RegistryLimits.MaxLeaseSeconds)
            : RegistryLimits.DefaultLeaseSeconds;

    /// <summary>A positive number of milliseconds from the metadata; null when there is none.</summary>
    public static long? Milliseconds(IReadOnlyDictionary<string, string>? metadata, string name) =>
        metadata is not null && metadata.TryGetValue(name, out var text)
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        && value is > 0 and <= int.MaxValue ? value : null;

    /// <summary>
    /// Metadata as clients write it: a JSON object, or <c>k=v,k2=v2</c>. A value that is no text stays as its JSON.
    /// </summary>
    public static Outcome<Dictionary<string, string>> ReadMetadata(string? text)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (string.IsNullOrWhiteSpace(text)) return metadata;
        if (!text.AsSpan().TrimStart().StartsWith("{"))
        {
            foreach (var pair in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0) return Malformed();
                metadata[pair[..equals].Trim()] = pair[(equals + 1)..].Trim();
            }
            return metadata;
        }
        try
        {
            using var json = JsonDocument.Parse(text);
            ReadMetadata(json.RootElement, metadata);
            return metadata;
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            return Malformed(); // The second is half of a pair of surrogates.
        }
    }

    public static void ReadMetadata(JsonElement json, Dictionary<string, string> into)
    {
        if (json.ValueKind != JsonValueKind.Object) return;
        foreach (var member in json.EnumerateObject())
        {
            into[member.Name] = member.Value.ValueKind switch
            {
                JsonValueKind.String => member.Value.GetString() ?? "",
                JsonValueKind.Null => "",
                _ => member.Value.GetRawText(),
            };
        }
    }

    /// <summary>Protocol, client version and principal.</summary>
    public static string RegisteredBy(HttpContext context, string principal)
    {
        var headers = context.Request.Headers;
        var agent = headers["Client-Version"].ToString() is { Length: > 0 } version
            ? version
            : headers.UserAgent.ToString();
        return ProtocolCalls.Describe(Protocol, agent, principal);
    }

    private static Fault Malformed() =>
        new(ErrorCodes.BadRequest, "'metadata' must be a JSON object, or key=value joined by commas.");
}
