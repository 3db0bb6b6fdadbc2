using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Services.Registry.Protocols.Etcd;

/// <summary>What an instance keeps of its registration over etcd, beside what the registry has a field for.</summary>
/// <param name="Name">What stands for it in its key, after the service.</param>
/// <param name="Lease">The lease that it goes with; 0 for none.</param>
/// <param name="Value">The value as it was put.</param>
internal sealed record EtcdExtension(string Name, long Lease, string Value)
{
    /// <summary>Its key among the extensions of an instance, and the name of the protocol.</summary>
    public const string Protocol = "etcd";

    // By the text's own object, which lives as long as the instance: it is asked for with every look.
    private static readonly ConditionalWeakTable<string, StrongBox<EtcdExtension?>> Known = [];

    /// <summary>Null for an instance that another protocol registered.</summary>
    public static EtcdExtension? Of(Instance instance) =>
        instance.Extensions.TryGetValue(Protocol, out var text)
            ? Known.GetValue(text, static text => new StrongBox<EtcdExtension?>(Read(text))).Value
            : null;

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, EtcdExtensionJson.Default.EtcdExtension);

    // Over our own API anybody may leave an extension of this name: what is not ours is none.
    private static EtcdExtension? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, EtcdExtensionJson.Default.EtcdExtension) is
                { Value: not null, Lease: >= 0 } read && NamingPath.IsName(read.Name) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EtcdExtension))]
internal sealed partial class EtcdExtensionJson : JsonSerializerContext;
