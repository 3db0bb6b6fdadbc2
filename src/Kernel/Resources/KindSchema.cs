using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The JSON Schema (draft 2020-12) of a kind's spec, for forms, editors and people. Made from the same type information
/// that reads the spec, so that what it says of members, of what must be there and of defaults is what holds; the
/// record's attributes add words, ranges and the values that a text may have. Further rules are the validator's.
/// </summary>
internal static class KindSchema
{
    /// <summary>The dialect of the document.</summary>
    public const string Dialect = "https://json-schema.org/draft/2020-12/schema";

    /// <summary>
    /// Marks a field that is encrypted and shown masked: <see cref="Always"/>, or <see cref="Sometimes"/> where the
    /// spec itself says whether it is a secret.
    /// </summary>
    public const string SecretKeyword = "x-groundwork-secret";

    private const string Always = "always";
    private const string Sometimes = "sometimes";

    /// <summary>The schema; made anew, which costs milliseconds, so keep it.</summary>
    public static JsonElement Of(Kind kind)
    {
        var exported = Plain(kind).GetJsonSchemaAsNode(kind.SpecType, new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = (context, node) => Describe(kind, context, node),
        });
        var schema = new JsonObject { ["$schema"] = Dialect, ["title"] = kind.Name, ["description"] = kind.Summary };
        foreach (var (name, value) in exported.AsObject().ToList())
        {
            exported.AsObject().Remove(name);
            schema[name] = value;
        }
        return JsonSerializer.SerializeToElement(schema, KindSchemaJson.Default.JsonObject);
    }

    /// <summary>
    /// Without a converter of texts, such as the one that reads a masked one: of it the exporter knows nothing, and
    /// would leave every text out.
    /// </summary>
    private static JsonSerializerOptions Plain(Kind kind)
    {
        var options = new JsonSerializerOptions(kind.SpecTypeInfo.Options);
        for (var at = options.Converters.Count - 1; at >= 0; at--)
            if (options.Converters[at].CanConvert(typeof(string))) options.Converters.RemoveAt(at);
        return options;
    }

    private static JsonNode Describe(Kind kind, JsonSchemaExporterContext context, JsonNode node)
    {
        // A type with a converter of its own comes as "true": anything.
        var schema = node as JsonObject ?? [];
        if (kind.SecretFields.Contains(PathOf(context))) Mask(kind, schema);
        if (schema["properties"] is not JsonObject properties) return schema;
        // Here and not when the member itself passes: one that may be anything does not pass when it has a default.
        foreach (var member in context.TypeInfo.Properties)
        {
            if (properties[member.Name] is not JsonObject field) properties[member.Name] = field = [];
            foreach (var attribute in AttributesOf(member)) Add(attribute, field, member.IsSetNullable);
        }
        return schema;
    }

    private static IEnumerable<Attribute> AttributesOf(JsonPropertyInfo member) =>
        member.AssociatedParameter?.AttributeProvider?.GetCustomAttributes(inherit: false).OfType<Attribute>() ?? [];

    private static void Add(Attribute attribute, JsonObject schema, bool nullable)
    {
        switch (attribute)
        {
            case DescriptionAttribute words:
                schema["description"] = words.Description;
                break;
            case AllowedValuesAttribute allowed:
                // Of a list it says what an entry may be.
                var target = schema["items"] as JsonObject ?? schema;
                var values = new JsonArray();
                foreach (var value in allowed.Values) values.Add((JsonNode?)JsonValue.Create((string?)value));
                if (nullable && target == schema) values.Add(null);
                target["enum"] = values;
                break;
            case RangeAttribute range:
                schema["minimum"] = Number(range.Minimum);
                schema["maximum"] = Number(range.Maximum);
                break;
            case LengthAttribute length when schema.ContainsKey("items"):
                schema["minItems"] = length.MinimumLength;
                schema["maxItems"] = length.MaximumLength;
                break;
            case LengthAttribute length:
                schema["minLength"] = length.MinimumLength;
                schema["maxLength"] = length.MaximumLength;
                break;
        }
    }

    private static JsonValue Number(object bound) =>
        bound is double number ? JsonValue.Create(number) : JsonValue.Create((int)bound);

    /// <summary>Text, or the mask that stands for the text in place.</summary>
    private static void Mask(Kind kind, JsonObject schema)
    {
        schema.Remove("type");
        schema[SecretKeyword] = kind.SecretWhen is null ? Always : Sometimes;
        schema["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = "string" },
            new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { ["secret"] = new JsonObject { ["type"] = "string" } },
                ["required"] = new JsonArray("secret"),
                ["additionalProperties"] = false,
            });
    }

    /// <summary>As <see cref="Kind.SecretFields"/> write it: every second segment is a member's name.</summary>
    private static string PathOf(JsonSchemaExporterContext context)
    {
        var names = new List<string>();
        for (var at = 1; at < context.Path.Length; at += 2) names.Add(context.Path[at]);
        return string.Join('.', names);
    }
}

[JsonSerializable(typeof(JsonObject))]
internal sealed partial class KindSchemaJson : JsonSerializerContext;
