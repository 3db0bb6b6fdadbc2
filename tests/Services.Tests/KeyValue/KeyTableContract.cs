using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Services.KeyValue;
using Groundwork.Services.KeyValue.Leases;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.KeyValue;

/// <summary>Two nodes over one table of keys; one class per engine runs it.</summary>
public abstract class KeyTableContract : IAsyncLifetime
{
    private OpenKeys a = null!; // Started before every test.
    private OpenKeys b = null!;

    private protected abstract TimeProvider Time { get; }

    /// <summary>Opens the store for two nodes: one connection of a store of their own, or the same for both.</summary>
    private protected abstract Task<(IStorage A, IStorage B)> OpenAsync();

    /// <summary>Lets time pass by the clock of the database.</summary>
    private protected abstract Task PassAsync(TimeSpan time);

    public virtual async ValueTask InitializeAsync()
    {
        var (storageA, storageB) = await OpenAsync();
        a = await OpenKeys.StartAsync(storageA, Time);
        b = await OpenKeys.StartAsync(storageB, Time);
    }

    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task Revisions_of_writers_on_two_nodes_have_no_gap_and_no_repeat_and_show_in_order()
    {
        const int writers = 8;
        var each = LongRun.Count(25, 500);
        var seen = FollowAsync(b, writers * each);
        var written = await Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            var revisions = new List<long>();
            for (var at = 0; at < each; at++)
                revisions.Add(await (writer % 2 == 0 ? a : b).PutAsync($"k/{writer}", $"{at}"));
            return revisions;
        }));
        Assert.Equal(
            Enumerable.Range(2, writers * each).Select(revision => (long)revision),
            written.SelectMany(revisions => revisions).Order());
        Assert.Equal(Enumerable.Range(2, writers * each).Select(revision => (long)revision), await seen);
        foreach (var revisions in written) Assert.Equal(revisions.Order(), revisions);
    }

    [Fact]
    public async Task Past_is_read_as_it_was_until_it_is_compacted_and_then_only_what_is_stays()
    {
        await a.PutAsync("k/a", "1"); // 2
        await a.PutAsync("k/b", "1"); // 3
        await a.PutAsync("k/a", "2"); // 4
        await a.DeleteAsync("k/b"); // 5
        var last = await a.PutAsync("k/a", "3"); // 6
        Assert.Equal(6, last);
        Assert.Equal("k/a=1 k/b=1", await b.ListAsync("k/", 3));
        Assert.Equal("k/a=2", await b.ListAsync("k/", 5));
        Assert.Equal("k/a=3", await b.ListAsync("k/"));
        Assert.Equal("", await b.ListAsync("k/", 1));
        var index = await b.IndexAsync("k/b");
        await a.Keys.WriteAsync(
            transaction =>
            {
                transaction.Compact(5);
                return true;
            },
            default);
        await a.Compaction.RoundAsync(default);
        Assert.Equal("k/a=2", await b.ListAsync("k/", 5)); // Not purged while watches may be behind.
        await PassAsync(KeyValueLimits.PurgeDelay + TimeSpan.FromMilliseconds(50));
        await a.Compaction.RoundAsync(default);
        var head = await b.ReadAsync(reading => reading.Head);
        Assert.Equal((6, 5, 5), (head.Revision, head.Compacted, head.Purged));
        Assert.Equal("k/a=3", await b.ListAsync("k/"));
        Assert.Equal("k/a=2", await b.ListAsync("k/", 5));
        Assert.Equal(2, (await b.ReadAsync(reading => reading.Changes(KeyRange.All, 0, 100))).Changes.Count);
        Assert.True(await b.IndexAsync("k/b") >= index);
    }

    [Fact]
    public async Task Write_that_fails_changes_nothing_and_takes_no_revision()
    {
        await a.PutAsync("k", "1");
        await Assert.ThrowsAsync<KeyValueRefusal>(() => a.Keys.WriteAsync<int>(
            transaction =>
            {
                var before = transaction.Read.Find(OpenKeys.Bytes("k"));
                transaction.Put(OpenKeys.Bytes("k"), OpenKeys.Bytes("2"), 0, before);
                throw new KeyValueRefusal(KeyValueRefusal.Kind.LeaseUnknown, "planted");
            },
            default));
        Assert.Equal("k=1", await b.ListAsync());
        Assert.Equal(3, await b.PutAsync("k", "3"));
    }

    [Fact]
    public async Task Lease_that_ends_takes_its_keys_at_one_revision_and_one_that_is_renewed_does_not_end()
    {
        await a.GrantAsync(7, TimeSpan.FromSeconds(2));
        await a.GrantAsync(8, TimeSpan.FromSeconds(2));
        await a.PutAsync("l/a", "1", lease: 7);
        await a.PutAsync("l/b", "1", lease: 7);
        var last = await a.PutAsync("l/c", "1", lease: 8);
        for (var round = 0; round < 6; round++)
        {
            await PassAsync(TimeSpan.FromMilliseconds(500));
            await b.Keys.WriteAsync(
                transaction => transaction.Renew(transaction.Read.FindLease(8)!), default); // Granted above.
            await b.Sweep.RoundAsync(default);
        }
        Assert.Equal("l/c=1", await a.ListAsync());
        Assert.Equal(last + 1, (await a.ReadAsync(reading => reading.Head)).Revision);
        Assert.Equal([8L], (await a.ReadAsync(reading => reading.Leases())).Select(lease => lease.Id));
    }

    [Fact]
    public async Task Lease_does_not_end_when_nobody_was_there_to_renew_it()
    {
        await a.GrantAsync(7, TimeSpan.FromSeconds(2));
        await a.PutAsync("l/a", "1", lease: 7);
        await a.Sweep.RoundAsync(default);
        await PassAsync(TimeSpan.FromSeconds(6)); // All nodes stand still for so long.
        await b.Sweep.RoundAsync(default);
        Assert.Equal("l/a=1", await a.ListAsync());
        await PassAsync(TimeSpan.FromSeconds(1.2));
        await b.Sweep.RoundAsync(default);
        await PassAsync(TimeSpan.FromSeconds(1.2));
        await b.Sweep.RoundAsync(default); // A whole time later it does.
        Assert.Equal("", await a.ListAsync());
    }

    [Fact]
    public async Task Session_releases_or_deletes_what_it_held_and_the_lock_stays_closed_for_its_delay()
    {
        await a.GrantAsync(1, TimeSpan.Zero, "s1");
        await a.GrantAsync(2, TimeSpan.Zero, "s2", deletes: true);
        await a.PutAsync("held", "1", lease: 1);
        await a.PutAsync("mine", "1", lease: 2);
        Assert.Equal("s1", (await b.ReadAsync(reading => reading.Find(OpenKeys.Bytes("held"))))?.Session);
        foreach (var session in new[] { "s1", "s2" })
            await b.Keys.WriteAsync(
                transaction =>
                {
                    transaction.Revoke(transaction.Read.FindSession(session)!); // Granted above.
                    return true;
                },
                default);
        var left = await a.ReadAsync(reading => reading.Find(OpenKeys.Bytes("held")));
        Assert.Equal((0L, null, 2L), (left!.Lease, left.Session, left.Version)); // A released key is there.
        Assert.Equal("held=1", await a.ListAsync());
        Assert.True(await IsDelayedAsync("held"));
        Assert.False(await IsDelayedAsync("other"));
    }

    [Fact]
    public async Task Waiter_on_the_other_node_wakes_for_its_range_alone_and_for_what_came_before_it_waited()
    {
        using var waiter = b.Feed.Enter(KeyRange.Prefix(OpenKeys.Bytes("w/")))!; // One fits.
        using var beside = b.Feed.Enter(KeyRange.One(OpenKeys.Bytes("v")))!;
        await a.PutAsync("w/a", "1");
        await b.Feed.RoundAsync(default);
        Assert.True(await waiter.WaitAsync(default));
        Assert.False(beside.WaitAsync(default).AsTask().IsCompleted);
        Assert.False(waiter.WaitAsync(default).AsTask().IsCompleted);
        Assert.Equal(2, b.Feed.Waiters);
        waiter.Dispose();
        Assert.Equal(1, b.Feed.Waiters);
    }

    [Fact]
    public async Task Restored_store_goes_on_above_everything_it_can_have_shown()
    {
        var before = await a.PutAsync("k", "1");
        var restored = await OpenKeys.StartAsync(a.Keys.Storage, Time, epoch: 1);
        Assert.Equal(1L << 32, (await restored.ReadAsync(reading => reading.Head)).Revision);
        Assert.True(await restored.PutAsync("k", "2") > before);
        var again = await OpenKeys.StartAsync(a.Keys.Storage, Time, epoch: 1);
        Assert.Equal((1L << 32) + 1, (await again.ReadAsync(reading => reading.Head)).Revision);
    }

    [Fact]
    public async Task Batch_of_changes_never_cuts_a_revision()
    {
        await a.Keys.WriteAsync(
            transaction =>
            {
                for (var at = 0; at < 5; at++)
                    transaction.Put(OpenKeys.Bytes($"k/{at}"), OpenKeys.Bytes("1"), 0, null);
                return true;
            },
            default);
        await a.PutAsync("k/9", "1");
        var first = await b.ReadAsync(reading => reading.Changes(KeyRange.All, 0, 3));
        Assert.Equal((5, true), (first.Changes.Count, first.More));
        var second = await b.ReadAsync(reading => reading.Changes(KeyRange.All, 3, 3));
        Assert.Equal((1, false), (second.Changes.Count, second.More));
        var cut = await b.ReadAsync(reading => reading.Changes(KeyRange.All, 0, 5));
        Assert.Equal((5, true), (cut.Changes.Count, cut.More));
        await a.DeleteAsync("k/"); // Six keys, of which two would fit.
        var before = await b.ReadAsync(reading => reading.Changes(KeyRange.All, 0, 8));
        Assert.Equal((6, true), (before.Changes.Count, before.More));
        Assert.Equal(3, before.Changes[^1].Entry.Revision);
    }

    private Task<bool> IsDelayedAsync(string key) =>
        a.Keys.WriteAsync(transaction => transaction.IsDelayed(OpenKeys.Bytes(key)), default);

    private static async Task<List<long>> FollowAsync(OpenKeys node, int count)
    {
        var seen = new List<long>();
        await Eventually.TrueAsync(
            async () =>
            {
                var from = seen.Count == 0 ? 0 : seen[^1] + 1;
                var (changes, _) = await node.ReadAsync(reading => reading.Changes(KeyRange.All, from, 7));
                seen.AddRange(changes.Select(change => change.Entry.Revision));
                return seen.Count >= count;
            },
            "the other node has seen every change");
        return seen;
    }
}

public sealed class SqliteKeyTableTests : KeyTableContract
{
    private readonly TemporaryDirectory directory = new();
    private readonly ManualTimeProvider time = new();
    private SqliteStorage? storage;

    private protected override TimeProvider Time => time;

    private protected override async Task<(IStorage A, IStorage B)> OpenAsync()
    {
        storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = directory.Combine("store.db") }, time, NullLoggerFactory.Instance, default);
        return (storage, storage);
    }

    private protected override Task PassAsync(TimeSpan passing)
    {
        time.Advance(passing);
        return Task.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        if (storage is not null) await storage.DisposeAsync();
        directory.Dispose();
    }
}

public sealed class PostgresKeyTableTests(PostgresServer server) : KeyTableContract
{
    private IStorage? first;
    private IStorage? second;

    private protected override TimeProvider Time => TimeProvider.System;

    private protected override async Task<(IStorage A, IStorage B)> OpenAsync()
    {
        var connection = await server.CreateDatabaseAsync();
        first = await OpenAsync(connection);
        second = await OpenAsync(connection);
        return (first, second);
    }

    // The server's own clock: what is in the table is moved back instead.
    private protected override Task PassAsync(TimeSpan passing) => first!.WriteAsync( // Opened before every test.
        session => session.Execute(
            "UPDATE keyvalue_head SET compacted_at = compacted_at - $1, swept_at = swept_at - $1",
            (long)passing.TotalMilliseconds)
            + session.Execute(
                "UPDATE keyvalue_leases SET expires_at = expires_at - $1 WHERE ttl > 0",
                (long)passing.TotalMilliseconds),
        default);

    public override async ValueTask DisposeAsync()
    {
        if (first is not null) await first.DisposeAsync();
        if (second is not null) await second.DisposeAsync();
    }

    private static async Task<IStorage> OpenAsync(string connection) => await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = connection }, TimeProvider.System, NullLoggerFactory.Instance,
        default);
}
