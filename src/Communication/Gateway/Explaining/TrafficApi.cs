using Groundwork.Communication.Gateway.Recording;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Communication.Gateway.Explaining;

/// <summary>The part of the API that tells what goes through the gateway of this node.</summary>
internal sealed class TrafficApi(
    ExchangeRecorder recorder, TrafficWindow window, RequestsUnderWay underWay, Authorizer authorizer, string node)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    /// <summary>What stands for the figures of a node where a permission names a resource, as <c>/metrics</c> has it.
    /// </summary>
    private const string MetricsKind = "metrics";

    private const string Seen =
        "requests of routes that the caller may read; those that no route took for who may read metrics";

    private ResourceKey Figures => new(MetricsKind, "", node);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot + "/gateway").WithTags("Gateway");
        api.MapGet("/traffic", Traffic)
            .Requires(Verb.Read, _ => Figures)
            .Describe<GatewayTraffic>(
                "getTraffic",
                "What went through the gateway of this node in the last 10 seconds, by route and upstream.");
        api.MapGet("/requests", List)
            .RequiresPrincipal(Seen)
            .Describe<GatewayRequestList>(
                "listRequests",
                "The last requests that this node remembers: those that failed or took a second, and some others.");
        api.MapGet("/requests/{id}", Explain)
            .RequiresPrincipal(Seen)
            .Describe<GatewayRequestExplanation>(
                "explainRequest", "Why a request went where it went, by its id or that of its trace.");
    }

    private IResult Traffic()
    {
        var (seconds, routes, upstreams, total) = window.Read();
        return TypedResults.Ok(new GatewayTraffic(
            node, seconds, underWay.Count, recorder.Traffic.Connections, total, routes, upstreams));
    }

    private IResult List(
        HttpContext context, string? route = null, int? status = null, bool slow = false, bool failed = false,
        string? trace = null, int limit = DefaultLimit)
    {
        if (limit is < 1 or > MaxLimit)
            return Problems.From(new Fault(ErrorCodes.BadRequest, $"limit must be 1 to {MaxLimit}."));
        var requests = recorder.Ring.Read().Where(one =>
            (route is null || one.Route?.Name == route)
            // One digit is a class: 5 is any of 500 to 599.
            && (status is null || one.Status == status || one.Status / 100 == status)
            && (!slow || one.Micros >= RequestRing.SlowMicros)
            && (!failed || one.Code is not null || one.Status >= 500)
            && (trace is null || one.TraceId == trace)
            && MaySee(context, one));
        return TypedResults.Ok(new GatewayRequestList(
            node, recorder.Ring.Count, recorder.Ring.Passed,
            [.. requests.Take(limit).Select(RequestExplainer.Summarize)]));
    }

    private IResult Explain(HttpContext context, string id)
    {
        var known = recorder.Ring.Read();
        var request = known.FirstOrDefault(one => one.Id == id) ?? known.FirstOrDefault(one => one.TraceId == id);
        if (request is null || !MaySee(context, request))
            return Problems.From(new Fault(
                ErrorCodes.ResourceNotFound,
                $"The node {node} remembers no such request: another node may have served it, it may have been one of "
                + "many and not kept, or it is too long ago."));
        return TypedResults.Ok(RequestExplainer.Explain(
            request, node, key => MayRead(context, key),
            [
                .. known.Where(one => one.TraceId == request.TraceId && one.Id != request.Id && MaySee(context, one))
                    .Select(one => one.Id),
            ]));
    }

    private bool MaySee(HttpContext context, RecordedRequest request) =>
        MayRead(context, request.Route?.Key ?? Figures);

    private bool MayRead(HttpContext context, ResourceKey key) =>
        authorizer.Allows(context.Principal(), Verb.Read, key);
}
