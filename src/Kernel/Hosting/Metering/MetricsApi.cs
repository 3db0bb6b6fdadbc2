using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Hosting.Metering;

/// <summary>
/// <c>/metrics</c>, where scrapers expect it. It names routes, services and instances, so that it takes a credential
/// like anything else: an access key that may read <c>metrics</c>. Being on loopback is none.
/// </summary>
internal sealed class MetricsApi(Node node)
{
    /// <summary>What stands for the figures where a permission names a resource.</summary>
    public const string Kind = "metrics";

    public void Map(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/metrics", Get)
        .WithTags("Node")
        .Requires(Verb.Read, _ => new ResourceKey(Kind, "", node.Name))
        .Describe<string>(
            "getMetrics", "The figures of this node in the text format of Prometheus.", "text/plain");

    private IResult Get(HttpContext context)
    {
        var text = new MetricsText();
        foreach (var source in node.Metrics) source.Write(text);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Bytes(text.Bytes, MetricsText.MediaType);
    }
}
