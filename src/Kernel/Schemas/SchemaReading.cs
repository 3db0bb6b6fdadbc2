using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Groundwork.Wire;

namespace Groundwork.Kernel.Schemas;

/// <summary>
/// Reads a JSON Schema, draft 2020-12: the vocabularies core, applicator, unevaluated and validation; formats, content
/// and metadata are annotations, and keywords that it does not know are passed over. References stay within the
/// document: nothing is ever fetched.
/// </summary>
public sealed partial class SchemaReading
{
    /// <summary>Bytes of a schema as JSON.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>Schemas within a schema.</summary>
    public const int MaxNodes = 10_000;

    /// <summary>Patterns of one schema; each is an automaton.</summary>
    public const int MaxPatterns = 200;

    /// <summary>Faults after which reading stops; nobody reads more at once.</summary>
    private const int MaxFaults = 50;

    private const string Draft = "https://json-schema.org/draft/2020-12/schema";

    // For documents without an id; no reference can mean it.
    private static readonly Uri NoBase = new("schema://of.the.setting/");

    private readonly JsonElement document;
    private readonly SchemaDialect dialect;
    private readonly SchemaResource whole = new(NoBase, "");
    private readonly List<FieldFault> faults = [];
    private readonly Dictionary<string, SchemaNode> nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SchemaResource> resources = new(StringComparer.Ordinal);
    private readonly Queue<(SchemaNode From, string Text, bool Dynamic)> references = new();
    private int patterns;

    /// <summary>Begins with a document that has schemas in it, or is one.</summary>
    public SchemaReading(JsonElement document, SchemaDialect dialect)
    {
        this.document = document;
        this.dialect = dialect;
    }

    /// <summary>
    /// True when one of the schemas counts which parts of a value were looked at; known once all are resolved.
    /// </summary>
    public bool Tracks { get; private set; }

    /// <summary>What is wrong, by pointer; complete once all are resolved.</summary>
    public IReadOnlyList<FieldFault> Faults => faults;

    private bool IsOpenApi => dialect != SchemaDialect.Draft202012;

    /// <summary>The schema, or all that is wrong with it; the paths are below <paramref name="path"/>.</summary>
    public static JsonSchema? Read(JsonElement document, string path, ICollection<FieldFault> faults)
    {
        var reading = new SchemaReading(document, SchemaDialect.Draft202012);
        SchemaNode? root = null;
        if (document.GetRawText().Length > MaxBytes)
            reading.Fault("", $"is longer than {MaxBytes} characters");
        else
        {
            root = reading.ReadAt(document, "");
            reading.Resolve();
        }
        foreach (var fault in reading.faults.Take(MaxFaults))
            faults.Add(fault with { Path = path + fault.Path.Replace('/', '.') });
        return reading.faults.Count == 0 && root is not null ? new JsonSchema(root, reading.Tracks) : null;
    }

    /// <summary>The schema at a place of the document; what it refers to is read by <see cref="Resolve"/>.</summary>
    public SchemaNode ReadAt(JsonElement schema, string pointer) =>
        nodes.TryGetValue(pointer, out var known) ? known : ReadSchema(schema, pointer, whole);

    private void Fault(string pointer, string message) => faults.Add(new FieldFault(pointer, message));

    private SchemaNode ReadSchema(JsonElement schema, string pointer, SchemaResource resource)
    {
        if (nodes.Count >= MaxNodes || faults.Count >= MaxFaults)
        {
            if (nodes.Count == MaxNodes && faults.Count < MaxFaults)
                Fault(pointer, $"has more than {MaxNodes} schemas");
            return new SchemaNode(pointer, resource) { Always = true };
        }
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return nodes[pointer] = new SchemaNode(pointer, resource)
            {
                Always = schema.ValueKind == JsonValueKind.True,
            };
        if (schema.ValueKind != JsonValueKind.Object)
        {
            Fault(pointer, "must be a schema: an object, true or false");
            return new SchemaNode(pointer, resource) { Always = true };
        }
        resource = Identify(schema, pointer, resource);
        var node = nodes[pointer] = new SchemaNode(pointer, resource);
        if (pointer.Length == 0) resources[Key(resource.Base)] = resource;
        // Of 3.0 a reference is no schema: what stands beside it does not count.
        if (dialect == SchemaDialect.OpenApi30 && schema.TryGetProperty("$ref", out var alone))
        {
            Refer(node, alone, $"{pointer}/$ref", dynamic: false);
            return node;
        }
        foreach (var keyword in schema.EnumerateObject())
            ReadKeyword(node, keyword.Name, keyword.Value, $"{pointer}/{Token(keyword.Name)}");
        if (IsOpenApi) ReadOpenApi(node, schema, pointer);
        return node;
    }

    private SchemaResource Identify(JsonElement schema, string pointer, SchemaResource resource)
    {
        if (schema.TryGetProperty("$schema", out var named)
            && (named.ValueKind != JsonValueKind.String || !IsKnown(named.GetString()?.TrimEnd('#'))))
            Fault($"{pointer}/$schema", $"must be {Draft}");
        if (!schema.TryGetProperty("$id", out var id)) return resource;
        if (id.ValueKind != JsonValueKind.String || !TryResolve(resource.Base, id.GetString() ?? "", out var uri)
            || uri.Fragment.Length > 1)
        {
            Fault($"{pointer}/$id", "must be a URI without a fragment");
            return resource;
        }
        var own = new SchemaResource(uri, pointer);
        if (!resources.TryAdd(Key(uri), own)) Fault($"{pointer}/$id", "stands for two schemas");
        return own;
    }

    private void ReadKeyword(SchemaNode node, string name, JsonElement value, string at)
    {
        switch (name)
        {
            case "$ref": Refer(node, value, at, dynamic: false); break;
            case "$dynamicRef": Refer(node, value, at, dynamic: true); break;
            case "$anchor": Anchor(node, value, at, dynamic: false); break;
            case "$dynamicAnchor": Anchor(node, value, at, dynamic: true); break;
            case "$defs" or "definitions": Schemas(node, value, at); break;
            case "type": node.Types = ReadTypes(value, at); break;
            case "enum": ReadEnum(node, value, at); break;
            case "const":
                node.Const = Canonical(value);
                node.ConstText = PlainText(value);
                break;
            case "multipleOf": node.MultipleOf = Number(value, at, positive: true); break;
            case "maximum": node.Maximum = Number(value, at); break;
            case "exclusiveMaximum" or "exclusiveMinimum" when dialect == SchemaDialect.OpenApi30
                && value.ValueKind is JsonValueKind.True or JsonValueKind.False: break; // With their bound.
            case "exclusiveMaximum": node.ExclusiveMaximum = Number(value, at); break;
            case "minimum": node.Minimum = Number(value, at); break;
            case "exclusiveMinimum": node.ExclusiveMinimum = Number(value, at); break;
            case "maxLength": node.MaxLength = Count(value, at); break;
            case "minLength": node.MinLength = Count(value, at); break;
            case "maxItems": node.MaxItems = Count(value, at); break;
            case "minItems": node.MinItems = Count(value, at); break;
            case "maxContains": node.MaxContains = Count(value, at); break;
            case "minContains": node.MinContains = Count(value, at); break;
            case "maxProperties": node.MaxProperties = Count(value, at); break;
            case "minProperties": node.MinProperties = Count(value, at); break;
            case "uniqueItems": node.UniqueItems = Boolean(value, at); break;
            case "required": node.Required = Texts(value, at); break;
            case "dependentRequired": node.DependentRequired = ReadDependent(value, at); break;
            case "pattern":
                node.PatternText = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
                node.Pattern = Pattern(node.PatternText, at);
                break;
            default: ReadApplicator(node, name, value, at); break;
        }
    }

    private void ReadApplicator(SchemaNode node, string name, JsonElement value, string at)
    {
        switch (name)
        {
            case "prefixItems": node.PrefixItems = List(node, value, at); break;
            case "items": node.Items = ReadSchema(value, at, node.Resource); break;
            case "contains": node.Contains = ReadSchema(value, at, node.Resource); break;
            case "properties": node.Properties = Schemas(node, value, at); break;
            case "patternProperties": node.PatternProperties = ReadPatterns(node, value, at); break;
            case "additionalProperties": node.AdditionalProperties = ReadSchema(value, at, node.Resource); break;
            case "propertyNames": node.PropertyNames = ReadSchema(value, at, node.Resource); break;
            case "dependentSchemas": node.DependentSchemas = Schemas(node, value, at); break;
            case "if": node.If = ReadSchema(value, at, node.Resource); break;
            case "then": node.Then = ReadSchema(value, at, node.Resource); break;
            case "else": node.Else = ReadSchema(value, at, node.Resource); break;
            case "allOf": node.AllOf = List(node, value, at); break;
            case "anyOf": node.AnyOf = List(node, value, at); break;
            case "oneOf": node.OneOf = List(node, value, at); break;
            case "not": node.Not = ReadSchema(value, at, node.Resource); break;
            case "unevaluatedItems":
                Tracks = true;
                node.UnevaluatedItems = ReadSchema(value, at, node.Resource);
                break;
            case "unevaluatedProperties":
                Tracks = true;
                node.UnevaluatedProperties = ReadSchema(value, at, node.Resource);
                break;
        }
    }

    private void Refer(SchemaNode node, JsonElement value, string at, bool dynamic)
    {
        if (value.ValueKind == JsonValueKind.String) references.Enqueue((node, value.GetString() ?? "", dynamic));
        else Fault(at, "must be a URI reference");
    }

    private void Anchor(SchemaNode node, JsonElement value, string at, bool dynamic)
    {
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 } name
            || !(char.IsAsciiLetter(name[0]) || name[0] == '_'))
        {
            Fault(at, "must be a name");
            return;
        }
        if (!node.Resource.Anchors.TryAdd(name, node) && node.Resource.Anchors[name] != node)
            Fault(at, "stands twice in one schema");
        if (dynamic) node.Resource.DynamicAnchors.Add(name);
    }

    /// <summary>References lead to what is read, or to what is read for them.</summary>
    public void Resolve()
    {
        while (references.TryDequeue(out var reference))
        {
            var (from, text, dynamic) = reference;
            var at = $"{from.Pointer}/{(dynamic ? "$dynamicRef" : "$ref")}";
            if (Find(from, text, at) is not { } target) continue;
            if (!dynamic)
            {
                from.Ref = target;
                continue;
            }
            from.DynamicRef = target;
            var hash = text.IndexOf('#', StringComparison.Ordinal);
            var anchor = hash < 0 ? "" : Uri.UnescapeDataString(text[(hash + 1)..]);
            if (target.Resource.DynamicAnchors.Contains(anchor)) from.DynamicAnchor = anchor;
        }
        if (IsOpenApi) FinishOpenApi();
    }

    private SchemaNode? Find(SchemaNode from, string text, string at)
    {
        var resource = from.Resource;
        if (!text.StartsWith('#'))
        {
            if (!TryResolve(resource.Base, text, out var uri))
            {
                Fault(at, "must be a URI reference");
                return null;
            }
            if (!resources.TryGetValue(Key(uri), out var other))
            {
                Fault(at, "leads out of this document; nothing is fetched");
                return null;
            }
            resource = other;
        }
        var hash = text.IndexOf('#', StringComparison.Ordinal);
        var fragment = hash < 0 ? "" : Uri.UnescapeDataString(text[(hash + 1)..]);
        if (fragment.Length > 0 && fragment[0] != '/')
        {
            if (resource.Anchors.TryGetValue(fragment, out var anchored)) return anchored;
            Fault(at, "names an anchor that this document has not");
            return null;
        }
        var pointer = resource.Pointer + fragment;
        if (nodes.TryGetValue(pointer, out var known)) return known;
        if (FindElement(pointer) is { } element) return ReadSchema(element, pointer, Nearest(pointer));
        Fault(at, "leads to nothing in this document");
        return null;
    }

    private JsonElement? FindElement(string pointer)
    {
        var element = document;
        foreach (var token in pointer.Split('/').Skip(1))
        {
            var name = token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member))
                element = member;
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, out var index)
                && index >= 0 && index < element.GetArrayLength())
                element = element[index];
            else return null;
        }
        return element;
    }

    private SchemaResource Nearest(string pointer) => nodes
        .Where(node => pointer.StartsWith(node.Key + "/", StringComparison.Ordinal) || node.Key.Length == 0)
        .Select(node => node.Value).MaxBy(node => node.Pointer.Length)?.Resource ?? whole;

    private List<SchemaNode> List(SchemaNode node, JsonElement value, string at)
    {
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0)
        {
            return
            [
                .. value.EnumerateArray().Select((item, index) => ReadSchema(item, $"{at}/{index}", node.Resource)),
            ];
        }
        Fault(at, "must be a list of schemas");
        return [];
    }

    private Dictionary<string, SchemaNode> Schemas(SchemaNode node, JsonElement value, string at)
    {
        var schemas = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
        if (value.ValueKind != JsonValueKind.Object)
        {
            Fault(at, "must be an object of schemas");
            return schemas;
        }
        foreach (var member in value.EnumerateObject())
            schemas[member.Name] = ReadSchema(member.Value, $"{at}/{Token(member.Name)}", node.Resource);
        return schemas;
    }

    private List<(Regex, SchemaNode)> ReadPatterns(SchemaNode node, JsonElement value, string at)
    {
        var read = new List<(Regex, SchemaNode)>();
        foreach (var (pattern, schema) in Schemas(node, value, at))
            if (Pattern(pattern, $"{at}/{Token(pattern)}") is { } regex) read.Add((regex, schema));
        return read;
    }

    private Regex? Pattern(string? pattern, string at)
    {
        if (pattern is null) Fault(at, "must be text");
        else if (++patterns > MaxPatterns) Fault(at, $"is one of more than {MaxPatterns} patterns");
        else if (SchemaPattern.TryCompile(pattern, out var regex, out var fault)) return regex;
        else Fault(at, fault);
        return null;
    }

    private SchemaTypes? ReadTypes(JsonElement value, string at)
    {
        var types = SchemaTypes.None;
        var names = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value];
        foreach (var name in names)
        {
            var type = name.ValueKind == JsonValueKind.String ? TypeOf(name.GetString()) : SchemaTypes.None;
            if (type == SchemaTypes.None)
                Fault(at, "must be null, boolean, integer, number, string, array or object, or a list of these");
            types |= type;
        }
        return types;
    }

    private static SchemaTypes TypeOf(string? name) => name switch
    {
        "null" => SchemaTypes.Null,
        "boolean" => SchemaTypes.Boolean,
        "integer" => SchemaTypes.Integer,
        "number" => SchemaTypes.Number,
        "string" => SchemaTypes.String,
        "array" => SchemaTypes.Array,
        "object" => SchemaTypes.Object,
        _ => SchemaTypes.None,
    };

    private void ReadEnum(SchemaNode node, JsonElement value, string at)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            Fault(at, "must be a list of values");
            return;
        }
        node.Enum = value.EnumerateArray().Select(Canonical).ToHashSet(StringComparer.Ordinal);
        node.EnumTexts = value.EnumerateArray().Select(PlainText).OfType<string>().ToHashSet(StringComparer.Ordinal);
    }

    private Dictionary<string, IReadOnlyList<string>> ReadDependent(JsonElement value, string at)
    {
        var dependent = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if (value.ValueKind != JsonValueKind.Object)
        {
            Fault(at, "must be an object of lists of names");
            return dependent;
        }
        foreach (var member in value.EnumerateObject())
            dependent[member.Name] = Texts(member.Value, $"{at}/{Token(member.Name)}");
        return dependent;
    }

    private IReadOnlyList<string> Texts(JsonElement value, string at)
    {
        if (value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
            return [.. value.EnumerateArray().Select(item => item.GetString() ?? "")];
        Fault(at, "must be a list of names");
        return [];
    }

    private SchemaNumber? Number(JsonElement value, string at, bool positive = false)
    {
        if (value.ValueKind == JsonValueKind.Number && SchemaNumber.TryParse(value.GetRawText(), out var number)
            && (!positive || number.Mantissa.Sign > 0)) return number;
        Fault(at, positive ? "must be a number above 0" : "must be a number");
        return null;
    }

    private int? Count(JsonElement value, string at)
    {
        if (value.ValueKind == JsonValueKind.Number && SchemaNumber.TryParse(value.GetRawText(), out var number)
            && number.ToCount() is { } count) return count;
        Fault(at, "must be a whole number, not below 0");
        return null;
    }

    private bool Boolean(JsonElement value, string at)
    {
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) Fault(at, "must be true or false");
        return value.ValueKind == JsonValueKind.True;
    }

    private static string Canonical(JsonElement value) => CanonicalJson.Write(JsonNode.Parse(value.GetRawText()));

    // As a text without types has it; what has members has no such form.
    private static string? PlainText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        JsonValueKind.Null => "",
        _ => null,
    };

    private static string Token(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string Key(Uri uri) => uri.GetComponents(
        UriComponents.AbsoluteUri & ~UriComponents.Fragment, UriFormat.UriEscaped).TrimEnd('#');

    private static bool TryResolve(Uri @base, string text, [NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(@base, text, out uri) && uri.IsAbsoluteUri;
}
