using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Backup;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Storage;

/// <summary>Backup and restore, from each engine and into each.</summary>
public abstract class BackupContract : WriteGroupContract
{
    private static readonly Guid StoreId = Guid.CreateVersion7(DateTimeOffset.UnixEpoch);

    private readonly TemporaryDirectory place = new();

    private string ArchivePath => place.Combine("backup");

    /// <summary>Opens an empty store of the engine under test.</summary>
    protected abstract Task<IStorage> OpenEmptyAsync();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        place.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_backup_is_restored_row_for_row_on_the_same_engine() =>
        await RoundTripAsync(await OpenEmptyAsync());

    [Fact]
    public async Task A_backup_is_restored_row_for_row_on_sqlite() =>
        await RoundTripAsync(await OpenSqliteAsync("other.db"));

    [Fact]
    public async Task A_backup_of_sqlite_is_restored_row_for_row_here()
    {
        await using var sqlite = await OpenSqliteAsync("source.db");
        await sqlite.MigrateAsync(Migrations, Cancel);
        await FillAsync(sqlite);
        await BackUpAsync(sqlite);
        await using var target = await OpenEmptyAsync();
        await RestoreAsync(target, force: false);
        Assert.Equal(await ContentAsync(sqlite), await ContentAsync(target));
    }

    [Fact]
    public async Task A_backup_under_write_load_is_one_state()
    {
        await using var load = new StoppedAtEnd(new CountedLoad(Storage, writers: 8));
        await load.Load.WaitForMoreAsync(100);
        var (_, revision) = (0, 0L);
        var manifest = await BackUpAsync(Storage, slowly: true);
        await load.Load.WaitForMoreAsync(100);
        revision = manifest.Revision;
        await load.Load.StopAsync();
        await using var restored = await OpenEmptyAsync();
        await RestoreAsync(restored, force: false);
        var positions = await restored.ReadAsync(
            session => session.List("SELECT position FROM sample_log ORDER BY position", row => row.Int64(0)), Cancel);
        Assert.True(revision >= 100);
        Assert.Equal(Enumerable.Range(1, (int)revision).Select(number => (long)number), positions);
    }

    [Fact]
    public async Task The_manifest_says_what_is_in_it_and_that_the_root_key_is_not()
    {
        await FillAsync(Storage);
        var reports = new List<BackupProgress>();
        var written = await BackUpAsync(Storage, progress: new Recorder(reports));
        await using var archive = File.OpenRead(ArchivePath);
        var manifest = (await BackupArchive.VerifyAsync(archive, Cancel)).Value;
        Assert.Equal((1, StoreId, Storage.Engine), (manifest.Format, manifest.StoreId, manifest.Engine));
        Assert.Equal(written.Created, manifest.Created);
        Assert.Contains("root key is not in this file", manifest.RootKey, StringComparison.Ordinal);
        Assert.Equal(2, manifest.Migrations["sample"]);
        Assert.Equal(["sample_log", "sample_rows"], manifest.Tables.Select(table => table.Name));
        Assert.Equal([40L, 1_203L], manifest.Tables.Select(table => table.Rows));
        Assert.Equal(1_243, reports[^1].Rows);
    }

    [Fact]
    public async Task A_byte_flipped_anywhere_is_found_and_nothing_is_changed()
    {
        await Storage.WriteAsync(session => Insert(session, "in the backup"), Cancel);
        await BackUpAsync(Storage);
        var sound = await File.ReadAllBytesAsync(ArchivePath, Cancel);
        await using var target = await OpenEmptyAsync();
        await target.MigrateAsync(Migrations, Cancel);
        await target.WriteAsync(session => Insert(session, "in place"), Cancel);
        var before = await ContentAsync(target);
        for (var offset = 0; offset < sound.Length; offset++)
        {
            var damaged = sound.ToArray();
            damaged[offset] ^= (byte)(1 << (offset % 8));
            using var stream = new MemoryStream(damaged);
            var outcome = await BackupArchive.RestoreAsync(stream, target, Migrations, force: true, null, null, Cancel);
            Assert.Equal(ErrorCodes.BackupInvalid, outcome.Fault?.Error);
        }

        for (var length = 0; length < sound.Length; length += 7)
        {
            using var stream = new MemoryStream(sound[..length]);
            var outcome = await BackupArchive.RestoreAsync(stream, target, Migrations, force: true, null, null, Cancel);
            Assert.Equal(ErrorCodes.BackupInvalid, outcome.Fault?.Error);
        }

        Assert.Equal(before, await ContentAsync(target));
    }

    [Fact]
    public async Task A_store_with_content_is_replaced_only_by_force()
    {
        await FillAsync(Storage);
        await BackUpAsync(Storage);
        await using var target = await OpenEmptyAsync();
        await target.MigrateAsync([.. Migrations, new("later", 1, "CREATE TABLE later_rows (a BIGINT)")], Cancel);
        await target.WriteAsync(session => Insert(session, "in place"), Cancel);
        var before = await ContentAsync(target);
        await using (var archive = File.OpenRead(ArchivePath))
        {
            var refused = await BackupArchive.RestoreAsync(
                archive, target, Migrations, force: false, null, null, Cancel);
            Assert.Equal(ErrorCodes.RestoreNotEmpty, refused.Fault?.Error);
        }

        Assert.Equal(before, await ContentAsync(target));
        await RestoreAsync(target, force: true);
        Assert.Equal(await ContentAsync(Storage), await ContentAsync(target));
    }

    [Fact]
    public async Task A_restore_that_fails_half_way_leaves_what_was_there()
    {
        await FillAsync(Storage);
        await BackUpAsync(Storage);
        await using var target = await OpenEmptyAsync();
        await target.MigrateAsync(Migrations, Cancel);
        await target.WriteAsync(session => Insert(session, "in place"), Cancel);
        var before = await ContentAsync(target);
        await using var archive = File.OpenRead(ArchivePath);
        await Assert.ThrowsAsync<InvalidOperationException>(() => BackupArchive.RestoreAsync(
            archive, target, Migrations, force: true, (_, _) =>
                throw new InvalidOperationException("planted"), null, Cancel));
        Assert.Equal(before, await ContentAsync(target));
    }

    [Fact]
    public async Task A_backup_of_a_newer_schema_is_refused()
    {
        await BackUpAsync(Storage);
        await using var target = await OpenEmptyAsync();
        await using var archive = File.OpenRead(ArchivePath);
        var refused = await BackupArchive.RestoreAsync(
            archive, target, [Migrations[0]], force: false, null, null, Cancel);
        Assert.Equal(ErrorCodes.SchemaNewer, refused.Fault?.Error);
    }

    [Fact]
    public async Task A_backup_of_an_older_schema_is_restored_and_then_migrated()
    {
        await FillAsync(Storage);
        await BackUpAsync(Storage);
        Migration[] newer =
            [.. Migrations, new("sample", 3, "ALTER TABLE sample_rows ADD COLUMN extra BIGINT DEFAULT 7")];
        await using var target = await OpenEmptyAsync();
        await target.MigrateAsync(newer, Cancel);
        await using (var archive = File.OpenRead(ArchivePath))
            Assert.True((await BackupArchive.RestoreAsync(archive, target, newer, false, null, null, Cancel))
                .Succeeded);
        await target.MigrateAsync(newer, Cancel);
        var sevens = await target.ReadAsync(
            session => session.One("SELECT count(*) FROM sample_rows WHERE extra = 7", row => row.Int64(0)), Cancel);
        Assert.Equal(1_203, sevens);
    }

    [Fact]
    public async Task A_receiver_that_goes_away_ends_the_backup()
    {
        await FillAsync(Storage);
        await Assert.ThrowsAsync<IOException>(() => BackupArchive.WriteAsync(
            Storage, new BrokenStream(), Identify, TimeProvider.System, null, Cancel));
        await BackUpAsync(Storage);
    }

    private async Task RoundTripAsync(IStorage target)
    {
        await using var _ = target;
        await FillAsync(Storage);
        await BackUpAsync(Storage);
        var adjusted = false;
        await using var archive = File.OpenRead(ArchivePath);
        var outcome = await BackupArchive.RestoreAsync(
            archive, target, Migrations, force: false, (_, manifest) =>
                adjusted = manifest.StoreId == StoreId, null, Cancel);
        Assert.True(outcome.Succeeded, outcome.ToString());
        Assert.True(adjusted);
        Assert.Equal(await ContentAsync(Storage), await ContentAsync(target));
        await target.MigrateAsync(Migrations, Cancel);
        await target.WriteAsync(session => Insert(session, "after"), Cancel);
    }

    private async Task FillAsync(IStorage storage) => await storage.WriteAsync(
        session =>
        {
            const string Sql = "INSERT INTO sample_rows (name, number, content, note) VALUES ($1, $2, $3, $4)";
            for (var i = 0; i < 1_200; i++)
                session.Enqueue(Sql, $"row-{i:0000}", i - 600, new byte[i % 300], $"note {i} 漢字 🚀");
            session.Enqueue(Sql, "nulls", (long?)null, (byte[]?)null, (string?)null);
            session.Enqueue(Sql, "empty", long.MinValue, Array.Empty<byte>(), "");
            session.Enqueue(Sql, "large", long.MaxValue, new byte[1 << 20], new string('é', 1 << 19));
            for (var i = 1; i <= 40; i++)
                session.Enqueue("INSERT INTO sample_log (position, writer, item) VALUES ($1, $2, $3)", i, i % 3, i);
            return 0;
        },
        Cancel);

    private Task<string> ContentAsync(IStorage storage) => storage.ReadAsync(
        session => string.Join('\n', session.List(
            "SELECT name, number, content, note FROM sample_rows ORDER BY name",
            row => $"{row.Text(0)}|{row.Int64OrNull(1)}|{Hash(row.BlobOrNull(2))}|{row.TextOrNull(3) ?? "null"}"))
            + string.Join('\n', session.List(
                "SELECT position, writer, item FROM sample_log ORDER BY position",
                row => $"{row.Int64(0)}|{row.Int64(1)}|{row.Int64(2)}")),
        Cancel);

    private static string Hash(byte[]? bytes) =>
        bytes is null ? "null" : Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes));

    private static (Guid StoreId, long Revision) Identify(ISqlSession session) => (
        StoreId, session.One("SELECT coalesce(max(position), 0) FROM sample_log", row => row.Int64(0)));

    private async Task<BackupManifest> BackUpAsync(
        IStorage storage, bool slowly = false, IProgress<BackupProgress>? progress = null)
    {
        await using var file = File.Create(ArchivePath);
        await using Stream output = slowly ? new SlowStream(file) : file;
        return await BackupArchive.WriteAsync(storage, output, Identify, TimeProvider.System, progress, Cancel);
    }

    private async Task RestoreAsync(IStorage target, bool force)
    {
        await using var archive = File.OpenRead(ArchivePath);
        var outcome = await BackupArchive.RestoreAsync(archive, target, Migrations, force, null, null, Cancel);
        Assert.True(outcome.Succeeded, outcome.ToString());
    }

    private async Task<IStorage> OpenSqliteAsync(string name) => await SqliteStorage.OpenAsync(
        new SqliteOptions { Path = place.Combine(name) }, TimeProvider.System, NullLoggerFactory.Instance, Cancel);

    private sealed class Recorder(List<BackupProgress> reports) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => reports.Add(value);
    }

    private sealed class StoppedAtEnd(CountedLoad load) : IAsyncDisposable
    {
        public CountedLoad Load => load;

        public async ValueTask DisposeAsync() => await load.StopAsync();
    }

    /// <summary>Lets other work in between two pieces, as a connection would.</summary>
    private sealed class SlowStream(Stream inner) : PassThroughStream(inner)
    {
        public override async ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            await base.WriteAsync(buffer, cancellationToken);
        }
    }

    private sealed class BrokenStream() : PassThroughStream(Null)
    {
        public override ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("planted");
    }

    private class PassThroughStream(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => throw new InvalidOperationException("Synchronous writes are not allowed.");

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) =>
            throw new InvalidOperationException("Synchronous writes are not allowed.");

        public override ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);
    }
}
