using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The type of a secret field in a spec's record. In clear while it is written and after
/// <see cref="SecretProtector.Open"/>; in between only its digest is known. A validator looks at <see cref="Clear"/>
/// and lets null pass: that value is in place already. Never shows itself in a message.
/// </summary>
[JsonConverter(typeof(SecretTextJson))]
public sealed record SecretText
{
    private SecretText(string? clear, string? digest)
    {
        Clear = clear;
        Digest = digest;
    }

    /// <summary>The text, or null when it is masked or encrypted.</summary>
    public string? Clear { get; }

    /// <summary><c>sha256:…</c>: alike for alike secrets of one resource; null when the text is in clear.</summary>
    public string? Digest { get; }

    public static SecretText Of(string clear) => new(clear, null);

    internal static SecretText Masked(string digest) => new(null, digest);

    public override string ToString() => Digest ?? "(secret)";
}

/// <summary>Reads text, the masked form and the encrypted form; writes text and the masked form.</summary>
public sealed class SecretTextJson : JsonConverter<SecretText>
{
    public override SecretText? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.String:
                return SecretText.Of(reader.GetString()!); // The token is a string.
            case JsonTokenType.StartObject when SealedSecret.Read(ref reader) is { } found:
                return SecretText.Masked(found.Digest);
            default:
                throw new JsonException("The JSON value could not be converted to a secret.");
        }
    }

    public override void Write(Utf8JsonWriter writer, SecretText value, JsonSerializerOptions options)
    {
        if (value.Clear is { } clear)
        {
            writer.WriteStringValue(clear);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString(SealedSecret.DigestField, value.Digest);
        writer.WriteEndObject();
    }
}
