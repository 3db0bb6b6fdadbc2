using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Channels;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols.Sights;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>
/// The streams of this node. One loop looks whether what they have been sent is still so, in the registry of this
/// process or a followed one alike, and wakes those of whom it is not.
/// </summary>
internal sealed class XdsStreams(IRegistryView registry, XdsCallers callers, TimeProvider time)
    : IMetricsSource, IDisposable
{
    private readonly ConcurrentDictionary<XdsStream, bool> streams = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Channel<bool> arrived = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private int count; // Interlocked.
    private int names; // Interlocked.
    private long answers; // Interlocked.
    private long refusals; // Interlocked.

    /// <summary>Streams end on it, before the listeners close.</summary>
    public CancellationToken Stopping => stopping.Token;

    public int Count => Volatile.Read(ref count);

    /// <summary>False when there are too many.</summary>
    public bool Enter(XdsStream stream)
    {
        var now = Interlocked.Increment(ref count);
        if (stopping.IsCancellationRequested || now > XdsLimits.MaxStreams)
        {
            Leave();
            return false;
        }
        streams[stream] = true;
        arrived.Writer.TryWrite(true);
        return true;
    }

    public void Leave(XdsStream stream)
    {
        if (streams.TryRemove(stream, out _)) Leave();
    }

    /// <summary>False when the streams have too many names with these.</summary>
    public bool Hold(int more)
    {
        if (Interlocked.Add(ref names, more) <= XdsLimits.MaxNamesOfAll || more <= 0) return true;
        Interlocked.Add(ref names, -more);
        return false;
    }

    /// <summary>The streams that ask for a service, by whatever type.</summary>
    public ImmutableArray<Subscriber> SubscribersOf(ServiceKey service) =>
    [
        .. streams.Keys.Where(stream => stream.Follows(service)).Select(stream => stream.Describe())
            .OrderBy(one => one.Since),
    ];

    public void CountAnswer() => Interlocked.Increment(ref answers);

    public void CountRefusal() => Interlocked.Increment(ref refusals);

    /// <summary>
    /// Ends the streams, each with its status: a connection that closes under them would say nothing to their clients.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        if (Count == 0) drained.TrySetResult();
        await drained.Task.WaitAsync(cancellationToken);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        while (true)
        {
            if (streams.IsEmpty) await arrived.Reader.ReadAsync(cancellationToken);
            await Task.Delay(XdsLimits.LookInterval, time, cancellationToken);
            var asks = time.GetElapsedTime(asked) >= XdsLimits.CallerInterval;
            if (asks) asked = time.GetTimestamp();
            var generation = callers.Generation;
            foreach (var (stream, _) in streams) stream.Look(registry, generation, asks);
        }
    }

    public void Write(MetricsText text)
    {
        text.Family("groundwork_xds_streams", "gauge", "Streams of the discovery service.");
        text.Sample(Count);
        text.Family("groundwork_xds_names", "gauge", "Names that they have asked for, over all types.");
        text.Sample(Volatile.Read(ref names));
        text.Family("groundwork_xds_answers_total", "counter", "Answers that they were sent.");
        text.Sample(Interlocked.Read(ref answers));
        text.Family("groundwork_xds_refusals_total", "counter", "Answers that their clients refused.");
        text.Sample(Interlocked.Read(ref refusals));
    }

    public void Dispose() => stopping.Dispose();

    private void Leave()
    {
        if (Interlocked.Decrement(ref count) == 0 && stopping.IsCancellationRequested) drained.TrySetResult();
    }
}
