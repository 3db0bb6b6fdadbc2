using Groundwork.Kernel.Storage;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Storage;

/// <summary>What every engine promises; one class per engine runs it.</summary>
public abstract class StorageContract : IAsyncLifetime
{
    protected static readonly Migration[] Migrations =
    [
        new("sample", 1, "CREATE TABLE sample_rows (name {key} PRIMARY KEY, number BIGINT, content {blob}, note TEXT)"),
        new("sample", 2,
            "CREATE TABLE sample_log (position {id} PRIMARY KEY, writer BIGINT NOT NULL, item BIGINT NOT NULL)"),
    ];

    protected IStorage Storage { get; private set; } = null!; // Set by InitializeAsync, which runs first.

    protected CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Opens the test's own store, or opens it again.</summary>
    protected abstract Task<IStorage> OpenAsync();

    public virtual async ValueTask InitializeAsync()
    {
        Storage = await OpenAsync();
        await Storage.MigrateAsync(Migrations, Cancel);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Storage.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task ReopenAsync()
    {
        await Storage.DisposeAsync();
        Storage = await OpenAsync();
    }

    protected static int Insert(ISqlSession session, string name, long number = 0) => session.Execute(
        "INSERT INTO sample_rows (name, number) VALUES ($1, $2)", name, number);

    protected Task<List<string>> NamesAsync() => Storage.ReadAsync(
        session => session.List("SELECT name FROM sample_rows ORDER BY name", row => row.Text(0)), Cancel);

    [Fact]
    public async Task A_write_is_read_back_after_the_store_is_opened_again()
    {
        await Storage.WriteAsync(session => Insert(session, "kept"), Cancel);
        await ReopenAsync();
        Assert.Equal(["kept"], await NamesAsync());
    }

    [Fact]
    public async Task Every_kind_of_value_comes_back_as_it_went()
    {
        byte[] content = [0, 1, 255, 0];
        var id = Guid.CreateVersion7(DateTimeOffset.UnixEpoch);
        await Storage.WriteAsync(
            session =>
            {
                const string Sql = "INSERT INTO sample_rows (name, number, content, note) VALUES ($1, $2, $3, $4)";
                session.Execute(Sql, "full", long.MinValue, content, "žluť 漢字 🚀 'quoted' $1");
                session.Enqueue(Sql, "empty", long.MaxValue, Array.Empty<byte>(), "");
                session.Enqueue(Sql, "null", (long?)null, (byte[]?)null, (string?)null);
                session.Enqueue(
                    Sql, "slice", true, (ReadOnlyMemory<byte>)content.AsMemory(1, 2), new string('x', 5_000));
                return session.Execute(Sql, "id", DateTimeOffset.UnixEpoch.AddMilliseconds(7), id, "t");
            },
            Cancel);
        await Storage.ReadAsync(
            session =>
            {
                var rows = session.List(
                    "SELECT name, number, content, note FROM sample_rows ORDER BY name",
                    row => (row.Text(0), row.Int64OrNull(1), row.BlobOrNull(2), row.TextOrNull(3), row.TypeOf(2)));
                Assert.Equal(["empty", "full", "id", "null", "slice"], rows.Select(row => row.Item1));
                Assert.Equal((long.MaxValue, "", SqlType.Blob), (rows[0].Item2!.Value, rows[0].Item4!, rows[0].Item5));
                Assert.Equal([], rows[0].Item3!);
                Assert.Equal((long.MinValue, "žluť 漢字 🚀 'quoted' $1"), (rows[1].Item2!.Value, rows[1].Item4!));
                Assert.Equal(content, rows[1].Item3!);
                Assert.Equal((7L, id), (rows[2].Item2!.Value, new Guid(rows[2].Item3!, bigEndian: true)));
                Assert.Equal(
                    (null, null, null, SqlType.Null), (rows[3].Item2, rows[3].Item3, rows[3].Item4, rows[3].Item5));
                Assert.Equal([1, 255], rows[4].Item3!);
                Assert.Equal(1, rows[4].Item2);
                return 0;
            },
            Cancel);
    }

    [Fact]
    public async Task Parameters_go_by_their_number_not_by_their_place()
    {
        await Storage.WriteAsync(
            session => session.Execute(
                "INSERT INTO sample_rows (note, number, name) VALUES ($3, $2, $1)", "name", 2, "note"),
            Cancel);
        var found = await Storage.ReadAsync(
            session => session.One(
                "SELECT note FROM sample_rows WHERE name = $1 AND (number = $2 OR number = $2 + 1)",
                row => row.Text(0),
                "name",
                2),
            Cancel);
        Assert.Equal("note", found);
    }

    [Fact]
    public async Task Counts_and_comparisons_are_whole_numbers()
    {
        await Storage.WriteAsync(session => Insert(session, "a", 4) + Insert(session, "b", 5), Cancel);
        var numbers = await Storage.ReadAsync(
            session => session.One(
                "SELECT count(*), sum(number), max(number), sum(number) > 3, 1 FROM sample_rows",
                row => (row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4))),
            Cancel);
        Assert.Equal((2, 9, 5, 1, 1), numbers);
    }

    [Fact]
    public async Task Execute_tells_how_many_rows_it_changed()
    {
        var counts = await Storage.WriteAsync(
            session => (
                Insert(session, "a") + Insert(session, "b"),
                session.Execute("UPDATE sample_rows SET number = 1"),
                session.Execute("INSERT INTO sample_rows (name) VALUES ('a') ON CONFLICT (name) DO NOTHING"),
                session.Execute("DELETE FROM sample_rows WHERE name = $1", "a")),
            Cancel);
        Assert.Equal((2, 2, 0, 1), counts);
    }

    [Fact]
    public async Task Returning_gives_the_rows_that_were_written()
    {
        var number = await Storage.WriteAsync(
            session => session.One(
                """
                INSERT INTO sample_rows (name, number) VALUES ('a', 1)
                ON CONFLICT (name) DO UPDATE SET number = sample_rows.number + 1 RETURNING number
                """,
                row => row.Int64(0)),
            Cancel);
        Assert.Equal(1, number);
        Assert.Equal(["a"], await NamesAsync());
    }

    [Fact]
    public async Task A_write_that_throws_fails_alone()
    {
        var writes = Enumerable.Range(0, 100).Select(number => Storage.WriteAsync(
            session =>
            {
                Insert(session, $"row-{number:000}");
                return number % 10 == 3 ? throw new InvalidOperationException($"planted {number}") : number;
            },
            Cancel)).ToArray();
        var failed = new List<int>();
        for (var i = 0; i < writes.Length; i++)
        {
            try
            {
                Assert.Equal(i, await writes[i]);
            }
            catch (InvalidOperationException planted)
            {
                Assert.Equal($"planted {i}", planted.Message);
                failed.Add(i);
            }
        }

        Assert.Equal(Enumerable.Range(0, 10).Select(ten => ten * 10 + 3), failed);
        Assert.Equal(90, (await NamesAsync()).Count);
    }

    [Fact]
    public async Task A_refused_statement_fails_its_write_alone_also_when_the_write_swallows_it()
    {
        var writes = Enumerable.Range(0, 40).Select(number => Storage.WriteAsync(
            session =>
            {
                Insert(session, $"first-{number:00}");
                if (number % 4 == 1) Insert(session, $"first-{number:00}");
                if (number % 4 == 2)
                    session.Enqueue("INSERT INTO sample_rows (name) VALUES ($1)", $"first-{number:00}");
                if (number % 4 == 3) Swallow(() => Insert(session, $"first-{number:00}"));
                return number;
            },
            Cancel)).ToArray();
        for (var i = 0; i < writes.Length; i++)
        {
            if (i % 4 == 0) Assert.Equal(i, await writes[i]);
            else Assert.True((await Assert.ThrowsAsync<StatementException>(() => writes[i])).IsConstraint);
        }

        Assert.Equal(10, (await NamesAsync()).Count);
    }

    [Fact]
    public async Task After_a_refused_statement_the_session_takes_no_more()
    {
        Exception? second = null;
        var write = Storage.WriteAsync(
            session =>
            {
                Swallow(() => session.Execute("INSERT INTO sample_rows (name) VALUES (NULL), ('a'), ('a')"));
                second = Swallow(() => Insert(session, "b"));
                return 0;
            },
            Cancel);
        await Assert.ThrowsAsync<StatementException>(() => write);
        Assert.IsType<StatementException>(second);
        Assert.Empty(await NamesAsync());
    }

    [Fact]
    public async Task A_group_scoped_write_that_throws_before_a_change_fails_alone()
    {
        var runs = 0;
        var writes = Enumerable.Range(0, 60).Select(number => Storage.WriteAsync(
            session =>
            {
                Interlocked.Increment(ref runs);
                session.One("SELECT count(*) FROM sample_rows", row => row.Int64(0));
                if (number % 3 == 0) throw new InvalidOperationException("planted");
                session.Enqueue("INSERT INTO sample_rows (name) VALUES ($1)", $"row-{number:00}");
                return number;
            },
            Cancel,
            WriteScope.Group)).ToArray();
        for (var i = 0; i < writes.Length; i++)
        {
            if (i % 3 == 0) await Assert.ThrowsAsync<InvalidOperationException>(() => writes[i]);
            else Assert.Equal(i, await writes[i]);
        }

        Assert.Equal(40, (await NamesAsync()).Count);
        Assert.Equal(60, runs);
    }

    [Fact]
    public async Task A_group_scoped_write_that_throws_after_a_change_still_fails_alone()
    {
        var writes = Enumerable.Range(0, 60).Select(number => Storage.WriteAsync(
            session =>
            {
                session.Enqueue(
                    "INSERT INTO sample_rows (name) VALUES ($1)", $"row-{(number % 3 == 1 ? 1 : number):00}");
                return number % 3 == 0 ? throw new InvalidOperationException("planted") : number;
            },
            Cancel,
            WriteScope.Group)).ToArray();
        for (var i = 0; i < writes.Length; i++)
        {
            if (i % 3 == 0) await Assert.ThrowsAsync<InvalidOperationException>(() => writes[i]);
            else if (i % 3 == 1 && i > 1) await Assert.ThrowsAsync<StatementException>(() => writes[i]);
            else Assert.Equal(i, await writes[i]);
        }

        Assert.Equal(21, (await NamesAsync()).Count);
    }

    [Fact]
    public async Task Readers_beside_writers_see_whole_transactions_only()
    {
        await Storage.WriteAsync(session => Insert(session, "left", 1_000) + Insert(session, "right", 1_000), Cancel);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(
            async () =>
            {
                var seen = 0;
                while (!done.IsCancellationRequested || seen == 0)
                {
                    var sum = await Storage.ReadAsync(
                        session =>
                            session.One("SELECT number FROM sample_rows WHERE name = 'left'", row => row.Int64(0))
                            + session.One("SELECT number FROM sample_rows WHERE name = 'right'", row => row.Int64(0)),
                        Cancel);
                    Assert.Equal(2_000, sum);
                    seen++;
                }

                return seen;
            },
            Cancel)).ToArray();
        var writers = Enumerable.Range(0, 4).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 50; i++)
                {
                    await Storage.WriteAsync(
                        session =>
                        {
                            session.Enqueue("UPDATE sample_rows SET number = number - 1 WHERE name = 'left'");
                            return session.Execute("UPDATE sample_rows SET number = number + 1 WHERE name = 'right'");
                        },
                        Cancel);
                }
            },
            Cancel));
        await Task.WhenAll(writers);
        await done.CancelAsync();
        Assert.All(await Task.WhenAll(readers), seen => Assert.True(seen > 0));
        var left = await Storage.ReadAsync(
            session => session.One("SELECT number FROM sample_rows WHERE name = 'left'", row => row.Int64(0)), Cancel);
        Assert.Equal(800, left);
    }

    [Fact]
    public async Task A_write_is_seen_by_every_read_that_starts_after_its_answer()
    {
        for (var i = 0; i < 50; i++)
        {
            var name = $"row-{i:00}";
            await Storage.WriteAsync(session => Insert(session, name), Cancel);
            Assert.Contains(name, await NamesAsync());
        }
    }

    [Fact]
    public async Task A_reader_cannot_write()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => Storage.ReadAsync(session => Insert(session, "sly"), Cancel));
        Assert.Empty(await NamesAsync());
        await Storage.WriteAsync(session => Insert(session, "allowed"), Cancel);
        Assert.Equal(["allowed"], await NamesAsync());
    }

    [Fact]
    public async Task A_session_that_reads_rows_takes_no_other_statement()
    {
        await Storage.WriteAsync(session => Insert(session, "a"), Cancel);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Storage.ReadAsync(
            session => session.List(
                "SELECT name FROM sample_rows", row =>
                    session.One("SELECT count(*) FROM sample_rows", all => all.Int64(0))),
            Cancel));
        Assert.Equal(["a"], await NamesAsync());
    }

    [Theory]
    [InlineData('\0')]
    [InlineData('\ud800')] // The first half of a pair.
    public async Task Text_that_only_one_engine_takes_is_refused_by_both(char character)
    {
        var text = $"before{character}after";
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Storage.WriteAsync(session => Insert(session, text), Cancel));
        Assert.Empty(await NamesAsync());
        await Storage.WriteAsync(session => Insert(session, "good"), Cancel);
    }

    [Fact]
    public async Task Keys_compare_bytewise()
    {
        string[] names = ["b", "B", "a", "A", "a-b", "a/b", "ab", "é", "漢"];
        await Storage.WriteAsync(session => names.Sum(name => Insert(session, name)), Cancel);
        Assert.Equal(names.Order(StringComparer.Ordinal), await NamesAsync());
    }

    [Fact]
    public async Task A_withdrawn_write_never_runs()
    {
        using var held = new HeldDelegate();
        var first = Storage.WriteAsync(
            session =>
            {
                held.Hold();
                return Insert(session, "first");
            },
            Cancel);
        held.WaitUntilHeld(Cancel);
        using var withdrawal = new CancellationTokenSource();
        var second = Storage.WriteAsync(session => Insert(session, "second"), withdrawal.Token);
        await withdrawal.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        held.Release();
        await first;
        await Storage.WriteAsync(session => Insert(session, "third"), Cancel);
        Assert.Equal(["first", "third"], await NamesAsync());
    }

    [Fact]
    public async Task The_queue_is_bounded_and_says_so()
    {
        using var held = new HeldDelegate();
        var first = Storage.WriteAsync(
            session =>
            {
                held.Hold();
                return 0;
            },
            Cancel);
        held.WaitUntilHeld(Cancel);
        var waiting = Enumerable.Range(0, StorageLimits.MaxWaitingWrites)
            .Select(number => Storage.WriteAsync(_ => number, Cancel, WriteScope.Group)).ToArray();
        var refused = await Assert.ThrowsAsync<StorageException>(() => Storage.WriteAsync(_ => 0, Cancel));
        Assert.Equal(ErrorCodes.WriteQueueFull, refused.Fault.Error);
        Assert.NotNull(refused.Fault.RetryAfter);
        held.Release();
        await first;
        Assert.Equal(Enumerable.Range(0, waiting.Length), await Task.WhenAll(waiting));
    }

    [Fact]
    public async Task Continuations_do_not_run_on_the_writers_thread()
    {
        var writerThread = await Storage.WriteAsync(
            session => Insert(session, "a") == 1 ? Thread.CurrentThread : null, Cancel);
        Assert.NotSame(writerThread, Thread.CurrentThread);
        await Storage.WriteAsync(session => Insert(session, "b"), Cancel).ContinueWith(
            _ => Assert.NotSame(writerThread, Thread.CurrentThread),
            Cancel,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    [Fact]
    public async Task Writes_that_wait_when_the_store_closes_are_still_written()
    {
        var writes = Enumerable.Range(0, 50)
            .Select(number => Storage.WriteAsync(session => Insert(session, $"row-{number:00}"), Cancel)).ToArray();
        await Storage.DisposeAsync();
        await Task.WhenAll(writes);
        var late = await Assert.ThrowsAsync<StorageException>(() => Storage.WriteAsync(_ => 0, Cancel));
        Assert.Equal(ErrorCodes.StorageUnavailable, late.Fault.Error);
        await ReopenAsync();
        Assert.Equal(50, (await NamesAsync()).Count);
    }

    [Fact]
    public async Task The_clock_is_within_a_minute_of_ours_and_does_not_stand_still()
    {
        var first = await Storage.ReadAsync(session => session.ReadClock(), Cancel);
        Assert.InRange(first, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 60_000, long.MaxValue);
        await Eventually.TrueAsync(
            () => Storage.WriteAsync(session => session.ReadClock() > first, Cancel), "the clock has gone on");
    }

    protected static Exception? Swallow(Action action)
    {
        try
        {
            action();
            return null;
        }
#pragma warning disable CA1031 // Planted: a module that swallows what it should not.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return exception;
        }
    }
}
