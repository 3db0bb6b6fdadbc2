using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Groundwork.Kernel.Schemas;

/// <summary>
/// Writes values so that those equal to JSON Schema are equal texts: numbers by value, members in order of name.
/// </summary>
internal static class CanonicalJson
{
    public static string Write(JsonNode? value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return text.ToString();
    }

    private static void Write(JsonNode? value, StringBuilder text)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case JsonArray array:
                text.Append('[');
                foreach (var item in array)
                {
                    Write(item, text);
                    text.Append(',');
                }
                text.Append(']');
                break;
            case JsonObject members:
                text.Append('{');
                foreach (var (name, member) in members.OrderBy(member => member.Key, StringComparer.Ordinal))
                {
                    text.Append('"').Append(JavaScriptEncoder.Default.Encode(name)).Append("\":");
                    Write(member, text);
                    text.Append(',');
                }
                text.Append('}');
                break;
            default:
                text.Append(value.GetValueKind() switch
                {
                    JsonValueKind.String =>
                        $"\"{JavaScriptEncoder.Default.Encode(value.GetValue<string>())}\"",
                    JsonValueKind.Number when SchemaNumber.TryParse(value.ToJsonString(), out var number) =>
                        number.ToString(),
                    _ => value.ToJsonString(),
                });
                break;
        }
    }
}
