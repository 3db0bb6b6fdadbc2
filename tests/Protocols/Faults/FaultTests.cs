using System.Text.Json;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.Protocols.Faults;

/// <summary>
/// What happens to servers happens to ours, with unmodified clients of four protocols watching: no list loses an
/// instance that nobody has taken away, no number goes back, no client asks more than five times a second, and
/// afterwards everybody hears of what is new. While nothing listens nobody can slow a client down: npm's client of
/// Nacos's configurations then connects without a pause, and that is only told.
/// </summary>
public sealed class FaultTests(NpmClients clients)
{
    private const int MaxRequestsPerSecond = 5;

    private static readonly string[] Followers =
        ["nacos", "nacosConfig", "eureka", "consul", "consulKey", "apollo"];

    /// <summary>Longer than any client's own pause before it tries again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task Killed_and_started_again() => ComeThroughAsync(async (node, _) =>
    {
        await node.KillAsync();
        await WaitAsync(LongRun.Count(3, 15));
        await node.RunAsync();
    });

    [Fact]
    public Task Stopped_in_its_tracks_and_let_go_on() => ComeThroughAsync(async (node, _) =>
    {
        node.Process.Signal(Signals.Stop);
        await WaitAsync(LongRun.Count(8, 20));
        node.Process.Signal(Signals.Continue);
    });

    [Fact]
    public Task Connections_with_parked_polls_reset() => ComeThroughAsync(async (_, proxies) =>
    {
        var broken = proxies.Sum(proxy => proxy.Reset());
        Assert.True(broken >= 3, $"only {broken} connections were open"); // The polls that wait, at least.
        for (var time = 1; time < LongRun.Count(3, 20); time++)
        {
            await WaitAsync(1);
            foreach (var proxy in proxies) proxy.Reset();
        }
    });

    private async Task ComeThroughAsync(Func<FaultNode, IReadOnlyCollection<CountingProxy>, Task> fault)
    {
        await using var node = await FaultNode.StartAsync();
        var proxies = new Dictionary<string, CountingProxy>();
        foreach (var follower in Followers) proxies[follower] = await CountingProxy.StartAsync(node.Api);
        try
        {
            await using var client = clients.Run(
                "faults.mjs",
                JsonSerializer.Serialize(proxies.ToDictionary(pair => pair.Key, pair => pair.Value.Port)));
            var versions = await client.NextAsync("version");
            TestContext.Current.TestOutputHelper?.WriteLine(versions.GetRawText());
            var sights = new Sights(client);
            await sights.AllAsync(node, version: 1, withAdded: false, Patience);
            var before = await node.IndexesAsync();
            var (counted, began) = (Counts(proxies), TimeProvider.System.GetTimestamp());

            await fault(node, proxies.Values);

            await node.RegisterAsync("b", "10.0.0.2");
            await node.PublishAsync(2);
            await sights.AllAsync(node, version: 2, withAdded: true, Patience);
            var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
            TestContext.Current.TestOutputHelper?.WriteLine($"all have come through after {seconds:F1} s");
            foreach (var (follower, count) in Counts(proxies))
            {
                var rate = (count - counted[follower]) / seconds;
                TestContext.Current.TestOutputHelper?.WriteLine(
                    $"{follower}: {rate:F2} requests a second, {proxies[follower].Refused} connections in vain");
                Assert.True(rate <= MaxRequestsPerSecond, $"{follower} asked {rate:F1} times a second");
            }
            var after = await node.IndexesAsync();
            foreach (var (what, index) in before)
                Assert.True(after[what] >= index, $"{what} went back from {index} to {after[what]}");
            sights.NothingWasLost();
        }
        finally
        {
            foreach (var proxy in proxies.Values) await proxy.DisposeAsync();
        }
    }

    private static Dictionary<string, int> Counts(Dictionary<string, CountingProxy> proxies) =>
        proxies.ToDictionary(pair => pair.Key, pair => pair.Value.Requests);

    private static Task WaitAsync(int seconds) =>
        Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, Cancel);
}
