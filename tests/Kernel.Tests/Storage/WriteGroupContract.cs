using System.Collections.Concurrent;
using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Tests.Storage;

/// <summary>What the observer of write groups is promised, and migrations.</summary>
public abstract class WriteGroupContract : StorageContract
{
    [Fact]
    public async Task The_observer_sees_each_group_from_begin_to_commit_before_any_answer()
    {
        var observer = new Observer();
        Storage.Attach(observer);
        var answeredTooEarly = 0;
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async number =>
        {
            for (var i = 0; i < 5; i++)
            {
                var group = await Storage.WriteAsync(
                    session =>
                    {
                        Insert(session, $"row-{number}-{i}");
                        return observer.Open;
                    },
                    Cancel,
                    number % 2 == 0 ? WriteScope.Group : WriteScope.Savepoint);
                if (!observer.CommittedGroups.ContainsKey(group)) Interlocked.Increment(ref answeredTooEarly);
            }
        }));
        Assert.Equal(0, answeredTooEarly);
        Assert.Empty(observer.Faults);
        var marks = await Storage.ReadAsync(
            session =>
                session.List(
                    "SELECT position, item FROM sample_log ORDER BY position", row => (row.Int64(0), row.Int64(1))),
            Cancel);
        Assert.Equal(observer.CommittedGroups.Keys.Order(), marks.Select(mark => mark.Item1));
        Assert.Equal(320, marks.Sum(mark => mark.Item2));
    }

    [Fact]
    public async Task The_observer_is_told_when_a_group_is_undone_and_run_again()
    {
        var observer = new Observer();
        Storage.Attach(observer);
        using var held = new HeldDelegate();
        var first = Storage.WriteAsync(
            _ =>
            {
                held.Hold();
                return 0;
            },
            Cancel);
        held.WaitUntilHeld(Cancel);
        var good = Storage.WriteAsync(session => Insert(session, "good"), Cancel, WriteScope.Group);
        var bad = Storage.WriteAsync(
            session =>
            {
                Insert(session, "bad");
                return int.Parse("planted", System.Globalization.CultureInfo.InvariantCulture);
            },
            Cancel,
            WriteScope.Group);
        held.Release();
        await first;
        await good;
        await Assert.ThrowsAsync<FormatException>(() => bad);
        Assert.Equal(1, observer.RolledBackGroups);
        Assert.Equal(2, observer.CommittedGroups.Count);
        Assert.Equal(["good"], await NamesAsync());
    }

    [Theory]
    [InlineData("begin")]
    [InlineData("committing")]
    public async Task An_observer_that_throws_fails_the_group_and_leaves_nothing(string where)
    {
        var observer = new Observer { ThrowIn = where };
        Storage.Attach(observer);
        var planted = await Assert.ThrowsAsync<InvalidOperationException>(
            () => Storage.WriteAsync(session => Insert(session, "a"), Cancel));
        Assert.Equal("planted", planted.Message);
        Assert.Equal(1, observer.RolledBackGroups);
        observer.ThrowIn = "";
        await Storage.WriteAsync(session => Insert(session, "b"), Cancel);
        Assert.Equal(["b"], await NamesAsync());
    }

    [Fact]
    public void A_second_observer_is_refused()
    {
        Storage.Attach(new Observer());
        Assert.Throws<InvalidOperationException>(() => Storage.Attach(new Observer()));
    }

    [Fact]
    public async Task Migrations_run_once_and_in_order()
    {
        Migration[] more =
        [
            .. Migrations,
            new("sample", 3, "ALTER TABLE sample_rows ADD COLUMN extra BIGINT", "UPDATE sample_rows SET extra = 1"),
            new("other", 1, "CREATE TABLE other_pairs (a {key}, b BIGINT, PRIMARY KEY (a, b)) {clustered}"),
            new("other", 2, "CREATE {unlogged} TABLE other_counters (a {key} PRIMARY KEY, n BIGINT)"),
        ];
        await Storage.WriteAsync(session => Insert(session, "a"), Cancel);
        await Storage.MigrateAsync(more, Cancel);
        await Storage.MigrateAsync(more, Cancel);
        await ReopenAsync();
        await Storage.MigrateAsync(more, Cancel);
        var extra = await Storage.ReadAsync(
            session => session.One("SELECT extra FROM sample_rows", row => row.Int64(0)), Cancel);
        Assert.Equal(1, extra);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_of_its_batch()
    {
        Migration[] broken =
        [
            .. Migrations,
            new("sample", 3, "CREATE TABLE sample_more (a BIGINT)"),
            new("sample", 4, "CREATE TABLE sample_more (a BIGINT)"),
        ];
        await Assert.ThrowsAsync<StatementException>(() => Storage.MigrateAsync(broken, Cancel));
        await Storage.MigrateAsync([.. Migrations, new("sample", 3, "CREATE TABLE sample_more (a BIGINT)")], Cancel);
    }

    [Fact]
    public async Task A_database_that_is_newer_than_the_code_is_refused()
    {
        var refused = await Assert.ThrowsAsync<StorageException>(() => Storage.MigrateAsync([Migrations[0]], Cancel));
        Assert.Equal(Wire.ErrorCodes.SchemaNewer, refused.Fault.Error);
        Assert.Contains("sample are at step 2; this version of the platform knows 1", refused.Fault.Detail,
            StringComparison.Ordinal);
        await Storage.WriteAsync(session => Insert(session, "a"), Cancel);
    }

    [Fact]
    public async Task A_module_that_is_not_loaded_does_not_make_a_database_newer()
    {
        await Storage.MigrateAsync([new("another", 1, "CREATE TABLE another_rows (a BIGINT)")], Cancel);
        await ReopenAsync();
        Assert.Null(await Record.ExceptionAsync(() => Storage.MigrateAsync(Migrations, Cancel)));
    }

    [Theory]
    [InlineData(2, 3)]
    [InlineData(1, 3)]
    [InlineData(1, 1)]
    public async Task A_list_of_migrations_with_a_gap_or_a_repeat_is_a_bug(int first, int second) =>
        await Assert.ThrowsAsync<ArgumentException>(() => Storage.MigrateAsync(
            [new("gap", first, "SELECT 1"), new("gap", second, "SELECT 1")], Cancel));

    /// <summary>Writes one row per group, counts its writes, and checks the order of the calls.</summary>
    protected sealed class Observer : IWriteGroupObserver
    {
        private Thread? thread;
        private string last = "";
        private long rowsBefore;

        public string ThrowIn { get; set; } = "";

        public long Open { get; private set; }

        public int RolledBackGroups { get; private set; }

        public ConcurrentDictionary<long, bool> CommittedGroups { get; } = new();

        public ConcurrentQueue<string> Faults { get; } = new();

        public void Begin(ISqlSession session)
        {
            Step("begin", "", "committed", "rolled back");
            Open = session.One("SELECT coalesce(max(position), 0) + 1 FROM sample_log", row => row.Int64(0));
            rowsBefore = Rows(session);
        }

        public void Committing(ISqlSession session)
        {
            Step("committing", "begin");
            session.Enqueue(
                "INSERT INTO sample_log (position, writer, item) VALUES ($1, $2, $3)", Open, 0, Rows(
                    session) - rowsBefore);
        }

        public void Committed()
        {
            Step("committed", "committing");
            CommittedGroups[Open] = true;
        }

        public void RolledBack()
        {
            Step("rolled back", "begin", "committing");
            RolledBackGroups++;
        }

        private static long Rows(ISqlSession session) =>
            session.One("SELECT count(*) FROM sample_rows", row => row.Int64(0));

        private void Step(string now, params string[] after)
        {
            thread ??= Thread.CurrentThread;
            if (thread != Thread.CurrentThread) Faults.Enqueue($"{now} on another thread");
            if (!after.Contains(last, StringComparer.Ordinal)) Faults.Enqueue($"{now} after {last}");
            last = now;
            if (now == ThrowIn) throw new InvalidOperationException("planted");
        }
    }
}
