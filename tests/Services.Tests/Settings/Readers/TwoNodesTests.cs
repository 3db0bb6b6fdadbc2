using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Releases;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Readers;

/// <summary>Two nodes over one PostgreSQL: readers may be at either, and both tell the same of them.</summary>
public sealed class TwoNodesTests(PostgresServer server)
{
    [Fact]
    public async Task What_a_reader_says_to_one_node_is_told_by_the_other()
    {
        using var directory = new TemporaryDirectory();
        var (a, b) = await StartAsync(directory);
        await using var first = a;
        await using var second = b;
        await using var watch = await a.WatchAsync("?group=g&instance=s/one&receipts=true");
        await using var other = await b.WatchAsync("?group=g&instance=s/two&receipts=true");
        var revision = await a.MustPublishAsync("g/a", "1");
        await watch.NewsAsync();
        await other.NewsAsync();
        await b.MustReportAsync("one", new ReceiptDocument("g", "a", revision, "applied"));
        await Eventually.PassesAsync(async () =>
        {
            foreach (var node in new[] { a, b })
            {
                var receipts = await node.ReceiptsAsync("g/a", revision);
                Assert.Equal(
                    ["one applied", "two old"], receipts.Readers.Select(line => $"{line.Instance} {line.State}"));
                Assert.All(receipts.Readers, line => Assert.NotNull(line.SentAt));
            }
        });
    }

    [Fact]
    public async Task A_release_has_the_same_receivers_on_both()
    {
        using var directory = new TemporaryDirectory();
        var (a, b) = await StartAsync(directory);
        await using var first = a;
        await using var second = b;
        await a.MustPublishAsync("g/a", "own");
        var gray = await a.CommitAsync(Change.Put(
            GrayReleaseKind.Kind, "default", "r", new GrayReleaseSpec("g/a", "gray", new GrayReceivers(Percent: 50))));
        var seen = new HashSet<string>();
        for (var id = 0; id < 30; id++)
        {
            var query = $"?instance=s/i{id}&atLeast={gray}";
            var here = Assert.Single((await a.SnapshotAsync(query)).Settings);
            Assert.Equal(here, Assert.Single((await b.SnapshotAsync(query)).Settings));
            seen.Add(here.Content);
        }
        Assert.Equal(2, seen.Count);
        await Eventually.PassesAsync(async () =>
            Assert.Equal(30, (await b.ReceiptsAsync("g/a")).Delivered));
    }

    private async Task<(OpenSettings A, OpenSettings B)> StartAsync(TemporaryDirectory directory)
    {
        var database = new DatabaseOptions(await server.CreateDatabaseAsync());
        return (await OpenAsync("a"), await OpenAsync("b"));

        Task<OpenSettings> OpenAsync(string name) => OpenSettings.StartAsync(
            configure: configuration => configuration with
            {
                Database = database, NodeName = name, RootKeyFile = directory.Combine("root.key"),
            });
    }
}
