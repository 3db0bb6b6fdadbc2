using System.Text.Json;

namespace Groundwork.Client.Settings;

/// <summary>
/// JSON as keys, as the JSON files of the host itself are read: comments and trailing commas are let pass.
/// </summary>
internal static class JsonSettingText
{
    private static readonly JsonDocumentOptions Options = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        MaxDepth = SettingKeys.MaxDepth,
    };

    public static void Read(string text, SettingKeys keys)
    {
        using var document = JsonDocument.Parse(text, Options);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw new FormatException("its root is not an object");
        Read(document.RootElement, keys);
    }

    private static void Read(JsonElement element, SettingKeys keys)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject()) Below(member.Name, member.Value, keys);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray()) Below($"{index++}", item, keys);
                break;
            case JsonValueKind.Null:
                keys.Value(null);
                break;
            default:
                keys.Value(element.ToString()); // "True" and "False", numbers with their own digits.
                break;
        }
    }

    private static void Below(string name, JsonElement value, SettingKeys keys)
    {
        keys.Enter(name);
        Read(value, keys);
        keys.Leave();
    }
}
