using System.Text.Json;

namespace Groundwork.Kernel.Schemas;

// What is OpenAPI's own: read-only members, formats that count, and the schemas of 3.0.
public sealed partial class SchemaReading
{
    /// <summary>References that are followed to find out whether a member is read-only.</summary>
    private const int MaxReferences = 6;

    private const string OpenApiDialect = "https://spec.openapis.org/oas/3.1/dialect/base";

    private bool IsKnown(string? schema) => schema == Draft || (IsOpenApi && schema == OpenApiDialect);

    private void ReadOpenApi(SchemaNode node, JsonElement schema, string pointer)
    {
        if (schema.TryGetProperty("readOnly", out var readOnly))
            node.ReadOnly = Boolean(readOnly, $"{pointer}/readOnly");
        if (schema.TryGetProperty("format", out var format))
        {
            if (format.ValueKind == JsonValueKind.String) node.Format = SchemaFormat.Find(format.GetString() ?? "");
            else Fault($"{pointer}/format", "must be text");
        }
        if (dialect != SchemaDialect.OpenApi30) return;
        if (schema.TryGetProperty("nullable", out var nullable) && Boolean(nullable, $"{pointer}/nullable"))
            node.Types |= SchemaTypes.Null;
        if (IsTrue(schema, "exclusiveMaximum")) (node.ExclusiveMaximum, node.Maximum) = (node.Maximum, null);
        if (IsTrue(schema, "exclusiveMinimum")) (node.ExclusiveMinimum, node.Minimum) = (node.Minimum, null);
    }

    private static bool IsTrue(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private void FinishOpenApi()
    {
        // One of a circle is enough to tell.
        if (FindEndless() is { } endless)
        {
            Fault(endless.Pointer, "refers to itself without end");
            return;
        }
        // What is read-only is required of answers alone.
        foreach (var node in nodes.Values)
            if (node.Required is { } required)
                node.Required = [.. required.Where(name => !IsReadOnly(node, name, MaxReferences))];
    }

    // A schema that is held to a value because it is held to it. By its own hand: references may be many.
    private SchemaNode? FindEndless()
    {
        var seen = new Dictionary<SchemaNode, bool>(); // True: all behind it has been looked at.
        var way = new Stack<(SchemaNode Node, IEnumerator<SchemaNode> Next)>();
        foreach (var node in nodes.Values)
        {
            if (!seen.TryAdd(node, false)) continue;
            way.Push((node, InPlace(node).GetEnumerator()));
            while (way.TryPeek(out var at))
            {
                if (!at.Next.MoveNext())
                {
                    seen[at.Node] = true;
                    way.Pop();
                }
                else if (!seen.TryGetValue(at.Next.Current, out var done))
                {
                    seen.Add(at.Next.Current, false);
                    way.Push((at.Next.Current, InPlace(at.Next.Current).GetEnumerator()));
                }
                else if (!done)
                {
                    return at.Next.Current;
                }
            }
        }
        return null;
    }

    // The schemas that the same value is held to.
    private static IEnumerable<SchemaNode> InPlace(SchemaNode node)
    {
        foreach (var one in (SchemaNode?[])[node.Ref, node.DynamicRef, node.Not, node.If, node.Then, node.Else])
            if (one is not null) yield return one;
        foreach (var all in (IReadOnlyList<SchemaNode>?[])[node.AllOf, node.AnyOf, node.OneOf])
            foreach (var one in all ?? []) yield return one;
        foreach (var one in node.DependentSchemas?.Values ?? []) yield return one;
    }

    private static bool IsReadOnly(SchemaNode node, string name, int left)
    {
        if (left == 0) return false;
        for (var (at, hops) = (node.Properties?.GetValueOrDefault(name), left); at is not null && hops > 0; hops--)
        {
            if (at.ReadOnly) return true;
            at = at.Ref;
        }
        if (node.Ref is { } target && IsReadOnly(target, name, left - 1)) return true;
        foreach (var one in node.AllOf ?? [])
            if (IsReadOnly(one, name, left - 1)) return true;
        return false;
    }
}
