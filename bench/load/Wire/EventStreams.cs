using System.Net.Sockets;
using System.Text;

namespace Groundwork.Load.Wire;

/// <summary>
/// Many event streams that are read at once, and a wait until each of them has read one event more.
/// </summary>
internal sealed class EventStreams : IAsyncDisposable
{
    /// <summary>A stream's own: ten thousand of them must fit beside the server.</summary>
    private const int BufferBytes = 4 * 1024;

    private readonly List<Http1Connection> streams = [];
    private readonly List<Task> readers = [];
    private TaskCompletionSource all = NewSource();
    private int missing;

    /// <summary>Opens the streams, one after the other, and waits for the events that they begin with.</summary>
    /// <param name="requests">One request per stream.</param>
    /// <param name="firstLine">Of the events that count, such as <c>event: change</c>.</param>
    /// <param name="atStart">Events that come on their own, over all streams.</param>
    public static async Task<EventStreams> OpenAsync(
        int port, IReadOnlyList<byte[]> requests, string firstLine, int atStart, TimeSpan patience)
    {
        var opened = new EventStreams();
        var first = atStart > 0 ? opened.Next(atStart) : Task.CompletedTask;
        foreach (var request in requests)
        {
            var stream = await Http1Connection.OpenAsync(port, BufferBytes);
            await stream.WriteAsync(request);
            opened.streams.Add(stream);
            opened.readers.Add(opened.ReadAsync(stream, Encoding.UTF8.GetBytes(firstLine)));
        }
        await first.WaitAsync(patience, TimeProvider.System);
        return opened;
    }

    /// <summary>Completes when so many events have come, from now on.</summary>
    public Task Next(int events)
    {
        all = NewSource();
        Volatile.Write(ref missing, events);
        return all.Task;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in streams) stream.Dispose();
        await Task.WhenAll(readers);
    }

    private async Task ReadAsync(Http1Connection stream, byte[] firstLine)
    {
        var events = new EventCounter(firstLine);
        try
        {
            while (await stream.ReadAsync() is { Length: > 0 } bytes)
            {
                for (var count = events.Add(bytes.Span); count > 0; count--)
                    if (Interlocked.Decrement(ref missing) == 0) all.SetResult();
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // The run is over; a stream that ends earlier is missed by whoever waits for all.
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
