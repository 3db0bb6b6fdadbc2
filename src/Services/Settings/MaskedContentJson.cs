using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Services.Settings;

/// <summary>
/// Reads the texts of a setting's spec. A secret content comes back masked, as it was shown or exported, and stands for
/// the one in place: it is read as <see cref="Masked"/>, and the kernel holds its digest to what is there.
/// </summary>
internal sealed class MaskedContentJson : JsonConverter<string>
{
    /// <summary>No text of a document can be this: half of a surrogate pair is no character.</summary>
    public const string Masked = "\uD800masked";

    private const string DigestField = "secret";

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return reader.TokenType == JsonTokenType.String
                ? reader.GetString()
                : throw new JsonException("The JSON value could not be converted to text.");
        }
        var isMasked = reader.Read() && reader.TokenType == JsonTokenType.PropertyName
            && reader.ValueTextEquals(DigestField) && reader.Read() && reader.TokenType == JsonTokenType.String
            && reader.Read() && reader.TokenType == JsonTokenType.EndObject;
        return isMasked ? Masked : throw new JsonException("The JSON value could not be converted to text.");
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);

    // Names of members are never masked.
    public override string ReadAsPropertyName(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString() ?? "";

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value);
}
