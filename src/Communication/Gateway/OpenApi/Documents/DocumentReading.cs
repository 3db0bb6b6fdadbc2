using System.Buffers.Text;
using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Schemas;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>
/// Reads an OpenAPI document, 3.0 or 3.1, as far as requests are concerned: servers, paths, parameters and bodies.
/// References stay within the document. What cannot be held to is a fault, never passed over.
/// </summary>
internal sealed class DocumentReading
{
    /// <summary>Bytes of a document that is packed.</summary>
    public const int MaxBytes = 1_048_576;

    /// <summary>Levels of a document that is packed; the other is bounded by its resource.</summary>
    public const int MaxDepth = 64;

    /// <summary>Operations of a document.</summary>
    public const int MaxOperations = 2_000;

    /// <summary>Faults that are told: nobody reads more at once.</summary>
    public const int MaxFaults = 50;

    private const int MaxServers = 32;

    private static readonly ImmutableArray<string> Methods =
        ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    private readonly List<FieldFault> faults = [];
    private readonly JsonElement root;
    private readonly SchemaReading schemas;
    private readonly OperationReading operations;
    private int count;

    private DocumentReading(JsonElement root, SchemaDialect dialect)
    {
        this.root = root;
        schemas = new SchemaReading(root, dialect);
        operations = new OperationReading(new References(root, faults), schemas, faults);
    }

    /// <summary>Null for one with faults, which are added.</summary>
    public static ApiDocument? Read(OpenApiDocumentSpec spec, ICollection<FieldFault> faults)
    {
        try
        {
            if (spec.Document is { } inline) return Read(inline, "spec.document", faults);
            if (spec.Packed is not { } packed) return null;
            var text = Unpack(packed, faults);
            if (text is null) return null;
            using var document = JsonDocument.Parse(
                text, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            return Read(document.RootElement, "spec.packed", faults);
        }
        catch (JsonException fault)
        {
            faults.Add(new FieldFault(
                "spec.packed", $"must be JSON of at most {MaxDepth} levels, each member once: line "
                + $"{fault.LineNumber + 1}, byte {fault.BytePositionInLine + 1}"));
            return null;
        }
    }

    /// <param name="at">Where the document stands; places in it follow as a JSON pointer behind a #.</param>
    internal static ApiDocument? Read(JsonElement root, string at, ICollection<FieldFault> faults)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("openapi", out var version)
            || version.ValueKind != JsonValueKind.String || DialectOf(version.GetString() ?? "") is not { } dialect)
        {
            faults.Add(new FieldFault(at + "#/openapi", "must be 3.0.x or 3.1.x"));
            return null;
        }
        var reading = new DocumentReading(root, dialect);
        var document = reading.Read();
        var told = reading.faults.Concat(reading.schemas.Faults).Take(MaxFaults).ToList();
        foreach (var fault in told) faults.Add(fault with { Path = $"{at}#{fault.Path}" });
        return told.Count == 0 ? document : null;
    }

    private static SchemaDialect? DialectOf(string version) =>
        version.StartsWith("3.0.", StringComparison.Ordinal) ? SchemaDialect.OpenApi30
        : version.StartsWith("3.1.", StringComparison.Ordinal) ? SchemaDialect.OpenApi31
        : null;

    private static byte[]? Unpack(string packed, ICollection<FieldFault> faults)
    {
        try
        {
            using var unpacking = new GZipStream(
                new MemoryStream(Convert.FromBase64String(packed)), CompressionMode.Decompress);
            var text = new byte[MaxBytes + 1];
            var length = unpacking.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            if (length <= MaxBytes) return text[..length];
            faults.Add(new FieldFault("spec.packed", $"must have at most {MaxBytes} bytes when unpacked"));
        }
        catch (Exception fault) when (fault is FormatException or InvalidDataException)
        {
            faults.Add(new FieldFault("spec.packed", "must be gzip, written in base64"));
        }
        return null;
    }

    private ApiDocument Read()
    {
        if (root.TryGetProperty("jsonSchemaDialect", out var dialect)
            && dialect.GetRawText().Trim('"') is not ("https://spec.openapis.org/oas/3.1/dialect/base"
                or "https://json-schema.org/draft/2020-12/schema"))
            Fault("/jsonSchemaDialect", "must be draft 2020-12, or the dialect of OpenAPI 3.1");
        var tree = new PathTree();
        if (root.TryGetProperty("paths", out var paths))
        {
            if (paths.ValueKind == JsonValueKind.Object)
            {
                foreach (var path in paths.EnumerateObject())
                    if (!path.Name.StartsWith("x-", StringComparison.Ordinal)) ReadPath(tree, path);
            }
            else
            {
                Fault("/paths", "must be an object");
            }
        }
        if (count == 0 && faults.Count == 0) Fault("/paths", "must have an operation at least");
        var servers = ReadServers();
        operations.Finish();
        return new ApiDocument(servers, tree);
    }

    private void ReadPath(PathTree tree, JsonProperty path)
    {
        var at = $"/paths/{References.Token(path.Name)}";
        if (PathTemplate.Parse(path.Name, out var wrong) is not { } template)
        {
            Fault(at, wrong);
            return;
        }
        if (path.Value.ValueKind != JsonValueKind.Object)
        {
            Fault(at, "must be an object");
            return;
        }
        foreach (var name in (string[])["$ref", "servers"])
            if (path.Value.TryGetProperty(name, out _)) Fault($"{at}/{name}", "is not supported for a path");
        var found = ImmutableArray.CreateBuilder<ApiOperation>();
        foreach (var method in Methods)
        {
            if (!path.Value.TryGetProperty(method, out var operation)) continue;
            if (++count == MaxOperations + 1) Fault(at, $"is one of more than {MaxOperations} operations");
            if (count > MaxOperations || faults.Count >= MaxFaults) return;
            var source = new OperationSource(method, path.Name, at, path.Value, operation, template);
            if (operations.Read(source) is { } read) found.Add(read);
        }
        var allow = string.Join(
            ", ", Methods.Where(method => path.Value.TryGetProperty(method, out _)
                || (method == "head" && path.Value.TryGetProperty("get", out _)))
                .Select(one => one.ToUpperInvariant()));
        if (!tree.TryAdd(template, new ApiPath(path.Name, template.Names, found.ToImmutable(), allow)))
            Fault(at, "stands for the same requests as another path");
    }

    // The hosts are the route's business.
    private ImmutableArray<byte[]> ReadServers()
    {
        if (!root.TryGetProperty("servers", out var servers)) return [[]];
        if (servers.ValueKind != JsonValueKind.Array || servers.GetArrayLength() > MaxServers)
        {
            Fault("/servers", $"must be a list of at most {MaxServers}");
            return [[]];
        }
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (index, server) in servers.EnumerateArray().Index())
        {
            if (server.ValueKind == JsonValueKind.Object && server.TryGetProperty("url", out var url)
                && url.ValueKind == JsonValueKind.String
                && PathOf(Resolved(url.GetString() ?? "", server)) is { } path) paths.Add(path);
            else Fault($"/servers/{index}/url", "must be an address, or a path that begins with a slash");
        }
        return paths.Count == 0 ? [[]] : [.. paths.Order(StringComparer.Ordinal).Select(Encoding.UTF8.GetBytes)];
    }

    private static string Resolved(string url, JsonElement server)
    {
        if (!server.TryGetProperty("variables", out var variables) || variables.ValueKind != JsonValueKind.Object)
            return url;
        foreach (var variable in variables.EnumerateObject())
            if (variable.Value.ValueKind == JsonValueKind.Object
                && variable.Value.TryGetProperty("default", out var value) && value.ValueKind == JsonValueKind.String)
                url = url.Replace($"{{{variable.Name}}}", value.GetString(), StringComparison.Ordinal);
        return url;
    }

    private static string? PathOf(string url)
    {
        if (url.Contains('{', StringComparison.Ordinal)) return null;
        if (url.StartsWith('/') && !url.StartsWith("//", StringComparison.Ordinal)) return url.TrimEnd('/');
        return Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "ws" or "wss"
            ? uri.AbsolutePath.TrimEnd('/')
            : null;
    }

    private void Fault(string pointer, string message) => faults.Add(new FieldFault(pointer, message));
}
