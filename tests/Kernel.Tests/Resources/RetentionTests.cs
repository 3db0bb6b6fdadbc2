using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Tests.Security;
using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Resources;

/// <summary>What holds on both engines.</summary>
public abstract class RetentionContract : SecurityContract
{
    private protected RetentionContract(ITestDatabase database)
        : base(database)
    {
    }

    [Fact]
    public async Task History_is_kept_for_ever_unless_a_retention_says_otherwise()
    {
        await PutAsync("a", 3);
        await SweepAsync(TimeSpan.FromDays(1000));
        Assert.Equal(0, Node.Changes.Floor);
    }

    [Fact]
    public async Task Versions_older_than_the_retention_are_compacted_and_the_audit_still_verifies()
    {
        var old = await PutAsync("a", 3);
        await RetainAsync(days: 30);
        Time.Advance(TimeSpan.FromMinutes(2));
        var young = await PutAsync("a", 3);
        await SweepAsync(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(5));
        Assert.Equal(0, Node.Changes.Floor);

        await SweepAsync(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(1));
        Assert.Equal(young - 3, Node.Changes.Floor);
        var key = new ResourceKey(ToyKinds.Toy.Name, "default", "a");
        var gone = await Node.Changes.History.AsOfAsync(key, old - 1, CancellationToken.None);
        Assert.Equal(ErrorCodes.RevisionCompacted, gone.Fault?.Error);
        Assert.NotNull((await Node.Changes.History.AsOfAsync(key, young, CancellationToken.None)).Value);
        Assert.Empty((await Node.Security.Verifier.VerifyAsync(CancellationToken.None)).Findings);

        await SweepAsync(TimeSpan.FromDays(31));
        Assert.Equal(young, Node.Changes.Floor);
    }

    [Theory]
    [InlineData("history", 0, "spec.historyDays")]
    [InlineData("history", 40_000, "spec.historyDays")]
    [InlineData("other", 30, "name")]
    public async Task A_wrong_retention_is_refused(string name, int days, string path)
    {
        var outcome = await Node.CommitAsync(
            OpenSecurity.Admin, Change.Put(Retention.Kind, "", name, new RetentionSpec(days)));
        Assert.Equal(path, Assert.Single(outcome.Fault?.Fields ?? []).Path);
    }

    // By a clock of its own: the node's would fire every timer of a month on the way.
    private Task SweepAsync(TimeSpan after) => new Retention(
        Node.Changes, Node.Storage, new ManualTimeProvider(Time.GetUtcNow() + after), NullLogger.Instance)
        .SweepAsync(CancellationToken.None);

    private Task<Commit> RetainAsync(int days) => Node.MustCommitAsync(
        OpenSecurity.Admin, Change.Put(Retention.Kind, "", "history", new RetentionSpec(days)));

    private async Task<long> PutAsync(string name, int times)
    {
        var revision = 0L;
        for (var version = 1; version <= times; version++)
        {
            var text = $"{Node.Changes.Snapshots.Current.Revision}";
            var put = await Node.MustCommitAsync(
                OpenSecurity.Admin, Change.Put(ToyKinds.Toy, "default", name, new Toy(text)));
            revision = put.Revision;
        }
        return revision;
    }
}

public sealed class SqliteRetentionTests() : RetentionContract(new SqliteTestDatabase());

public sealed class PostgresRetentionTests(PostgresServer server) : RetentionContract(new PostgresTestDatabase(server));
