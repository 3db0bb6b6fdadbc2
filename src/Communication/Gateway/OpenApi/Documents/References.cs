using System.Text.Json;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>Follows the references of a document, which lead to other places of it and nowhere else.</summary>
internal sealed class References(JsonElement root, List<FieldFault> faults)
{
    /// <summary>References that lead to references.</summary>
    private const int MaxHops = 8;

    /// <summary>
    /// What an object is, or what it refers to; with the place where that stands. Null: it is a fault.
    /// </summary>
    public (JsonElement Value, string Pointer)? Resolve(JsonElement value, string pointer)
    {
        for (var hops = 0; hops <= MaxHops; hops++)
        {
            if (value.ValueKind != JsonValueKind.Object)
            {
                faults.Add(new FieldFault(pointer, "must be an object"));
                return null;
            }
            if (!value.TryGetProperty("$ref", out var reference)) return (value, pointer);
            var text = reference.ValueKind == JsonValueKind.String ? reference.GetString() ?? "" : "";
            if (!text.StartsWith('#') || Find(Uri.UnescapeDataString(text[1..])) is not { } found)
            {
                faults.Add(new FieldFault(
                    $"{pointer}/$ref",
                    text.StartsWith('#')
                        ? "leads to nothing in this document"
                        : "leads out of this document; nothing is fetched"));
                return null;
            }
            (value, pointer) = (found, Uri.UnescapeDataString(text[1..]));
        }
        faults.Add(new FieldFault(pointer, $"is behind more than {MaxHops} references"));
        return null;
    }

    /// <summary>A name as a JSON pointer writes it.</summary>
    public static string Token(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private JsonElement? Find(string pointer)
    {
        if (!pointer.StartsWith('/')) return null;
        var element = root;
        foreach (var token in pointer[1..].Split('/'))
        {
            var name = token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member))
                element = member;
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, out var index) && index >= 0
                && index < element.GetArrayLength()) element = element[index];
            else return null;
        }
        return element;
    }
}
