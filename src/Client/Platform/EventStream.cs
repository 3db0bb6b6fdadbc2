using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace Groundwork.Client.Platform;

/// <summary>One server-sent event of the platform.</summary>
/// <param name="Type">Such as <c>service</c>, <c>settings</c>, <c>progress</c> or <c>problem</c>.</param>
/// <param name="Id">Where a later watch resumes; empty when the stream has named none yet.</param>
/// <param name="Content">UTF-8 JSON, or empty.</param>
internal readonly record struct PlatformEvent(string Type, string Id, byte[] Content);

/// <summary>
/// An open watch of the platform. Ends when the platform ends it; throws <see cref="IOException"/> when it breaks.
/// </summary>
internal sealed class EventStream(HttpResponseMessage response, Stream body, TimeProvider time) : IDisposable
{
    /// <summary>The platform writes at least every 15 s; three misses mean that nobody is there.</summary>
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(45);

    /// <summary>
    /// One event: 64 MiB is a service of some 100,000 instances, or all settings of a large namespace.
    /// </summary>
    private const long MaxEventBytes = 64 * 1024 * 1024;

    public async IAsyncEnumerable<PlatformEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watched = new WatchedStream(body, MaxEventBytes, IdleLimit, time);
        var parser = SseParser.Create(watched, static (_, content) => content.ToArray());
        await foreach (var item in parser.EnumerateAsync(cancellationToken))
        {
            watched.Forgive();
            yield return new PlatformEvent(item.EventType, item.EventId ?? parser.LastEventId, item.Data);
        }
    }

    public void Dispose() => response.Dispose();
}
