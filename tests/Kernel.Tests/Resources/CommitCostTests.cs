using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Resources;

/// <summary>
/// What an acknowledged change may allocate: that is the same on any machine, and grows before the figures in bench/
/// fall.
/// </summary>
[Collection(nameof(CommitCostTests))]
[CollectionDefinition(nameof(CommitCostTests), DisableParallelization = true)]
public sealed class CommitCostTests
{
    private const int Keys = 100;

    /// <summary>All threads together, from the changeset to the published snapshot, for a spec of 500 bytes.</summary>
    private const int MaxBytesPerChange = 12 * 1024;

    [Fact]
    public async Task A_change_of_500_bytes_allocates_less_than_12_kilobytes()
    {
        using var directory = new TemporaryDirectory();
        var storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = directory.Combine("store.db") }, TimeProvider.System,
            NullLoggerFactory.Instance, CancellationToken.None);
        await using var log = await OpenLog.OnAsync(storage, RootKey.Generate());
        await ChangeAllAsync(log, rounds: 5);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        const int Rounds = 20;
        await ChangeAllAsync(log, Rounds);
        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / (Rounds * Keys);
        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes} bytes a change");
        Assert.InRange(bytes, 500, MaxBytesPerChange);
    }

    private static async Task ChangeAllAsync(OpenLog log, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var text = $"{log.Now.Revision} {new string('x', 470)}";
            await Task.WhenAll(Enumerable.Range(0, Keys).Select(key => log.PutAsync($"r{key}", text)));
        }
    }
}
