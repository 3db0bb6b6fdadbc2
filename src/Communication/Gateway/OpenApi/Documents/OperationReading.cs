using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Schemas;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>An operation as it stands in its document.</summary>
/// <param name="At">Where its path stands.</param>
internal sealed record OperationSource(
    string Method, string Path, string At, JsonElement PathItem, JsonElement Operation, PathTemplate Template);

/// <summary>
/// Reads the operations of a document. What their schemas refer to is known only when all are read: until
/// <see cref="Finish"/> the shapes of parameters are left open.
/// </summary>
internal sealed class OperationReading(References references, SchemaReading schemas, List<FieldFault> faults)
{
    /// <summary>Parameters of an operation: they are gone through one by one.</summary>
    private const int MaxParameters = 128;

    /// <summary>Types of media of a body.</summary>
    private const int MaxMedia = 32;

    private readonly List<Action> open = [];

    /// <summary>All schemas are read: the rest is decided.</summary>
    public void Finish()
    {
        schemas.Resolve();
        if (schemas.Faults.Count > 0) return;
        foreach (var one in open) one();
    }

    public ApiOperation? Read(OperationSource source)
    {
        var at = $"{source.At}/{source.Method}";
        if (source.Operation.ValueKind != JsonValueKind.Object)
        {
            Fault(at, "must be an object");
            return null;
        }
        if (source.Operation.TryGetProperty("servers", out _))
            Fault($"{at}/servers", "is not supported for an operation");
        var name = source.Operation.TryGetProperty("operationId", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString() ?? ""
            : $"{source.Method.ToUpperInvariant()} {source.Path}";
        var parameters = ParametersOf(source, at);
        var operation = new ApiOperation(
            Encoding.ASCII.GetBytes(source.Method.ToUpperInvariant()), name, parameters,
            source.Operation.TryGetProperty("requestBody", out var body) ? BodyOf(body, $"{at}/requestBody") : null);
        foreach (var parameter in parameters) open.Add(() => Decide(parameter, operation));
        return operation;
    }

    // Those of the operation stand for those of the path that have the same name and place.
    private ImmutableArray<ApiParameter> ParametersOf(OperationSource source, string at)
    {
        var read = new Dictionary<(ParameterPlace, string), ApiParameter>();
        foreach (var (holder, below) in ((JsonElement, string)[])[(source.PathItem, source.At), (source.Operation, at)])
        {
            if (!holder.TryGetProperty("parameters", out var list)) continue;
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MaxParameters)
            {
                Fault($"{below}/parameters", $"must be a list of at most {MaxParameters}");
                continue;
            }
            var own = new HashSet<(ParameterPlace, string)>();
            foreach (var (index, one) in list.EnumerateArray().Index())
            {
                if (references.Resolve(one, $"{below}/parameters/{index}") is not var (value, pointer)) continue;
                if (ParameterOf(value, pointer, source.Template) is not { } parameter) continue;
                var key = (parameter.Place, Encoding.UTF8.GetString(parameter.Key));
                if (!own.Add(key)) Fault($"{below}/parameters/{index}", "stands there twice");
                read[key] = parameter;
            }
        }
        foreach (var name in source.Template.Names)
            if (!read.ContainsKey((ParameterPlace.Path, name)))
                Fault(at, $"has no parameter for {{{name}}} of its path");
        return [.. read.Values];
    }

    private ApiParameter? ParameterOf(JsonElement value, string at, PathTemplate template)
    {
        var name = TextOf(value, "name");
        var place = TextOf(value, "in") switch
        {
            "path" => ParameterPlace.Path,
            "query" => ParameterPlace.Query,
            "header" => ParameterPlace.Header,
            "cookie" => ParameterPlace.Cookie,
            _ => (ParameterPlace?)null,
        };
        if (name is not { Length: > 0 and <= 256 } || place is not { } known)
        {
            Fault(at, "must have a name, and in: path, query, header or cookie");
            return null;
        }
        if (known == ParameterPlace.Header)
        {
            // Other parts of the document say what these may be, and the specification has them passed over here.
            if (name.Equals("accept", StringComparison.OrdinalIgnoreCase)
                || name.Equals("content-type", StringComparison.OrdinalIgnoreCase)
                || name.Equals("authorization", StringComparison.OrdinalIgnoreCase)) return null;
            if (!MatchRules.IsToken(name)) Fault($"{at}/name", "must be the name of a header field");
        }
        var capture = known == ParameterPlace.Path ? template.Names.IndexOf(name) : -1;
        if (known == ParameterPlace.Path && capture < 0)
        {
            Fault($"{at}/name", "is not in the path");
            return null;
        }
        var required = IsTrue(value, "required", at);
        if (known == ParameterPlace.Path && !required) Fault($"{at}/required", "must be true for one of the path");
        var key = Encoding.UTF8.GetBytes(known == ParameterPlace.Header ? name.ToLowerInvariant() : name);
        var written = $"{known.ToString().ToLowerInvariant()}.{name}";
        var parameter = new ApiParameter(written, key, known, capture, required)
        {
            AllowsEmpty = IsTrue(value, "allowEmptyValue", at),
        };
        return ReadContent(parameter, value, at) || ReadStyle(parameter, value, at) ? parameter : null;
    }

    private bool ReadContent(ApiParameter parameter, JsonElement value, string at)
    {
        if (!value.TryGetProperty("content", out var content)) return false;
        if (content.ValueKind != JsonValueKind.Object || content.EnumerateObject().Count() != 1
            || MediaTypeOf(content.EnumerateObject().First().Name) is not var (type, shape) || shape != BodyShape.Json)
        {
            Fault($"{at}/content", "must have one type, which must be JSON");
            return true;
        }
        parameter.Shape = ParameterShape.Json;
        var media = content.EnumerateObject().First();
        parameter.Schema = SchemaOf(media.Value, $"{at}/content/{References.Token(type)}");
        return true;
    }

    private bool ReadStyle(ApiParameter parameter, JsonElement value, string at)
    {
        var usual = parameter.Place is ParameterPlace.Query or ParameterPlace.Cookie ? "form" : "simple";
        var style = TextOf(value, "style") ?? usual;
        var allowed = parameter.Place == ParameterPlace.Query
            ? style is "form" or "spaceDelimited" or "pipeDelimited" or "deepObject"
            : style == usual;
        if (!allowed)
        {
            Fault(
                $"{at}/style",
                $"is not supported for a parameter of the {parameter.Place.ToString().ToLowerInvariant()}");
            return false;
        }
        parameter.Explodes = value.TryGetProperty("explode", out _) ? IsTrue(value, "explode", at) : style == "form";
        parameter.IsDeep = style == "deepObject";
        parameter.Separator = style switch { "spaceDelimited" => ' ', "pipeDelimited" => '|', _ => ',' };
        parameter.Schema = SchemaOf(value, at);
        parameter.At = at;
        return true;
    }

    // With its schemas known: whether its value is one text, a list or an object.
    private void Decide(ApiParameter parameter, ApiOperation operation)
    {
        if (parameter.Schema is not { } schema) return;
        parameter.Schema = schema with { Tracks = schemas.Tracks };
        if (parameter.Shape == ParameterShape.Json) return;
        var types = SchemaShape.TypesOf(schema);
        if ((types & SchemaShape.Texts) != SchemaTypes.None) parameter.Shape = ParameterShape.Plain;
        else if ((types & SchemaTypes.Array) != SchemaTypes.None) parameter.Shape = ParameterShape.List;
        else if ((types & SchemaTypes.Object) != SchemaTypes.None) parameter.Shape = ParameterShape.Object;
        if (parameter.IsDeep && parameter.Shape != ParameterShape.Object)
            Fault($"{parameter.At}/style", "is for objects alone");
        if (parameter.Shape != ParameterShape.Object) return;
        parameter.Members = SchemaShape.MembersOf(schema);
        var name = Encoding.UTF8.GetString(parameter.Key);
        parameter.MemberNames =
        [
            .. parameter.Members.Keys.Select(
                member => (Encoding.UTF8.GetBytes(parameter.IsDeep ? $"{name}[{member}]" : member), member)),
        ];
        if (parameter is { Place: ParameterPlace.Query, Explodes: true, IsDeep: false } && SchemaShape.IsOpen(schema))
            operation.TakesAnyQuery = true;
    }

    private void Decide(ApiMedia media)
    {
        if (media.Schema is not { } schema) return;
        media.Schema = schema with { Tracks = schemas.Tracks };
        if (media.Shape == BodyShape.Form) media.Members = SchemaShape.MembersOf(schema);
    }

    private ApiBody? BodyOf(JsonElement body, string at)
    {
        if (references.Resolve(body, at) is not var (value, pointer)) return null;
        if (!value.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.Object
            || content.EnumerateObject().Count() is 0 or > MaxMedia)
        {
            Fault($"{pointer}/content", $"must have 1 to {MaxMedia} types");
            return null;
        }
        var all = ImmutableArray.CreateBuilder<ApiMedia>();
        foreach (var member in content.EnumerateObject())
        {
            var below = $"{pointer}/content/{References.Token(member.Name)}";
            if (MediaTypeOf(member.Name) is not var (type, shape))
            {
                Fault(below, "is no type of media");
                continue;
            }
            var media = new ApiMedia(type, shape) { Schema = SchemaOf(member.Value, below) };
            if (shape == BodyShape.Form)
            {
                if (member.Value.ValueKind == JsonValueKind.Object && member.Value.TryGetProperty("encoding", out _))
                    Fault($"{below}/encoding", "is not supported for a form");
            }
            open.Add(() => Decide(media));
            all.Add(media);
        }
        all.Sort((one, other) => one.Width.CompareTo(other.Width));
        return new ApiBody(
            IsTrue(value, "required", pointer), all.ToImmutable(), string.Join(", ", all.Select(media => media.Type)));
    }

    private static (string Type, BodyShape Shape)? MediaTypeOf(string text)
    {
        var end = text.IndexOf(';', StringComparison.Ordinal);
        var type = (end < 0 ? text : text[..end]).Trim().ToLowerInvariant();
        var slash = type.IndexOf('/', StringComparison.Ordinal);
        if (slash < 1 || slash == type.Length - 1) return null;
        var shape = type == "application/json" || type.EndsWith("+json", StringComparison.Ordinal) ? BodyShape.Json
            : type == "application/x-www-form-urlencoded" ? BodyShape.Form
            : BodyShape.Unread;
        return (type, shape);
    }

    private JsonSchema? SchemaOf(JsonElement holder, string at)
    {
        if (holder.ValueKind != JsonValueKind.Object)
        {
            Fault(at, "must be an object");
            return null;
        }
        if (!holder.TryGetProperty("schema", out var schema)) return null;
        return new JsonSchema(schemas.ReadAt(schema, $"{at}/schema"), Tracks: false);
    }

    private static string? TextOf(JsonElement value, string name) =>
        value.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private bool IsTrue(JsonElement value, string name, string at)
    {
        if (!value.TryGetProperty(name, out var flag)) return false;
        if (flag.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            Fault($"{at}/{name}", "must be true or false");
        return flag.ValueKind == JsonValueKind.True;
    }

    private void Fault(string pointer, string message) => faults.Add(new FieldFault(pointer, message));
}
