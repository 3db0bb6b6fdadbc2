using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// Changes as server-sent events, one serialization for all readers: <c>change</c>, and <c>progress</c> with the place
/// reached when there is none to tell of.
/// </summary>
internal sealed class ChangeEvents(ChangeLog changes, TimeProvider time) : IEventSource
{
    private readonly ResourceDocuments documents = new(changes.Kinds, changes.Secrets);

    // A change lives as long as somebody can still be sent it; its event goes with it.
    private readonly ConditionalWeakTable<AppliedChange, byte[]> events = [];

    public string Name => "changes";

    public Task<Fault> DeliverAsync(EventStream stream, CancellationToken ended) =>
        DeliverAsync(stream, new WatchFilter(), ended);

    /// <summary>From the place that the request names, else from now.</summary>
    public async Task<Fault> DeliverAsync(EventStream stream, WatchFilter filter, CancellationToken ended)
    {
        if (!Start(stream).TryGet(out var start, out var unknown)) return unknown;
        await foreach (var step in new Watch(changes, time).FollowAsync(stream.Caller(), filter, start, ended))
        {
            if (!step.TryGet(out var news, out var fault)) return fault;
            await stream.WriteAsync(news, Write, ended);
        }
        throw new OperationCanceledException(ended);
    }

    private Outcome<WatchToken> Start(EventStream stream)
    {
        if (stream.Token is null && stream.After < 0)
            return new Fault(ErrorCodes.RevisionUnknown, $"There is no revision {stream.After}; they begin at 1.");
        if (stream.Token is null)
            return new WatchToken(
                changes.StoreId, stream.After ?? changes.Snapshots.Current.Revision, int.MaxValue);
        return WatchToken.TryParse(stream.Token, out var parsed)
            ? parsed
            : new Fault(
                ErrorCodes.BadRequest, "The watch token is not one that this API gave; list and watch from there.");
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
}
