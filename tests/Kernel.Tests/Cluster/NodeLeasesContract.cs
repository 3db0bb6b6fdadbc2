using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Cluster;

public abstract class NodeLeasesContract : ClusterContract
{
    private protected NodeLeasesContract(ITestDatabase database)
        : base(database)
    {
    }

    private readonly ManualTimeProvider time = new();

    [Fact]
    public async Task Nodes_see_each_other_as_live_within_one_renewal()
    {
        await using var a = await JoinAsync("a", time);
        await using var b = await JoinAsync("b", time);
        Assert.Equal(["a", "b"], b.Live.Order(StringComparer.Ordinal));
        time.Advance(NodeLeases.RenewEvery);
        await Eventually.TrueAsync(() => a.Live.Count == 2, "a sees b");
    }

    [Fact]
    public async Task Silent_node_is_no_longer_live_and_that_is_told_once()
    {
        var silent = new ManualTimeProvider(); // It stands still, as a stopped process does.
        await using var b = await JoinAsync("b", silent);
        await using var a = await JoinAsync("a", time);
        var told = 0;
        a.Changed += () => Interlocked.Increment(ref told);
        await AgeAsync(NodeLeases.Lease);
        for (var renewal = 0; renewal < 3; renewal++) await RenewAsync(a);
        Assert.Equal(["a"], a.Live);
        Assert.Equal(1, told);
        Assert.Equal([("a", true), ("b", false)], a.Nodes.Select(node => (node.Name, node.IsLive)));
    }

    [Fact]
    public async Task Node_that_stops_is_dead_at_once_and_stays_in_the_list_for_a_day()
    {
        await using var a = await JoinAsync("a", time);
        await (await JoinAsync("b", time)).DisposeAsync();
        await RenewAsync(a);
        Assert.Equal([("a", true), ("b", false)], a.Nodes.Select(node => (node.Name, node.IsLive)));
        await AgeAsync(TimeSpan.FromHours(25));
        await RenewAsync(a);
        Assert.Equal(["a"], a.Nodes.Select(node => node.Name));
    }

    [Fact]
    public async Task Later_process_of_the_same_name_outranks_the_earlier_whatever_their_clocks_say()
    {
        await using var earlier = await JoinAsync("a", time);
        var behind = new ManualTimeProvider(ManualTimeProvider.DefaultStart - TimeSpan.FromHours(1));
        await using var later = await JoinAsync("a", behind);
        time.Advance(NodeLeases.Lease);
        await Eventually.TrueAsync(() => !earlier.HoldsLease, "the earlier process cannot renew");
        await RenewAsync(later, behind);
        Assert.True(later.HoldsLease);
        Assert.Equal(["a"], later.Live);
    }

    [Fact]
    public async Task Clock_of_a_node_is_nowhere_in_its_lease()
    {
        var shifted = new ManualTimeProvider(ManualTimeProvider.DefaultStart + TimeSpan.FromHours(1));
        await using var a = await JoinAsync("a", time);
        await using var b = await JoinAsync("b", shifted);
        shifted.ShiftWallClock(TimeSpan.FromHours(-2));
        await RenewAsync(b, shifted);
        await RenewAsync(a);
        var (first, second) = (a.Nodes[0], a.Nodes[1]);
        Assert.InRange((first.LeaseUntil - second.LeaseUntil).Duration(), TimeSpan.Zero, NodeLeases.Lease);
        Assert.InRange((first.StartedAt - second.StartedAt).Duration(), TimeSpan.Zero, NodeLeases.Lease);
        Assert.Equal(["a", "b"], a.Live.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Node_cut_off_from_the_database_says_so_and_no_longer_holds_its_lease_when_it_has_ended()
    {
        await using var a = await JoinAsync("a", time);
        Assert.True(a.HoldsLease);
        await Storage.DisposeAsync();
        time.Advance(NodeLeases.RenewEvery);
        await Eventually.TrueAsync(() => a.IsCutOff, "a is cut off");
        Assert.True(a.HoldsLease, "the lease has not ended");
        time.Advance(NodeLeases.Lease);
        Assert.False(a.HoldsLease);
        Assert.Equal(["a"], a.Live); // What was last read goes on.
    }

    private Task RenewAsync(NodeLeases node) => RenewAsync(node, time);

    // A renewal is over when the view it read has replaced the one before.
    private static async Task RenewAsync(NodeLeases node, ManualTimeProvider clock)
    {
        var before = node.Nodes;
        clock.Advance(NodeLeases.RenewEvery);
        await Eventually.TrueAsync(() => node.Nodes != before, $"{node.Self} has renewed");
    }
}

public sealed class SqliteNodeLeasesTests() : NodeLeasesContract(new SqliteTestDatabase());

public sealed class PostgresNodeLeasesTests(PostgresServer server)
    : NodeLeasesContract(new PostgresTestDatabase(server));
