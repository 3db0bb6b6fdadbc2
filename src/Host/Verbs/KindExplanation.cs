using System.CommandLine;
using System.Text.Json;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Wire;

namespace Groundwork.Host.Verbs;

/// <summary><c>explain kind</c>: the fields of a kind's spec, from its schema.</summary>
internal static class KindExplanation
{
    /// <summary>Levels of fields; a schema that refers to itself would go on for ever.</summary>
    private const int MaxLevels = 8;

    public static Command Create() =>
        new Verb("kind", "List the fields of a kind's spec.", "explain kind route", ExplainAsync)
        {
            ResourceName.KindArgument,
        };

    private static async Task<int> ExplainAsync(Call call)
    {
        using var connection = call.Connect();
        var answer = await connection.GetAsync(
            $"kinds/{Uri.EscapeDataString(call.Required(ResourceName.KindArgument))}", call.Cancellation);
        var kind = answer.Read(WireJson.Lenient.KindDocument);
        call.Answer.Print(answer.Document, $"{call.Terminal.Bold(kind.Name)}: {kind.Summary}");
        if (!call.Answer.IsTable || kind.Schema is not { } schema) return ExitCodes.Ok;
        var table = new Table("FIELD", "TYPE", "DEFAULT", "DESCRIPTION");
        Add(table, "spec", schema, 0);
        call.Terminal.Out.WriteLine();
        table.Print(call.Terminal.Out);
        return ExitCodes.Ok;
    }

    private static void Add(Table table, string path, JsonElement schema, int level)
    {
        if (level == MaxLevels || !schema.TryGetProperty("properties", out var fields)) return;
        var required = schema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(name => name.GetString()).ToHashSet(StringComparer.Ordinal)
            : [];
        foreach (var field in fields.EnumerateObject())
        {
            var here = $"{path}.{field.Name}";
            table.Add(here, TypeOf(field.Value), DefaultOf(field, required), Text(field.Value, "description"));
            if (field.Value.TryGetProperty("items", out var items)) Add(table, $"{here}[]", items, level + 1);
            else Add(table, here, field.Value, level + 1);
        }
    }

    private static string DefaultOf(JsonProperty field, HashSet<string?> required)
    {
        if (required.Contains(field.Name)) return "(required)";
        return field.Value.TryGetProperty("default", out var value) && value.ValueKind != JsonValueKind.Null
            ? value.ToString()
            : "";
    }

    private static string TypeOf(JsonElement schema)
    {
        if (schema.TryGetProperty("x-groundwork-secret", out _)) return "secret";
        if (schema.TryGetProperty("enum", out var values))
        {
            return string.Join(
                '|', values.EnumerateArray().Select(value => value.ToString()).Where(one => one.Length > 0));
        }
        if (schema.TryGetProperty("items", out var items)) return $"list of {TypeOf(items)}";
        if (schema.TryGetProperty("additionalProperties", out var entries) && entries.ValueKind == JsonValueKind.Object)
            return $"map of {TypeOf(entries)}";
        if (!schema.TryGetProperty("type", out var type)) return "any";
        return type.ValueKind == JsonValueKind.Array
            ? string.Join('|', type.EnumerateArray().Select(one => one.ToString()).Where(one => one != "null"))
            : type.ToString();
    }

    private static string Text(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var text) ? text.GetString() ?? "" : "";
}
