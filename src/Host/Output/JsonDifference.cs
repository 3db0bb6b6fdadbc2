using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.Output;

/// <summary>
/// What differs between a live resource and a file, by path. A secret is masked in what is live, so whether the file's
/// is the same cannot be told; it is never printed.
/// </summary>
internal static class JsonDifference
{
    private const string Hidden = "(a secret of the file)";

    public static IReadOnlyList<DiffLine> Between(JsonNode? before, JsonNode? after)
    {
        var lines = new List<DiffLine>();
        Compare("", before, after, lines);
        return lines;
    }

    private static void Compare(string path, JsonNode? before, JsonNode? after, List<DiffLine> lines)
    {
        if (JsonNode.DeepEquals(before, after)) return;
        switch (before, after)
        {
            case (JsonObject masked, JsonValue) when IsMasked(masked):
                lines.Add(new DiffLine(path, ToElement(masked), ToElement(JsonValue.Create(Hidden))));
                break;
            case (JsonObject left, JsonObject right):
                foreach (var name in left.Select(member => member.Key)
                    .Union(right.Select(member => member.Key), StringComparer.Ordinal))
                    Compare(path.Length == 0 ? name : $"{path}.{name}", left[name], right[name], lines);
                break;
            case (JsonArray left, JsonArray right) when left.Count == right.Count:
                for (var index = 0; index < left.Count; index++)
                    Compare($"{path}[{index}]", left[index], right[index], lines);
                break;
            default:
                lines.Add(new DiffLine(path, ToElement(before), ToElement(after)));
                break;
        }
    }

    private static bool IsMasked(JsonObject value) =>
        value.Count == 1 && value["secret"] is JsonValue hash && hash.GetValueKind() == JsonValueKind.String
        && hash.GetValue<string>().StartsWith("sha256:", StringComparison.Ordinal);

    private static JsonElement? ToElement(JsonNode? node) =>
        node is null ? null : JsonSerializer.SerializeToElement(node);
}
