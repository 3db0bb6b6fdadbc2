using System.Buffers;
using System.Text.Json;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Watching;

/// <summary>
/// Services as events <c>service</c>, a line of the list of services each: all that are there, then each that changes.
/// Many changes of one service travel as one. Instances are for who asks for them.
/// </summary>
internal sealed class ServiceEvents(InstanceRegistry registry, RegistryAccess access, TimeProvider time) : IEventSource
{
    /// <summary>Between two looks: a person sees no faster, and a storm of changes is a few lines.</summary>
    private static readonly TimeSpan Coalescing = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(15);

    private readonly StreamPulse pulse = new(time, AskEvery);

    public string Name => "services";

    public async Task<Fault> DeliverAsync(EventStream stream, CancellationToken ended)
    {
        var name = access.WatcherName(stream.Context);
        if (registry.Watches.OpenWide(
            null, name, new Watcher(Registrar.Own, "events", name, stream.Context, time)) is not { } session)
            return RegistryLimits.TooManyWatchers(registry.Options);
        await using var atEnd = session.Changed.EndWith(ended);
        pulse.Join(session.Changed);
        try
        {
            var caller = stream.Caller();
            var touched = new List<ServiceState>();
            var news = new List<(ServiceState Service, ServiceView View)>();
            while (true)
            {
                var asked = await caller.AskAsync();
                if (!asked.TryGet(out var principal, out var fault)) return fault;
                session.Changed.ToldAt = time.GetTimestamp();
                session.Take(touched);
                foreach (var service in touched)
                {
                    if (service.View is not { } view || session.HasSeen(service, view.Index)) continue;
                    if (access.Allows(principal, Verb.Discover, service.Target)) news.Add((service, view));
                }
                touched.Clear();
                if (news.Count > 0)
                {
                    await stream.WriteAsync(news, Write, ended);
                    foreach (var (service, view) in news) session.Sent(service, view.Index);
                    news.Clear();
                    await Task.Delay(Coalescing, time, ended);
                }
                if (await session.Changed.WaitAsync() == Woken.Ended) throw new OperationCanceledException(ended);
            }
        }
        finally
        {
            pulse.Leave(session.Changed);
            registry.Watches.CloseWide(session);
        }
    }

    private static void Write(IBufferWriter<byte> writer, List<(ServiceState Service, ServiceView View)> news)
    {
        using var json = new Utf8JsonWriter(
            writer, new JsonWriterOptions { Encoder = WireJson.Strict.Options.Encoder });
        foreach (var (_, view) in news)
        {
            writer.Write("event: service\ndata: "u8);
            JsonSerializer.Serialize(json, InstanceDocuments.Summarize(view), WireJson.Strict.ServiceSummary);
            json.Flush();
            json.Reset();
            writer.Write("\n\n"u8);
        }
    }
}
