using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>What an instance keeps of its registration over Eureka, beside what the registry has a field for.</summary>
/// <param name="Id">Its id as the client writes it.</param>
/// <param name="Status">What it says of itself; an override may stand over it.</param>
/// <param name="Override">The status that somebody has put over it; null: none.</param>
/// <param name="Dirty">
/// When the client last changed it, in Unix milliseconds by its own clock; null when it does not say.
/// </param>
/// <param name="Fields">The fields of the client's document that are answered as they came.</param>
internal sealed record EurekaExtension(string Id, string Status, string? Override, long? Dirty, JsonObject Fields)
{
    /// <summary>Its key among the extensions of an instance, and the name of the protocol.</summary>
    public const string Name = "eureka";

    /// <summary>Null for an instance that another protocol registered.</summary>
    public static EurekaExtension? Of(Instance instance)
    {
        // Over our own API anybody may leave an extension of this name: what is not ours is none.
        if (!instance.Extensions.TryGetValue(Name, out var text)) return null;
        if (Parse(text) is not JsonObject kept || kept["fields"] is not JsonObject fields) return null;
        kept.Remove("fields"); // A node has one parent.
        var (status, over) = (EurekaXml.TextOf(kept["status"]), EurekaXml.TextOf(kept["override"]));
        return new EurekaExtension(
            EurekaXml.TextOf(kept["id"]) is { Length: > 0 } id ? id : instance.Key.Id,
            EurekaStatus.IsStatus(status) ? status : EurekaStatus.Up,
            EurekaStatus.IsStatus(over) ? over : null,
            long.TryParse(EurekaXml.TextOf(kept["dirty"]), out var dirty) ? dirty : null,
            fields);
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public JsonElement ToJson()
    {
        var kept = new JsonObject { ["id"] = Id, ["status"] = Status };
        if (Override is not null) kept["override"] = Override;
        if (Dirty is not null) kept["dirty"] = Dirty;
        kept["fields"] = Fields.DeepClone();
        return JsonSerializer.SerializeToElement(kept, EurekaJson.Default.JsonObject);
    }

    /// <summary>The extensions of an instance with this in its place.</summary>
    public TextMap In(TextMap extensions) => TextMap.Of(
        extensions.Where(entry => entry.Key != Name).Append(KeyValuePair.Create(Name, ToJson().GetRawText())));
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class EurekaJson : System.Text.Json.Serialization.JsonSerializerContext;
