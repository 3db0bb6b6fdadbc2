using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>Acknowledged means on disk: the real process is killed in the middle of commits, again and again.</summary>
public sealed class KillTests
{
    private const int Writers = 8;

    [Fact]
    public async Task Kill_9_in_the_middle_of_commits_loses_nothing_acknowledged_and_tears_nothing()
    {
        using var directory = new TemporaryDirectory();
        var data = Path.Combine(directory.Path, "data");
        var random = LongRun.Random();
        var acknowledged = new Dictionary<string, int>(StringComparer.Ordinal);
        var kills = LongRun.Count(usual: 3, whole: 100);
        for (var round = 0; round < kills; round++)
        {
            await using var node = await StartAsync(data);
            await CheckAsync(node, acknowledged);
            using var client = node.Local();
            var writing = Enumerable.Range(0, Writers).Select(writer => WriteAsync(client, writer, acknowledged))
                .ToList();
            // The kill falls into the midst of commits, not before the first one.
            var before = Count(acknowledged);
            await Eventually.TrueAsync(() => Count(acknowledged) > before, "a write is acknowledged");
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 300)), TimeProvider.System);
            node.Signal(Signals.Kill);
            await node.ExitAsync();
            await Task.WhenAll(writing);
        }
        await using var last = await StartAsync(data);
        await CheckAsync(last, acknowledged);
        Assert.True(acknowledged.Count > 0, "no write was acknowledged at all");
        var (exit, output, error) = await last.VerbAsync("", "audit", "verify");
        Assert.True(exit == 0, output + error);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kills} kills, {acknowledged.Values.Sum(value => value + 1)} acknowledged");
    }

    private static long Count(Dictionary<string, int> acknowledged)
    {
        lock (acknowledged) return acknowledged.Values.Sum(value => value + 1L);
    }

    private static Task<GroundworkProcess> StartAsync(string data) => GroundworkProcess.StartAsync(
        data, "run", "--set", "listeners.api.address=127.0.0.1:0", "--set", "listeners.gateway.address=127.0.0.1:0");

    /// <summary>Two resources in one changeset, so that a torn commit would show as two that differ.</summary>
    private static async Task WriteAsync(HttpClient client, int writer, Dictionary<string, int> acknowledged)
    {
        var key = $"w{writer}";
        int start;
        lock (acknowledged) start = acknowledged.GetValueOrDefault(key, -1) + 1;
        for (var number = start; ; number++)
        {
            var text = JsonSerializer.SerializeToElement(new { format = "text", content = $"{number}" });
            var request = new ChangesetRequest(
            [
                new ChangeDocument("put", new ResourceDocument("setting", $"kill/{key}-a", Spec: text)),
                new ChangeDocument("put", new ResourceDocument("setting", $"kill/{key}-b", Spec: text)),
            ]);
            try
            {
                using var response = await client.PostAsJsonAsync(
                    "changesets", request, WireJson.Strict.ChangesetRequest);
                if (!response.IsSuccessStatusCode) Assert.Fail(await response.Content.ReadAsStringAsync());
            }
            catch (HttpRequestException)
            {
                return; // Killed.
            }
            lock (acknowledged) acknowledged[key] = number;
        }
    }

    private static async Task CheckAsync(GroundworkProcess node, Dictionary<string, int> acknowledged)
    {
        using var client = node.Local();
        foreach (var (key, number) in acknowledged)
        {
            var (a, b) = (await ReadAsync(client, $"{key}-a"), await ReadAsync(client, $"{key}-b"));
            Assert.Equal(a, b);
            // The last write may have reached the disk without its answer reaching us.
            Assert.InRange(a, number, number + 1);
        }
    }

    private static async Task<int> ReadAsync(HttpClient client, string name)
    {
        var resource = await client.GetFromJsonAsync(
            $"resources/setting/default/kill/{name}", WireJson.Lenient.ResourceDocument);
        return int.Parse(resource!.Spec!.Value.GetProperty("content")
            .GetString()!, System.Globalization.CultureInfo.InvariantCulture);
    }
}
