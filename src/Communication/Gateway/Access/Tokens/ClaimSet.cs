using System.Text.Json;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>
/// The claims of a verified token as text. A list has several values; a claim inside another is found under both their
/// names with a dot between, unless a claim has that very name.
/// </summary>
internal sealed class ClaimSet
{
    /// <summary>How deep claims inside others are looked at.</summary>
    private const int MaxDepth = 4;

    private readonly Dictionary<string, string[]> values = new(StringComparer.Ordinal);

    public ClaimSet(JsonElement claims)
    {
        foreach (var claim in claims.EnumerateObject())
            if (claim.Value.ValueKind != JsonValueKind.Object) values[claim.Name] = ValuesOf(claim.Value);
        foreach (var claim in claims.EnumerateObject())
            if (claim.Value.ValueKind == JsonValueKind.Object) AddInner(claim.Name, claim.Value, MaxDepth);
    }

    /// <summary>Empty when there is no such claim.</summary>
    public ReadOnlySpan<string> this[string name] => values.GetValueOrDefault(name) ?? [];

    public bool Has(string name) => values.ContainsKey(name);

    /// <summary>The value of a claim that is one text; null when it is something else.</summary>
    public string? One(string name) => values.GetValueOrDefault(name) is [var one] ? one : null;

    private void AddInner(string name, JsonElement element, int depth)
    {
        if (depth == 0) return;
        foreach (var inner in element.EnumerateObject())
        {
            var path = $"{name}.{inner.Name}";
            if (inner.Value.ValueKind == JsonValueKind.Object) AddInner(path, inner.Value, depth - 1);
            else values.TryAdd(path, ValuesOf(inner.Value));
        }
    }

    private static string[] ValuesOf(JsonElement value) => value.ValueKind == JsonValueKind.Array
        ? [.. value.EnumerateArray().Select(TextOf).OfType<string>()]
        : TextOf(value) is { } text ? [text] : [];

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };
}
