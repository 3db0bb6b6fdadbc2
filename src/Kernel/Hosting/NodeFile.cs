using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Kernel.Hosting;

/// <summary>What a running node says about itself in its data directory, so that verbs and people find it.</summary>
/// <param name="ApiAddress">URL of the API; null when no API listener is open.</param>
/// <param name="ApiSocket">Path of the API's Unix socket.</param>
/// <param name="Listeners">Every listener with its real address.</param>
/// <param name="StoreId">Of the store, or of the followed node's.</param>
public sealed record NodeFile(
    string NodeName,
    int Pid,
    string? ApiAddress,
    string? ApiSocket,
    IReadOnlyDictionary<string, string> Listeners,
    string StoreId,
    string Version,
    DateTimeOffset StartedAt)
{
    public const string FileName = "node.json";

    /// <summary>Reads the file of a data directory; null when no node runs there.</summary>
    /// <exception cref="JsonException">The file is damaged.</exception>
    public static NodeFile? Read(string directory)
    {
        try
        {
            return JsonSerializer.Deserialize(
                File.ReadAllBytes(Path.Combine(directory, FileName)), NodeFileJson.Default.NodeFile);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, NodeFileJson.Default.NodeFile);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true)]
[JsonSerializable(typeof(NodeFile))]
internal sealed partial class NodeFileJson : JsonSerializerContext;
