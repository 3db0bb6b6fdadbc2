using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Groundwork.Wire.Http1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Communication.Gateway.Drafting;

/// <summary>The part of the API that says what would be: nothing is changed, and no request is sent.</summary>
internal sealed class DraftApi(
    RouteTableView routes, UpstreamTable upstreams, ISnapshotSource snapshots, RequestTrial trial,
    ExchangeRecorder recorder, Authorizer authorizer, GatewayOptions options, TimeProvider time, string node)
{
    private const string How =
        "Read on each resource of the draft; told is of routes, upstreams and instances that the caller may read";

    /// <summary>What stands for what no route took, as in the list of requests.</summary>
    private ResourceKey Figures => new("metrics", "", node);

    /// <summary>Heads were bounded where they came in; this is only to read them again.</summary>
    private static readonly HeadLimits Limits = new(64 * 1024, 64 * 1024, 256);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot + "/gateway").WithTags("Gateway");
        api.MapPost("/dry-run", Try)
            .RequiresPrincipal(How)
            .Describe<DryRunAnswer>(
                "dryRunRequest", "Where a request would go, by what is in force and by changes that are not made.");
        api.MapPost("/replay", Replay)
            .RequiresPrincipal(How)
            .Describe<ReplayAnswer>(
                "replayRequests",
                "Which of the requests that this node remembers would go elsewhere with changes that are not made.");
    }

    private IResult Try(HttpContext context, DryRunRequest request)
    {
        var now = InForce();
        var draft = request.Draft is { Count: > 0 } changes ? Draft(context, now, changes) : now;
        if (!draft.TryGet(out var drafted, out var refused)) return Problems.From(refused);
        if (!trial.Read(request.Request, options.Client.Head).TryGet(out var read, out var fault))
            return Problems.From(fault);
        return TypedResults.Ok(new DryRunAnswer(
            node, snapshots.Current.Revision, Run(now), ReferenceEquals(drafted, now) ? null : Run(drafted)));

        DryRunRouting Run(GatewayDraft held)
        {
            var head = new RequestHead(options.Client.Head);
            head.Append(read.Head);
            head.Parse(); // It was complete just now.
            var routing = trial.Try(
                read, head, held, request.Request.Secure, key => MayRead(context, key),
                target => GatewayPartsApi.MayCall(authorizer, context.Principal(), target));
            head.Release();
            return routing;
        }
    }

    private IResult Replay(HttpContext context, ReplayRequest request)
    {
        var now = InForce();
        if (!Draft(context, now, request.Draft).TryGet(out var drafted, out var refused))
            return Problems.From(refused);
        var requests = recorder.Ring.Read().Where(one => MayRead(context, one.Route?.Key ?? Figures));
        return TypedResults.Ok(DraftReplay.Run(
            node, snapshots.Current.Revision, requests, now, drafted, Limits, options.MaxHops,
            key => MayRead(context, key)));
    }

    private GatewayDraft InForce() => GatewayDraft.InForce(snapshots.Current, upstreams, routes.Current);

    private Outcome<GatewayDraft> Draft(
        HttpContext context, GatewayDraft now, IReadOnlyList<ChangeDocument> changes)
    {
        foreach (var change in changes)
        {
            if (!GatewayDraft.KeyOf(change).TryGet(out var key, out var fault)) return fault;
            if (authorizer.Authorize(context.Principal(), Verb.Read, key) is { } refused) return refused;
        }
        return now.With(changes, time.GetUtcNow());
    }

    private bool MayRead(HttpContext context, ResourceKey key) =>
        authorizer.Allows(context.Principal(), Verb.Read, key);
}
