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
        var request = node.Request("GET", "watch?kind=namespace&after=0");
        var streams = await EventStreams.OpenAsync(
            node.Port, Enumerable.Repeat(request, Watchers).ToArray(), "event: change", atStart: 0, Patience);
        var writer = await node.ConnectAsync();
        var text = new string('x', SpecBytes);
        var number = 0;
        return new Running(
            async (_, cancellation) =>
            {
                var seen = streams.Next(Watchers);
                await writer.SendAsync(node.Request(
                    "PUT", $"resources/namespace/_/r{number % 100}",
                    $$$"""{"spec":{"description":"{{{number++}}} {{{text}}}"}}"""));
                await seen.WaitAsync(Patience, TimeProvider.System, cancellation);
            },
            node.Process,
            async () =>
            {
                writer.Dispose();
                await streams.DisposeAsync();
                await node.DisposeAsync();
            })
        {
            Pace = BetweenChanges,
        };
    }
}
