using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd.Settings;

/// <summary>Publications to many real clients, with the real executable: who has what, by name.</summary>
public sealed class ReceiptsProcessTests
{
    private const int Clients = 50;

    [Fact]
    public async Task Of_50_clients_with_3_frozen_and_1_that_throws_46_applied_3_are_old_and_1_rejected()
    {
        await using var node = await SettingsNode.StartAsync();
        await node.PublishAsync("1");
        string[] frozen = ["r-07", "r-21", "r-42"];
        const string thrower = "r-33";
        await using var many = await ReaderProcess.StartAsync(
            node.Variables(), [.. Ids().Except(frozen).Select(id => id == thrower ? id + "!" : id)]);
        await using var first = await ReaderProcess.StartAsync(node.Variables(), frozen[0]);
        await using var second = await ReaderProcess.StartAsync(node.Variables(), frozen[1]);
        await using var third = await ReaderProcess.StartAsync(node.Variables(), frozen[2]);
        await CountsAsync(node, revision: null, (Clients, 0, 0, 0));
        foreach (var process in new[] { first, second, third }) process.Signal(Signals.Stop);

        var revision = await node.PublishAsync("2");

        var told = await CountsAsync(node, revision, (46, 1, 0, 3));
        Assert.Equal(frozen, Named(told, "old"));
        Assert.Equal([thrower], Named(told, "rejected"));
        Assert.Equal(Ids().Except(frozen).Except([thrower]), Named(told, "applied"));
        var error = told.Readers.Single(reader => reader.Instance == thrower).Error;
        Assert.Equal("Front: InvalidOperationException: no such theme", error);
        Assert.All(frozen, id => Assert.NotEqual(
            revision, told.Readers.Single(reader => reader.Instance == id).HasRevision));

        var (exit, table, summary) = await node.VerbAsync(
            "receipts", "reader/front", "--revision", FormattableString.Invariant($"{revision}"));
        Assert.Contains("46 applied, 1 rejected, 0 delivered, 3 old", summary, StringComparison.Ordinal);
        Assert.NotEqual(0, exit);
        Assert.All(frozen, id => Assert.Matches($@"{id}\s+old", table));
        Assert.Matches($@"{thrower}\s+rejected .*no such theme", table);

        foreach (var process in new[] { first, second, third }) process.Signal(Signals.Continue);
        await CountsAsync(node, revision, (49, 1, 0, 0));
        Assert.Equal("2", first.Values[frozen[0]]);

        // The next one, which nobody throws on, is everybody's.
        await CountsAsync(node, await node.PublishAsync("3"), (Clients, 0, 0, 0));
    }

    [Fact]
    public async Task A_gray_release_reaches_its_receivers_alone_and_its_promotion_everybody()
    {
        await using var node = await SettingsNode.StartAsync();
        await node.PublishAsync("1");
        string[] gold = ["r-02", "r-40"];
        await using var many = await ReaderProcess.StartAsync(
            node.Variables(), [.. Ids().Select(id => gold.Contains(id) ? id + "+plan=gold" : id)]);
        await CountsAsync(node, revision: null, (Clients, 0, 0, 0));

        await ReleaseAsync(node, "spring", "2", new { instances = new[] { "reader/r-05" }, percent = 20 });
        string[] lucky = [.. Ids().Where(id => id == "r-05" || Share("spring", id) < 2000)];
        Assert.InRange(lucky.Length, 3, 20);
        await HaveAsync(many, "2", lucky, "1");

        await ReleaseAsync(node, "spring", "2", new { instances = new[] { "reader/r-05" }, percent = 50 });
        string[] wider = [.. Ids().Where(id => id == "r-05" || Share("spring", id) < 5000)];
        await HaveAsync(many, "2", wider, "1");

        await ReleaseAsync(node, "golden", "3", new { labels = new { plan = "gold" } }, priority: 1);
        await Eventually.TrueAsync(() => gold.All(id => many.Values[id] == "3"), "the golden have theirs");
        Assert.Equal(gold, Ids().Where(id => many.Values[id] == "3"));

        await node.PostAsync("gray-releases/default/spring/promote");
        await HaveAsync(many, "3", gold, "2");
        var receipts = await CountsAsync(node, revision: null, (Clients, 0, 0, 0));
        Assert.Equal(
            gold, receipts.Readers.Where(reader => reader.Release == "golden").Select(reader => reader.Instance));
    }

    private static IEnumerable<string> Ids() => Enumerable.Range(0, Clients).Select(number => $"r-{number:00}");

    // docs/settings.md: the first 8 bytes of SHA-256(release, 0, service/id), big-endian, modulo 10,000.
    private static ulong Share(string release, string id) => BinaryPrimitives.ReadUInt64BigEndian(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{release}\0reader/{id}"))) % 10_000;

    private static Task<long> ReleaseAsync(
        SettingsNode node, string name, string percent, object to, int priority = 0) => node.PutAsync(
        $"resources/gray-release/default/{name}",
        new
        {
            spec = new
            {
                setting = "reader/front",
                content = $$$"""{"Front":{"Percent":{{{percent}}}}}""",
                to,
                priority,
            },
        });

    private static Task HaveAsync(ReaderProcess readers, string value, string[] whom, string others) =>
        Eventually.TrueAsync(
            () => Ids().All(id => readers.Values[id] == (whom.Contains(id) ? value : others)),
            $"{string.Join(',', whom)} have {value} and the others {others}", TimeSpan.FromMinutes(1));

    private static IEnumerable<string> Named(SettingReceipts receipts, string state) =>
        receipts.Readers.Where(reader => reader.State == state).Select(reader => reader.Instance);

    private static Task<SettingReceipts> CountsAsync(
        SettingsNode node, long? revision, (int Applied, int Rejected, int Delivered, int Old) counts) =>
        Eventually.ValueAsync(
            () => node.ReceiptsAsync(revision),
            receipts => (receipts.Applied, receipts.Rejected, receipts.Delivered, receipts.Old) == counts,
            $"the publication says {counts}", TimeSpan.FromMinutes(1));
}
