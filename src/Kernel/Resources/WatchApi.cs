using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The API of watches: the changes after a token, and the snapshot that a follower starts from.
/// </summary>
/// <param name="stopping">Ends when the listeners begin to close; a stream ends then, and its reader resumes
/// elsewhere.</param>
internal sealed class WatchApi(
    ChangeLog changes, ChangeEvents events, TimeProvider time, CancellationToken stopping)
{
    private readonly ResourceDocuments documents = new(changes.Kinds, changes.Secrets);

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup(Listeners.ApiRoot).WithTags("Watch");
        api.MapGet("/watch", Follow)
            .RequiresPrincipal("delivers what the principal may read, asked anew when roles change")
            .Describe<WatchEvent>("watchResources", "Server-sent events: every change after a token, once, in order.",
                "text/event-stream")
            .ReadsHeader("Last-Event-ID", "The id of the last event seen, as browsers send it; the same as token.");
        api.MapGet("/snapshot", Snapshot)
            .RequiresPrincipal("delivers what the principal may read")
            .Describe<ResourceDocument>(
                "snapshotResources", "All resident resources at one revision, a document a line, for followers.",
                "application/x-ndjson");
    }

    private async Task Follow(
        HttpContext context, string? kind, string? @namespace, string? prefix, string? token, long? after)
    {
        // A kind that is unknown here would be waited for in vain, and each invented one would be remembered.
        var wrong = ApiRequests.CheckKind(changes, kind is "" ? null : kind)
            ?? ApiRequests.CheckNamespace(@namespace);
        if (wrong is not null)
        {
            await Problems.WriteAsync(context, wrong);
            return;
        }
        var filter = new WatchFilter(kind ?? "", @namespace == Names.NodeWide ? "" : @namespace, prefix ?? "");
        using var stream = new EventStream(context, token, after, changes.Authorizer, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await stream.FailAsync(await events.DeliverAsync(stream, filter, ending.Token));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The stream ends like any answer; its last id says where to go on.
        }
    }

    private IResult Snapshot(HttpContext context, string[]? kind)
    {
        var snapshot = changes.Snapshots.Current;
        var wanted = kind is { Length: > 0 } ? kind : [.. snapshot.Kinds];
        var principal = context.Principal();
        return Results.Stream(
            async stream =>
            {
                var head = new SnapshotHead(snapshot.StoreId, snapshot.Revision);
                await JsonSerializer.SerializeAsync(stream, head, WireJson.Strict.SnapshotHead, context.RequestAborted);
                await stream.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
                foreach (var resource in wanted.SelectMany(one => snapshot.Of(one).Values))
                {
                    if (!changes.Authorizer.Allows(principal, Security.Verb.Read, resource.Key)) continue;
                    await JsonSerializer.SerializeAsync(
                        stream, documents.ToDocument(
                            resource), WireJson.Strict.ResourceDocument, context.RequestAborted);
                    await stream.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
                }
            },
            "application/x-ndjson");
    }
}
