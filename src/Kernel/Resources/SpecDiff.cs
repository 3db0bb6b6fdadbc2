using System.Text.Json;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// Compares two documents value by value; the lines name paths as people write them: <c>spec.users[2].name</c>.
/// </summary>
internal static class SpecDiff
{
    public static List<DiffLine> Of(ResourceDocument? before, ResourceDocument? after)
    {
        var lines = new List<DiffLine>();
        Compare("spec", before?.Spec, after?.Spec, lines);
        var keys = (before?.Labels?.Keys ?? []).Union(after?.Labels?.Keys ?? [], StringComparer.Ordinal);
        foreach (var key in keys.Order(StringComparer.Ordinal))
            Compare($"labels.{key}", Label(before, key), Label(after, key), lines);
        return lines;
    }

    private static JsonElement? Label(ResourceDocument? document, string key) =>
        document?.Labels is { } labels && labels.TryGetValue(key, out var value)
            ? JsonSerializer.SerializeToElement(value, Wire.WireJson.Strict.String)
            : null;

    private static void Compare(string path, JsonElement? before, JsonElement? after, List<DiffLine> lines)
    {
        if (before is { } one && after is { } other)
        {
            if (JsonElement.DeepEquals(one, other)) return;
            if (one.ValueKind == JsonValueKind.Object && other.ValueKind == JsonValueKind.Object)
            {
                CompareObjects(path, one, other, lines);
                return;
            }
            if (one.ValueKind == JsonValueKind.Array && other.ValueKind == JsonValueKind.Array)
            {
                CompareArrays(path, one, other, lines);
                return;
            }
        }
        if (before is not null || after is not null) lines.Add(new DiffLine(path, before, after));
    }

    private static void CompareObjects(string path, JsonElement before, JsonElement after, List<DiffLine> lines)
    {
        foreach (var member in before.EnumerateObject())
        {
            JsonElement? other = after.TryGetProperty(member.Name, out var found) ? found : null;
            Compare($"{path}.{member.Name}", member.Value, other, lines);
        }
        foreach (var member in after.EnumerateObject())
            if (!before.TryGetProperty(member.Name, out _)) Compare($"{path}.{member.Name}", null, member.Value, lines);
    }

    private static void CompareArrays(string path, JsonElement before, JsonElement after, List<DiffLine> lines)
    {
        var (left, right) = (before.GetArrayLength(), after.GetArrayLength());
        for (var index = 0; index < Math.Max(left, right); index++)
            Compare(
                $"{path}[{index}]", index < left ? before[index] : null, index < right ? after[index] : null, lines);
    }
}
