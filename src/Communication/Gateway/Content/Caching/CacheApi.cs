using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway.Content.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Route = Groundwork.Communication.Gateway.Routing.Route;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>The part of the API that tells of kept answers, has them forgotten, and fetches them ahead.</summary>
internal sealed class CacheApi(
    ResponseCache cache, RouteTableView routes, InnerCalls calls, ChangeLog? changes, Authorizer authorizer,
    TimeProvider time)
{
    /// <summary>Paths of one call; a list that is longer is sent in parts.</summary>
    private const int MaxPaths = 1_000;

    /// <summary>Requests of one call that are under way at once: a service is warmed, not tried.</summary>
    private const int MaxAtOnce = 8;

    /// <summary>Old purges that one call takes away.</summary>
    private const int MaxTakenAway = 100;

    /// <summary>How long a purge is kept after it has happened: as long as a follower may need to hear of it.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot + "/gateway").WithTags("Gateway");
        api.MapGet("/cache", List)
            .RequiresPrincipal("Read on each route that is told of")
            .Describe<CachedRoutes>("listCachedRoutes", "What became of the requests of cached routes on this node.");
        api.MapPost("/purges/{namespace}", PurgeAsync)
            .Requires(Verb.Write, PurgeKey)
            .ReadsReason()
            .Describe<ChangesetAnswer>("purgeCache", "Has every gateway forget kept answers of a namespace's routes.")
            .MayCreate()
            .MayPropose();
        api.MapPost("/prefetches/{namespace}/{**name}", PrefetchAsync)
            .Requires(Verb.Write, RouteKey)
            .Describe<PrefetchAnswer>("prefetch", "Has this node fetch and keep what a route answers for some paths.");
    }

    private static ResourceKey PurgeKey(HttpContext context) => new(
        CachePurgeKind.Name, (string?)context.Request.RouteValues["namespace"] ?? "", "api");

    private static ResourceKey RouteKey(HttpContext context) => new(
        RouteKind.Name,
        (string?)context.Request.RouteValues["namespace"] ?? "",
        (string?)context.Request.RouteValues["name"] ?? "");

    private IResult List(HttpContext context) => TypedResults.Ok(new CachedRoutes(
        cache.Store.Count, cache.Store.Bytes, cache.Store.Evictions,
        [
            .. cache.Figures.Where(pair => authorizer.Authorize(context.Principal(), Verb.Read, pair.Key) is null)
                .Select(pair => pair.Value.Take($"{pair.Key.Namespace}/{pair.Key.Name}"))
                .OrderBy(route => route.Route, StringComparer.Ordinal),
        ],
        cache.Store.MaxBytes, cache.Waiting));

    private async Task<IResult> PurgeAsync(HttpContext context, string @namespace, PurgeRequest request)
    {
        if (changes is null)
            return Problems.From(new Fault(
                ErrorCodes.ReadOnlyFollower, "This node follows another; ask that one, and this one hears of it."));
        var now = time.GetUtcNow();
        var spec = new CachePurgeSpec(request.Route, request.Host, request.Path, request.Prefix, request.Tag);
        // The same purge again is the same resource; its time makes it happen again.
        var hash = SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(spec, CachePurgeJson.Default.CachePurgeSpec));
        var name = "api-" + Convert.ToHexStringLower(hash.AsSpan(0, 8));
        var put = Change.Put(
            CachePurgeKind.Kind, @namespace, name, spec with { At = now.ToString("O", CultureInfo.InvariantCulture) });
        var old = changes.Snapshots.Current.Of(CachePurgeKind.Name).Values
            .Where(purge => purge.Key.Namespace == @namespace && purge.Key.Name != name
                && purge.Key.Name.StartsWith("api-", StringComparison.Ordinal) && now - purge.ChangedAt > KeptFor)
            .Take(MaxTakenAway).Select(purge => Change.Delete(purge.Key));
        // Who may write purges and not delete them leaves the old ones to others.
        var mayDelete = authorizer.Authorize(context.Principal(), Verb.Delete, put.Key) is null;
        var outcome = await changes.CommitAsync(
            new Changeset(context.Principal(), mayDelete ? [put, .. old] : [put])
            {
                Reason = ApiRequests.Reason(context.Request),
            },
            context.RequestAborted);
        return outcome.TryGet(out var commit, out var fault)
            ? CommitResults.Answer(context, commit)
            : Problems.From(fault);
    }

    private async Task<IResult> PrefetchAsync(
        HttpContext context, string @namespace, string name, PrefetchRequest request)
    {
        var key = new ResourceKey(RouteKind.Name, @namespace, name);
        if (routes.Current.Find(key) is not { } route)
            return Problems.From(new Fault(ErrorCodes.ResourceNotFound, $"There is no {key} in force."));
        if (request.Paths.Count is 0 or > MaxPaths)
            return Problems.From(new Fault(ErrorCodes.BadRequest, $"paths must have 1 to {MaxPaths} paths."));
        var done = new ConcurrentDictionary<string, PrefetchedPath>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            request.Paths.Distinct(StringComparer.Ordinal),
            new ParallelOptions { MaxDegreeOfParallelism = MaxAtOnce, CancellationToken = context.RequestAborted },
            async (path, stop) => done[path] = await FetchAsync(route, request, path, stop));
        return TypedResults.Ok(new PrefetchAnswer([.. request.Paths.Select(path => done[path])]));
    }

    private async ValueTask<PrefetchedPath> FetchAsync(
        Route route, PrefetchRequest request, string path, CancellationToken stop)
    {
        var client = new InnerClient(IPAddress.Loopback, "127.0.0.1"u8.ToArray(), request.Secure, 0);
        // What is no head is refused by the one parser there is; what would be two is not sent.
        if (path.AsSpan().ContainsAny('\r', '\n', ' ') || request.Host.AsSpan().ContainsAny('\r', '\n', ' '))
            return new PrefetchedPath(path, 0, null);
        var head = Encoding.Latin1.GetBytes($"GET {path} HTTP/1.1\r\nHost: {request.Host}\r\n\r\n");
        // Who may ask, and how often, is for clients; what follows is for the answer.
        await calls.CallAsync(head, route, client, Stage.Injection, exchange => IsOf(route, exchange), stop);
        return new PrefetchedPath(path, client.Status, client.CacheStatus);
    }

    private bool IsOf(Route route, Exchange exchange)
    {
        if (exchange.Request.Path.IsEmpty) return false;
        var match = routes.Current.Match(exchange.View());
        exchange.Parameters = match.Parameters;
        return match.Route?.Key == route.Key;
    }
}
