using Groundwork.Load.Peers;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// A thousand event streams of one kind and one writer: from the moment that a change is sent until the last of all
/// watchers has read the last byte of its event. That holds the commit itself besides.
/// </summary>
internal sealed class WatchersScenario : Scenario
{
    private const int Watchers = 1_000;
    private const int SpecBytes = 476;
    private static readonly TimeSpan BetweenChanges = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public override string Name => "watchers";

    public override string Question =>
        $"How long until the last of {Watchers} event streams has read a change, at 20 changes a second?";

    public override int? Workers => 1;

    public override IReadOnlyList<Contender> Contenders => [new("Groundwork, SQLite", StartAsync)];

    private static async Task<Running> StartAsync(LoadOptions options)
    {
        var node = await GroundworkNode.StartAsync();
        var arrivals = new Arrivals(Watchers);
        var streams = new List<Http1Connection>();
        var readers = new List<Task>();
        for (var i = 0; i < Watchers; i++)
        {
            var stream = await node.ConnectAsync();
            await stream.WriteAsync(node.Request("GET", "watch?kind=namespace&after=0"));
            streams.Add(stream);
            readers.Add(ReadAsync(stream, arrivals));
        }
        var writer = await node.ConnectAsync();
        var text = new string('x', SpecBytes);
        var number = 0;
        return new Running(
            async (_, cancellation) =>
            {
                var seen = arrivals.Next();
                await writer.SendAsync(node.Request(
                    "PUT", $"resources/namespace/_/r{number % 100}",
                    $$$"""{"spec":{"description":"{{{number++}}} {{{text}}}"}}"""));
                await seen.WaitAsync(Patience, TimeProvider.System, cancellation);
            },
            node.Process,
            async () =>
            {
                writer.Dispose();
                foreach (var stream in streams) stream.Dispose();
                await Task.WhenAll(readers);
                await node.DisposeAsync();
            })
        {
            Pace = BetweenChanges,
        };
    }

    private static async Task ReadAsync(Http1Connection stream, Arrivals arrivals)
    {
        var events = new EventCounter("event: change"u8.ToArray());
        try
        {
            while (await stream.ReadAsync() is { Length: > 0 } bytes)
            {
                for (var count = events.Add(bytes.Span); count > 0; count--) arrivals.Signal();
            }
        }
        catch (Exception closed) when (closed is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // The run is over; a stream that ends earlier is missed by the writer, which waits for all.
        }
    }

    /// <summary>Completes when every watcher has signalled once.</summary>
    private sealed class Arrivals(int expected)
    {
        private TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int missing;

        public Task Next()
        {
            all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref missing, expected);
            return all.Task;
        }

        public void Signal()
        {
            if (Interlocked.Decrement(ref missing) == 0) all.SetResult();
        }
    }
}
