using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Cluster;

public abstract class SharedCountersContract : ClusterContract
{
    private protected SharedCountersContract(ITestDatabase database)
        : base(database)
    {
    }

    private const string Key = "client 1";

    /// <summary>No test lives to see its end.</summary>
    private static readonly TimeSpan Endless = TimeSpan.FromDays(10_000);

    private readonly ManualTimeProvider time = new();

    [Fact]
    public async Task Cluster_allows_the_limit_and_at_most_what_the_exchange_is_behind()
    {
        const int nodes = 3;
        const int limit = 300;
        var step = TimeSpan.FromMilliseconds(10);
        var members = new List<Member>();
        for (var number = 0; number < nodes; number++)
        {
            // Their exchanges do not come at the same moment.
            time.Advance(SharedCounters.ExchangeEvery / nodes);
            members.Add(await MemberAsync($"n{number}", time));
        }
        await KnowEachOtherAsync(members);
        var allowed = 0;
        for (var steps = 0; steps < 400; steps++)
        {
            allowed += members.Count(member => member.Counters.TryUse(Key, limit, Endless));
            await AdvanceAsync(members, step);
        }
        var rate = 1 / step.TotalSeconds; // Of each node.
        var bound = nodes * rate * SharedCounters.ExchangeEvery.TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"{allowed} of {limit} allowed; the bound is +{bound}");
        Assert.InRange(allowed, limit, limit + (int)bound);
        foreach (var member in members) await member.DisposeAsync();
    }

    [Fact]
    public async Task While_the_database_is_away_each_node_allows_its_part()
    {
        await using var a = await MemberAsync("a", time);
        await using var b = await MemberAsync("b", time);
        await KnowEachOtherAsync([a, b]);
        await ReadOthersAsync(a);
        await ReadOthersAsync(b);
        await Storage.DisposeAsync();
        time.Advance(TimeSpan.FromSeconds(2)); // Longer than the others' numbers say anything.
        var allowed = 0;
        for (var use = 0; use < 100; use++)
            foreach (var member in new[] { a, b })
                if (member.Counters.TryUse(Key, 50, Endless)) allowed++;
        Assert.Equal(50, allowed);
    }

    [Fact]
    public async Task What_a_dead_node_has_used_counts_and_its_row_goes_after_a_day()
    {
        await using var a = await MemberAsync("a", time);
        var dead = await MemberAsync("b", time);
        await KnowEachOtherAsync([a, dead]);
        for (var use = 0; use < 30; use++) Assert.True(dead.Counters.TryUse(Key, 50, Endless));
        await dead.ExchangeAsync();
        await dead.DisposeAsync();
        await ReadOthersAsync(a);
        Assert.Equal(20, Enumerable.Range(0, 100).Count(_ => a.Counters.TryUse(Key, 50, Endless)));
        await AgeAsync(TimeSpan.FromHours(25));
        time.Advance(NodeLeases.RenewEvery);
        await Eventually.TrueAsync(
            async () => await Storage.ReadAsync(
                session => session.One(
                    "SELECT count(*) FROM cluster_counters WHERE node = 'b'", row => row.Int64(0)), Cancel) == 0,
            "the dead node's row is gone");
    }

    [Fact]
    public async Task Nodes_whose_clocks_are_days_apart_share_one_window()
    {
        var shifted = new ManualTimeProvider(ManualTimeProvider.DefaultStart + TimeSpan.FromDays(3));
        await using var a = await MemberAsync("a", time);
        await using var b = await MemberAsync("b", shifted);
        time.Advance(NodeLeases.RenewEvery);
        await Eventually.TrueAsync(() => a.Nodes.Live.Count == 2, "a knows b");
        for (var use = 0; use < 30; use++) Assert.True(b.Counters.TryUse(Key, 50, TimeSpan.FromDays(1)));
        await b.ExchangeAsync();
        await ReadOthersAsync(a);
        Assert.Equal(
            20, Enumerable.Range(0, 100).Count(_ => a.Counters.TryUse(Key, 50, TimeSpan.FromDays(1))));
    }

    [Fact]
    public async Task Node_that_is_alone_has_the_whole_limit_and_a_new_window_begins_anew()
    {
        await using var a = await MemberAsync("a", time);
        var window = TimeSpan.FromMinutes(10);
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => a.Counters.TryUse(Key, 10, window)));
        await Storage.DisposeAsync(); // Its clock is the real one, and a renewal would read it and set time back.
        time.Advance(window);
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => a.Counters.TryUse(Key, 10, window)));
    }

    private async Task<Member> MemberAsync(string name, ManualTimeProvider clock)
    {
        var nodes = await JoinAsync(name, clock);
        return new Member(nodes, new SharedCounters(Storage, nodes, clock, NullLoggerFactory.Instance), clock);
    }

    private async Task KnowEachOtherAsync(IReadOnlyList<Member> members)
    {
        time.Advance(NodeLeases.RenewEvery);
        await Eventually.TrueAsync(
            () => members.All(member => member.Nodes.Live.Count == members.Count), "all know each other");
        foreach (var member in members) await member.ExchangedAsync(above: 0);
    }

    // Who has used nothing asks nobody what they have used; and an exchange that was under way may have begun before.
    private static async Task ReadOthersAsync(Member member)
    {
        Assert.True(member.Counters.TryUse("another client", 1, Endless));
        await member.ExchangeAsync();
        await member.ExchangeAsync();
    }

    /// <summary>Moves time on, and waits for the exchanges that have come due with it.</summary>
    private async Task AdvanceAsync(IReadOnlyList<Member> members, TimeSpan by)
    {
        var before = members.Select(member => (member, member.Counters.Exchanges, member.Due)).ToList();
        time.Advance(by);
        foreach (var (member, exchanges, due) in before)
            if (member.Due > due) await member.ExchangedAsync(exchanges);
    }

    private sealed class Member(NodeLeases nodes, SharedCounters counters, ManualTimeProvider clock) : IAsyncDisposable
    {
        private readonly long started = clock.GetTimestamp();

        public NodeLeases Nodes { get; } = nodes;

        public SharedCounters Counters { get; } = counters;

        /// <summary>How many exchanges are due by now.</summary>
        public long Due => clock.GetElapsedTime(started).Ticks / SharedCounters.ExchangeEvery.Ticks;

        public async Task ExchangeAsync()
        {
            var before = Counters.Exchanges;
            clock.Advance(SharedCounters.ExchangeEvery);
            await ExchangedAsync(before);
        }

        public Task ExchangedAsync(long above) =>
            Eventually.TrueAsync(() => Counters.Exchanges > above, $"{Nodes.Self} has exchanged its counters");

        public async ValueTask DisposeAsync()
        {
            await Counters.DisposeAsync();
            await Nodes.DisposeAsync();
        }
    }
}

public sealed class SqliteSharedCountersTests() : SharedCountersContract(new SqliteTestDatabase());

public sealed class PostgresSharedCountersTests(PostgresServer server)
    : SharedCountersContract(new PostgresTestDatabase(server));
