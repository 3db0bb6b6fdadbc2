using System.Buffers;
using System.Text.Json;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>The answer to a client, in both published shapes.</summary>
internal static class EnvironmentJson
{
    /// <summary>With the place of every value; the Java client asks for it.</summary>
    public const string MediaTypeV2 = "application/vnd.spring-cloud.config-server.v2+json";

    public static byte[] Write(SpringEnvironment environment, bool withOrigins)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("name", environment.Query.Name);
        json.WriteStartArray("profiles");
        foreach (var profile in environment.Query.Profiles) json.WriteStringValue(profile);
        json.WriteEndArray();
        json.WriteString("label", environment.Label);
        json.WriteString("version", environment.Version);
        json.WriteNull("state");
        json.WriteStartArray("propertySources");
        foreach (var source in environment.Sources)
        {
            json.WriteStartObject();
            json.WriteString("name", source.Name);
            json.WriteStartObject("source");
            foreach (var (key, value) in source.Properties)
            {
                json.WritePropertyName(key);
                if (withOrigins) Write(json, value, $"{source.Name}:{value.Line}:{value.Column}");
                else Write(json, value);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(Utf8JsonWriter json, PropertyValue value)
    {
        if (value.IsText) json.WriteStringValue(value.Text);
        else json.WriteRawValue(value.Text);
    }

    private static void Write(Utf8JsonWriter json, PropertyValue value, string origin)
    {
        json.WriteStartObject();
        json.WritePropertyName("value");
        Write(json, value);
        json.WriteString("origin", origin);
        json.WriteEndObject();
    }
}
