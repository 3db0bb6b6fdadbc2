using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// The API of watches: server-sent events, one serialization of a change for all readers, and the snapshot that a
/// follower starts from.
/// </summary>
/// <param name="stopping">Ends when the listeners begin to close; a stream ends then, and its reader resumes
/// elsewhere.</param>
internal sealed class WatchApi(ChangeLog changes, TimeProvider time, CancellationToken stopping)
{
    private readonly ResourceDocuments documents = new(changes.Kinds, changes.Secrets);

    // A change lives as long as somebody can still be sent it; its event goes with it.
    private readonly ConditionalWeakTable<AppliedChange, byte[]> events = [];

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
        if (!Start(context, token, after).TryGet(out var start, out var fault))
        {
            await Problems.WriteAsync(context, fault);
            return;
        }
        var filter = new WatchFilter(kind ?? "", @namespace == Names.NodeWide ? "" : @namespace, prefix ?? "");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await DeliverAsync(context, filter, start, ending.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The stream ends like any answer; its last id says where to go on.
        }
    }

    private async Task DeliverAsync(
        HttpContext context, WatchFilter filter, WatchToken start, CancellationToken stopped)
    {
        var caller = LastingCaller.Of(context, changes.Authorizer, time);
        await foreach (var step in new Watch(changes, time).FollowAsync(caller, filter, start, stopped))
        {
            if (!step.TryGet(out var news, out var fault))
            {
                await FailAsync(context, fault);
                return;
            }
            await BeginAsync(context);
            Write(context.Response.BodyWriter, news);
            await context.Response.BodyWriter.FlushAsync(stopped);
        }
    }

    private Outcome<WatchToken> Start(HttpContext context, string? token, long? after)
    {
        var text = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last ? last : token;
        if (text is null && after < 0)
            return new Fault(ErrorCodes.RevisionUnknown, $"There is no revision {after}; they begin at 1.");
        if (text is null)
            return new WatchToken(changes.StoreId, after ?? changes.Snapshots.Current.Revision, int.MaxValue);
        return WatchToken.TryParse(text, out var parsed)
            ? parsed
            : new Fault(
                ErrorCodes.BadRequest, "The watch token is not one that this API gave; list and watch from there.");
    }

    private static async Task BeginAsync(HttpContext context)
    {
        if (context.Response.HasStarted) return;
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.StartAsync(context.RequestAborted);
    }

    /// <summary>Before the first event a fault is the answer; after it, an event that ends the stream.</summary>
    private static async Task FailAsync(HttpContext context, Fault fault)
    {
        if (!context.Response.HasStarted)
        {
            await Problems.WriteAsync(context, fault);
            return;
        }
        var problem = JsonSerializer.Serialize(Problems.ToDocument(fault, context), WireJson.Strict.ProblemDocument);
        await context.Response.WriteAsync($"event: problem\ndata: {problem}\n\n", context.RequestAborted);
    }

    private void Write(IBufferWriter<byte> writer, WatchStep step)
    {
        foreach (var change in step.Changes) writer.Write(events.GetValue(change, Serialize));
        // A reader that may not see the end of a changeset learns that there is no more of it from the place reached.
        var open = step.Changes.Count > 0 && !step.Changes[^1].EndsChangeset && step.Token.Order == int.MaxValue;
        if (step.Changes.Count == 0 || open)
            writer.Write(Encoding.UTF8.GetBytes($"event: progress\nid: {step.Token}\ndata: {{}}\n\n"));
    }

    private byte[] Serialize(AppliedChange change)
    {
        var document = documents.ToEvent(change, changes.StoreId);
        var buffer = new ArrayBufferWriter<byte>(1024);
        buffer.Write(Encoding.UTF8.GetBytes($"event: change\nid: {document.Token}\ndata: "));
        using (var writer = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = WireJson.Strict.Options.Encoder }))
            JsonSerializer.Serialize(writer, document, WireJson.Strict.WatchEvent);
        buffer.Write("\n\n"u8);
        return buffer.WrittenSpan.ToArray();
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
