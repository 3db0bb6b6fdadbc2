using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Cluster;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Hosting.Running;

/// <summary>What a node tells the others about itself, beside its lease.</summary>
internal sealed record NodeAbout(string ApiAddress, string Version, IReadOnlyList<string> Modules)
{
    public string ToJson() => JsonSerializer.Serialize(this, NodeAboutJson.Default.NodeAbout);

    public static NodeDocument ToDocument(ClusterNode node, NodeLeases own)
    {
        var about = Read(node.About);
        var isCutOff = node.Name == own.Self && own.IsCutOff;
        return new NodeDocument(
            node.Name,
            about.ApiAddress,
            about.Version,
            node.IsLive ? "live" : "expired",
            isCutOff ? "cut-off" : "reachable",
            about.Modules,
            node.StartedAt,
            node.LeaseUntil);
    }

    private static NodeAbout Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, NodeAboutJson.Default.NodeAbout) ?? Unknown;
        }
        catch (JsonException)
        {
            // A newer version may say it differently; its lease still counts.
            return Unknown;
        }
    }

    private static NodeAbout Unknown { get; } = new("", "unknown", []);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NodeAbout))]
internal sealed partial class NodeAboutJson : JsonSerializerContext;
