using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>The OpenAPI 3.1 document of the API listener.</summary>
internal static class ApiDocument
{
    public const string Name = "v1";

    public static void Add(IServiceCollection services) =>
        services.AddOpenApi(Name, options => options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1);
}
