using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Communication.Gateway.Explaining;

/// <summary>The part of the API that tells what the gateway makes of its resources.</summary>
internal sealed class GatewayApi(RouteTableView routes, UpstreamTable upstreams, Authorizer authorizer)
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot + "/gateway").WithTags("Gateway");
        api.MapGet("/routes/{namespace}/{**name}", Explain)
            .Requires(Verb.Read, Key)
            .Describe<RouteExplanation>(
                "explainRoute", "What a route takes and where it sends it, and which others want the same requests.");
    }

    private static ResourceKey Key(HttpContext context) => new(
        RouteKind.Name,
        (string?)context.Request.RouteValues["namespace"] ?? "",
        (string?)context.Request.RouteValues["name"] ?? "");

    private IResult Explain(HttpContext context)
    {
        var key = Key(context);
        var table = routes.Current;
        return table.Find(key) is { } route
            ? TypedResults.Ok(RouteExplainer.Explain(
                route, table, other => authorizer.Authorize(context.Principal(), Verb.Read, other) is null,
                target => target.Upstream is { } name
                    && upstreams.Find(name)?.Policy.Tls is { IsInsecure: true }))
            : Problems.From(new Fault(ErrorCodes.ResourceNotFound, $"There is no {key} in force."));
    }
}
