using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Storage.Sqlite;

/// <summary>The contract on SQLite, with the library that the process chose, and what only SQLite promises.</summary>
public class SqliteStorageTests : BackupContract
{
    private readonly TemporaryDirectory directory = new();

    private SqliteOptions Options => new() { Path = directory.Combine("store.db") };

    protected override async Task<IStorage> OpenAsync() =>
        await SqliteStorage.OpenAsync(Options, TimeProvider.System, NullLoggerFactory.Instance, Cancel);

    protected override async Task<IStorage> OpenEmptyAsync() => await SqliteStorage.OpenAsync(
        new SqliteOptions { Path = directory.Combine(
            "empty.db") }, TimeProvider.System, NullLoggerFactory.Instance, Cancel);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void The_writer_syncs_fully_and_checkpoints_by_itself()
    {
        var settings = ((SqliteStorage)Storage).WriterSettings;
        Assert.Equal(new SqliteWriterSettings("wal", "2", "0"), settings);
    }

    [Fact]
    public void The_library_is_the_one_asked_for()
    {
        var wanted = Environment.GetEnvironmentVariable(SqliteLibrary.Variable);
        if (wanted is null) Assert.StartsWith("sqlite 3.", Storage.Engine, StringComparison.Ordinal);
        else Assert.EndsWith($"({wanted})", Storage.Engine, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_and_its_log_are_for_the_owner_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no modes.");
            return;
        }

        foreach (var suffix in new[] { "", "-wal", "-shm" })
        {
            var mode = File.GetUnixFileMode(directory.Combine("store.db") + suffix);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode);
        }
    }

    [Fact]
    public async Task The_log_starts_over_once_it_is_large()
    {
        await using var small = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = directory.Combine("small.db"), CheckpointPages = 20, RestartPages = 200 },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            Cancel);
        await small.MigrateAsync(Migrations, Cancel);
        for (var i = 0; i < 500; i++) await small.WriteAsync(session => Insert(session, $"row-{i}"), Cancel);
        Assert.True(small.PagesWritten > 500);
        Assert.InRange(new FileInfo(directory.Combine("small.db-wal")).Length, 1, 60 * 4_120);
    }

    [Fact]
    public async Task A_reader_that_stays_does_not_let_the_log_grow_for_ever_once_it_goes()
    {
        await using var small = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = directory.Combine("small.db"), CheckpointPages = 20, RestartPages = 40 },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            Cancel);
        await small.MigrateAsync(Migrations, Cancel);
        using var held = new HeldDelegate();
        var stays = small.ReadAsync(
            session =>
            {
                var before = session.One("SELECT count(*) FROM sample_rows", row => row.Int64(0));
                held.Hold();
                return (before, session.One("SELECT count(*) FROM sample_rows", row => row.Int64(0)));
            },
            Cancel);
        held.WaitUntilHeld(Cancel);
        for (var i = 0; i < 200; i++) await small.WriteAsync(session => Insert(session, $"row-{i}"), Cancel);
        var grown = new FileInfo(directory.Combine("small.db-wal")).Length;
        Assert.True(grown > 200 * 4_120, $"{grown}");
        held.Release();
        Assert.Equal((0, 0), await stays);
        for (var i = 0; i < 500; i++) await small.WriteAsync(session => Insert(session, $"more-{i}"), Cancel);
        Assert.InRange(new FileInfo(directory.Combine("small.db-wal")).Length, grown, grown + 60 * 4_120);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused()
    {
        var path = directory.Write("not.db", new string('x', 10_000));
        var refused = await Assert.ThrowsAsync<StorageException>(() => SqliteStorage.OpenAsync(
            new SqliteOptions { Path = path }, TimeProvider.System, NullLoggerFactory.Instance, Cancel));
        Assert.Equal(ErrorCodes.StorageDamaged, refused.Fault.Error);
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_refused()
    {
        await Assert.ThrowsAnyAsync<IOException>(() => SqliteStorage.OpenAsync(
            new SqliteOptions { Path = directory.Combine("no", "store.db") },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            Cancel));
    }
}
