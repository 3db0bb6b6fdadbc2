using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Communication.Gateway.Certificates;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// A certificate with its private key, which the gateway shows; or, without a key, authorities whose certificates it
/// believes.
/// </summary>
public sealed record CertificateSpec(
    [Description(
        "Certificates in PEM: the leaf first and what leads from it to an authority; without a private key, "
        + "authorities that are believed.")]
    [Length(1, CertificateRules.MaxChars)]
    string Chain,
    [Description("The leaf's private key in PEM, not encrypted.")]
    string? PrivateKey = null)
{
    // The compiler's version would print the key.
    public override string ToString() => nameof(CertificateSpec);
}

/// <summary>
/// Reads the texts of a certificate. A key that comes back masked, as it was shown or exported, stands for the one in
/// place; in a snapshot it is encrypted.
/// </summary>
internal sealed class HiddenKeyJson : JsonConverter<string>
{
    /// <summary>No text of a document can be this: half of a surrogate pair is no character.</summary>
    public const string Hidden = "\uD800hidden";

    private static readonly string[] Fields = ["secret", "key", "sealed"];

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return reader.GetString();
        if (reader.TokenType != JsonTokenType.StartObject) throw Unreadable();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!Fields.Contains(reader.GetString()) || !reader.Read() || reader.TokenType != JsonTokenType.String)
                throw Unreadable();
        }
        return reader.TokenType == JsonTokenType.EndObject ? Hidden : throw Unreadable();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);

    private static JsonException Unreadable() => new("The JSON value could not be converted to text.");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(HiddenKeyJson)])]
[JsonSerializable(typeof(CertificateSpec))]
internal sealed partial class CertificateJson : JsonSerializerContext;
