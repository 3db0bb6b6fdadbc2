using System.Buffers;
using System.Text.Json;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Settings.Readers;

/// <summary>
/// Settings that readers have said something of, as events <c>receipt</c>; what they said is asked for. A thousand
/// instances that confirm one publication are a few events.
/// </summary>
internal sealed class ReceiptEvents(ReceiptNews receipts, Authorizer authorizer, TimeProvider time) : IEventSource
{
    /// <summary>Between two looks: a person sees no faster.</summary>
    private static readonly TimeSpan Coalescing = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(15);

    public string Name => "receipts";

    public async Task<Fault> DeliverAsync(EventStream stream, CancellationToken ended)
    {
        using var listener = receipts.Listen();
        var caller = stream.Caller();
        while (true)
        {
            var asked = await caller.AskAsync();
            if (!asked.TryGet(out var principal, out var fault)) return fault;
            var news = listener.Take().Where(key => authorizer.Allows(principal, Verb.Read, key)).ToList();
            if (news.Count > 0)
            {
                await stream.WriteAsync(news, Write, ended);
                await Task.Delay(Coalescing, time, ended);
            }
            await Task.WhenAny(listener.Come, Task.Delay(AskEvery, time, ended));
            ended.ThrowIfCancellationRequested();
        }
    }

    private static void Write(IBufferWriter<byte> writer, List<ResourceKey> settings)
    {
        using var json = new Utf8JsonWriter(
            writer, new JsonWriterOptions { Encoder = WireJson.Strict.Options.Encoder });
        foreach (var key in settings)
        {
            var (group, dataId) = SettingKind.Split(key.Name) ?? ("", key.Name);
            writer.Write("event: receipt\ndata: "u8);
            JsonSerializer.Serialize(
                json, new ReceiptEvent(key.Namespace, group, dataId), WireJson.Strict.ReceiptEvent);
            json.Flush();
            json.Reset();
            writer.Write("\n\n"u8);
        }
    }
}
