using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// Holds the committed description of the API to what the product serves. After a change of the API that is meant, run
/// with TESTS_UPDATE_SNAPSHOTS=1 and read the difference.
/// </summary>
public sealed class ApiDocumentTests
{
    private const string UpdateVariable = "TESTS_UPDATE_SNAPSHOTS";

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Fact]
    public async Task Committed_document_is_what_the_product_serves()
    {
        var document = (await ReadAsync()).ToJsonString(Readable) + "\n";
        var path = Path.Combine(RepositoryRoot(), "docs", "api", "openapi.json");
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1") await File.WriteAllTextAsync(path, document);
        Assert.True(
            document == await File.ReadAllTextAsync(path),
            $"The API has changed: run this test with {UpdateVariable}=1 and commit docs/api/openapi.json.");
    }

    [Fact]
    public async Task Every_operation_has_an_id_a_summary_and_explained_parameters()
    {
        var document = await ReadAsync();
        Assert.StartsWith("3.1", (string?)document["openapi"]);
        var faults = new List<string>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (path, item) in document["paths"]!.AsObject()) // A document without paths is no document.
        {
            foreach (var (method, operation) in item!.AsObject()) // Nor is a path without operations.
            {
                var where = $"{method} {path}";
                if ((string?)operation?["operationId"] is not { Length: > 0 } id)
                    faults.Add($"{where} has no operationId");
                else if (!ids.Add(id)) faults.Add($"{where} repeats the operationId {id}");
                if ((string?)operation?["summary"] is not { Length: > 0 }) faults.Add($"{where} has no summary");
                if (operation?["responses"]?["default"] is null)
                    faults.Add($"{where} does not say that it answers problems");
                foreach (var parameter in operation?["parameters"]?.AsArray() ?? [])
                    if ((string?)parameter?["description"] is not { Length: > 0 })
                        faults.Add($"{where} does not explain '{parameter?["name"]}'");
            }
        }
        Assert.True(faults.Count == 0, string.Join(Environment.NewLine, faults));
    }

    [Fact]
    public async Task Every_mapped_operation_is_described()
    {
        await using var product = await Product.StartAsync();
        var document = await product.Local.GetFromJsonAsync<JsonObject>("/groundwork/v1/openapi.json");
        var described = document!["paths"]!.AsObject() // The call succeeded.
            .SelectMany(path => path.Value!.AsObject()
                .Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}"))
            .ToHashSet(StringComparer.Ordinal);
        var missing = product.Node.Listeners.Endpoints
            .Where(endpoint => endpoint.Listener == ListenerDefinition.Api
                && !endpoint.Pattern.EndsWith("/openapi.json", StringComparison.Ordinal)
                && endpoint.Protocol is null)
            .Select(endpoint => $"{endpoint.Method} {Plain(endpoint.Pattern)}")
            .Where(operation => !described.Contains(operation));
        Assert.Empty(missing);
    }

    // OpenAPI writes {name} where routing writes {**name} or {revision:long}.
    private static string Plain(string pattern) => string.Join('/', pattern.Split('/').Select(segment =>
        segment.StartsWith('{') ? "{" + segment.Trim('{', '}', '*').Split(':')[0] + "}" : segment)).TrimEnd('/');

    private static async Task<JsonObject> ReadAsync()
    {
        await using var product = await Product.StartAsync();
        return await product.Local.GetFromJsonAsync<JsonObject>("/groundwork/v1/openapi.json")
            ?? throw new InvalidOperationException("The document is null.");
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Groundwork.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException(
            "The tests do not run inside the repository.");
    }
}
