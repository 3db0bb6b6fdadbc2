using System.Net.Http.Json;
using System.Text.Json;
using System.Threading.Channels;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>Two real processes over one real database are one install.</summary>
[Collection(LoadedMachine.Name)]
public sealed class ClusterTests(ClusterTests.SharedPair shared) : IClassFixture<ClusterTests.SharedPair>
{
    /// <summary>What is promised of the median.</summary>
    private static readonly TimeSpan Promised = TimeSpan.FromMilliseconds(200);

    [Fact]
    public async Task Change_on_one_node_is_watched_on_the_other_within_200_ms()
    {
        var pair = shared.Pair;
        var there = await DelaysAsync(pair.A, pair.B, LongRun.Count(usual: 40, whole: 500));
        var back = await DelaysAsync(pair.B, pair.A, LongRun.Count(usual: 40, whole: 500));
        foreach (var delays in new[] { there, back })
        {
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"from the request to the watch of the other node: median {delays[delays.Length / 2]:0.0} ms, "
                + $"p99 {delays[delays.Length * 99 / 100]:0.0} ms, of {delays.Length}");
            Assert.True(delays[delays.Length / 2] < Promised.TotalMilliseconds, "the median is above what is promised");
        }
    }

    [Fact]
    public async Task Both_nodes_are_in_the_list_of_each_and_one_that_stops_leaves_it_at_once()
    {
        var pair = shared.Pair;
        foreach (var node in new[] { pair.A, pair.B })
        {
            using var client = node.Local();
            await Eventually.PassesAsync(async () =>
            {
                var list = await client.GetFromJsonAsync("nodes", WireJson.Lenient.NodeList);
                Assert.Equal(
                    [("a", "live", pair.A.Node.ApiAddress), ("b", "live", pair.B.Node.ApiAddress)],
                    list!.Items.Select(item => (item.Name, item.State, (string?)item.ApiAddress)));
            });
        }
        pair.B.Signal(Signals.Terminate);
        Assert.Equal(0, await pair.B.ExitAsync());
        using var left = pair.A.Local();
        await Eventually.PassesAsync(async () =>
        {
            var list = await left.GetFromJsonAsync("nodes", WireJson.Lenient.NodeList);
            Assert.Equal([("a", "live"), ("b", "expired")], list!.Items.Select(item => (item.Name, item.State)));
        });
        await pair.StartAsync("b"); // For the next test.
    }

    [Fact]
    public async Task Node_with_another_root_key_refuses_to_start_and_prints_both_fingerprints()
    {
        var pair = shared.Pair;
        var stranger = pair.Try("stranger"); // It makes a root key of its own, as at the first start of an install.
        Assert.NotEqual(0, await stranger.ExitAsync());
        var (ours, its) = (pair.RootKeyOf("a").Fingerprint, pair.RootKeyOf("stranger").Fingerprint);
        Assert.NotEqual(ours, its);
        await Eventually.PassesAsync(() =>
        {
            // Its output is read to the end a moment after the process has gone.
            Assert.Contains(ErrorCodes.RootKeyMismatch.Code, stranger.Output, StringComparison.Ordinal);
            Assert.Contains(ours, stranger.Output, StringComparison.Ordinal);
            Assert.Contains(its, stranger.Output, StringComparison.Ordinal);
            return Task.CompletedTask;
        });
        using var client = pair.A.Local();
        var list = await client.GetFromJsonAsync("nodes", WireJson.Lenient.NodeList);
        Assert.DoesNotContain("stranger", list!.Items.Select(item => item.Name));
    }

    /// <summary>From before the request on one node to its event on the other, sorted, in milliseconds.</summary>
    private static async Task<double[]> DelaysAsync(GroundworkProcess writer, GroundworkProcess watcher, int count)
    {
        using var from = writer.Local();
        using var to = watcher.Local();
        using var ending = new CancellationTokenSource();
        var seen = Channel.CreateUnbounded<(string Name, long At)>();
        var watching = WatchAsync(to, seen.Writer, ending.Token);
        Assert.Equal("", (await seen.Reader.ReadAsync().AsTask().WaitAsync(Eventually.Patience)).Name);
        var delays = new double[count];
        for (var number = 0; number < count; number++)
        {
            var name = $"seen/{Path.GetRandomFileName()}";
            var started = TimeProvider.System.GetTimestamp();
            var body = new { spec = new { format = "text", content = "x" } };
            using var answer = await from.PutAsJsonAsync($"resources/setting/default/{name}", body);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            var news = await seen.Reader.ReadAsync().AsTask().WaitAsync(Eventually.Patience);
            Assert.Equal(name, news.Name);
            delays[number] = TimeProvider.System.GetElapsedTime(started, news.At).TotalMilliseconds;
        }
        await ending.CancelAsync();
        await watching;
        Array.Sort(delays);
        return delays;
    }

    /// <summary>Tells an empty name when the watch has begun, then the name of each resource that changed.</summary>
    private static async Task WatchAsync(
        HttpClient client, ChannelWriter<(string Name, long At)> seen, CancellationToken ending)
    {
        try
        {
            using var answer = await client.GetAsync(
                "watch?kind=setting", HttpCompletionOption.ResponseHeadersRead, ending);
            answer.EnsureSuccessStatusCode();
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(ending));
            seen.TryWrite(("", 0));
            var isChange = false;
            while (await reader.ReadLineAsync(ending) is { } line)
            {
                if (line.StartsWith("event:", StringComparison.Ordinal)) isChange = line == "event: change";
                if (!isChange || !line.StartsWith("data:", StringComparison.Ordinal)) continue;
                var at = TimeProvider.System.GetTimestamp();
                var change = JsonSerializer.Deserialize(line.AsSpan(5), WireJson.Lenient.WatchEvent);
                seen.TryWrite((change!.Resource.Name, at));
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The test has seen enough.
        }
        catch (Exception failure)
        {
            seen.TryComplete(failure); // Whoever waits for an event hears of it.
        }
    }

    /// <summary>Two nodes for all tests of the class; each leaves them running.</summary>
    public sealed class SharedPair(PostgresServer server) : IAsyncLifetime
    {
        private NodePair? pair;

        internal NodePair Pair => pair ?? throw new InvalidOperationException("The nodes have not started.");

        public async ValueTask InitializeAsync() => pair = await NodePair.StartAsync(server);

        public async ValueTask DisposeAsync()
        {
            if (pair is not null) await pair.DisposeAsync();
        }
    }
}
