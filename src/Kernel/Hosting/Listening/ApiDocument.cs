using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>
/// The OpenAPI 3.1 document of the API listener, made from what is mapped: the endpoints say what they do, and this
/// adds what holds for all of them.
/// </summary>
internal static class ApiDocument
{
    public const string Name = "v1";

    private const string SchemeName = "bearer";
    private const string ProblemSchema = nameof(ProblemDocument);

    public static void Add(IServiceCollection services) => services.AddOpenApi(Name, options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer(DescribeApiAsync);
        options.AddOperationTransformer(DescribeOperationAsync);
    });

    private static async Task DescribeApiAsync(
        OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Groundwork",
            // Of the API, not of the build: the document changes when the API does.
            Version = "1",
            Description = "Every answer carries Groundwork-Revision, the revision in force when it was made. "
                + "Errors are problem details (RFC 9457) with a stable code; docs/errors.md lists them.",
        };
        // Where it runs is not part of what it is; a client is given the address.
        document.Servers = [];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal);
        document.Components.SecuritySchemes[SchemeName] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description =
                "An access key or a sign-in token. Over the Unix socket in the data directory none is needed.",
        };
        var problem = await context.GetOrCreateSchemaAsync(
            typeof(ProblemDocument), cancellationToken: cancellationToken);
        document.AddComponent(ProblemSchema, problem);
    }

    private static Task DescribeOperationAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var permission = metadata.OfType<EndpointPermission>().LastOrDefault();
        if (permission is not EndpointPermission.Anyone)
            operation.Security =
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(
                    SchemeName, context.Document)] = [] },
            ];
        operation.Description = permission switch
        {
            EndpointPermission.Grant grant => $"Needs the verb `{grant}` on the resource that the request names.",
            EndpointPermission.AnyPrincipal any => $"Any principal: {any.How}.",
            EndpointPermission.Anyone anyone => $"Needs no credential: {anyone.Why}.",
            _ => null,
        };
        AddPathParameters(operation, context.Description.RelativePath ?? "");
        foreach (var read in metadata.OfType<ReadParameter>())
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = read.Name,
                In = read.IsHeader ? ParameterLocation.Header : ParameterLocation.Query,
                Description = read.Description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
            parameter.Description ??= ParameterDescriptions.Of(parameter.Name ?? "");
        operation.Responses ??= [];
        operation.Responses.Remove("400");
        operation.Responses["default"] = new OpenApiResponse
        {
            Description = "A problem, with its code.",
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                [Problems.MediaType] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(
                    ProblemSchema, context.Document) },
            },
        };
        return Task.CompletedTask;
    }

    /// <summary>
    /// A handler that takes a value from the route itself declares no parameter for it; the path has it all the same.
    /// </summary>
    private static void AddPathParameters(OpenApiOperation operation, string path)
    {
        foreach (var segment in path.Split('/'))
        {
            if (!segment.StartsWith('{')) continue;
            var name = segment.Trim('{', '}').TrimStart('*').Split(':')[0];
            operation.Parameters ??= [];
            if (operation.Parameters.Any(known => known.Name == name && known.In == ParameterLocation.Path)) continue;
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Path,
                Required = true,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }
    }
}
