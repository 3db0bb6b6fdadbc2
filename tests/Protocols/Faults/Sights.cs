using System.Collections.Concurrent;
using System.Text.Json;

namespace Groundwork.Tests.Protocols.Faults;

/// <summary>What the clients of the script have seen, each its list or its version, in order.</summary>
internal sealed class Sights
{
    private static readonly string[] OfLists = ["nacos", "eureka", "consul"];
    private static readonly string[] OfVersions = ["nacosConfig", "consulKey", "apollo"];

    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> seen = new();
    private readonly Task reading;

    public Sights(NpmClient client) => reading = ReadAsync(client);

    /// <summary>Waits until every client has seen the state.</summary>
    public async Task AllAsync(FaultNode node, int version, bool withAdded, TimeSpan patience)
    {
        var list = JsonSerializer.Serialize(
            withAdded ? (string[])[FaultNode.Kept, FaultNode.Added] : [FaultNode.Kept]);
        var began = TimeProvider.System.GetTimestamp();
        while (Missing(list, version) is { Count: > 0 } missing)
        {
            if (reading.IsFaulted) await reading;
            if (TimeProvider.System.GetElapsedTime(began) > patience)
                Assert.Fail($"Not seen in {patience.TotalSeconds:F0} s by {string.Join(", ", missing)}.\n{this}\n"
                    + node.Process.Output);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>Nobody took the first instance away.</summary>
    public void NothingWasLost()
    {
        foreach (var who in OfLists)
            Assert.All(seen[who], list => Assert.Contains(FaultNode.Kept, list, StringComparison.Ordinal));
    }

    public override string ToString() =>
        string.Join('\n', seen.Select(pair => $"{pair.Key}: {string.Join(" | ", pair.Value)}"));

    private List<string> Missing(string list, int version) =>
    [
        .. OfLists.Where(who => !seen.TryGetValue(who, out var of) || of.LastOrDefault() != list),
        .. OfVersions.Where(who => !seen.TryGetValue(who, out var of)
            || of.LastOrDefault()?.Contains($"{version}", StringComparison.Ordinal) != true),
    ];

    // Until the script ends, which is when the test does.
    private async Task ReadAsync(NpmClient client)
    {
        while (true)
        {
            var happened = await client.NextAsync("seen");
            seen.GetOrAdd(happened.GetProperty("who").GetString()!, _ => new()) // It always says who.
                .Enqueue(happened.GetProperty("what").GetRawText());
        }
    }
}
