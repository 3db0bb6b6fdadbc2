using System.Diagnostics;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Storage.Sqlite;

/// <summary>
/// A disk that is full: refused by name, nothing half written, reads go on, and it recovers by itself.
/// </summary>
public sealed class FullDiskTests : IDisposable
{
    private const string CreateRows = "CREATE TABLE sample_rows (position {id} PRIMARY KEY, filler {blob})";

    private readonly TemporaryDirectory directory = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_database_at_its_page_limit_refuses_and_keeps_reading()
    {
        await using var storage = await OpenAsync(directory.Combine("store.db"), maxPages: 100);
        var written = await FillAsync(storage);
        await CheckFullAsync(storage, written);
        // Space comes back within the file, too.
        await storage.WriteAsync(session => session.Execute("DELETE FROM sample_rows WHERE position > 5"), Cancel);
        await InsertAsync(storage, 6);
        Assert.Equal(6, await CountAsync(storage));
    }

    [Fact]
    public async Task A_full_file_system_refuses_and_recovers_when_there_is_room_again()
    {
        var place = directory.Combine("small");
        Directory.CreateDirectory(place);
        await MountAsync(place);
        try
        {
            var ballast = Path.Combine(place, "ballast");
            await File.WriteAllBytesAsync(ballast, new byte[2 << 20], Cancel);
            var path = Path.Combine(place, "store.db");
            await using (var storage = await OpenAsync(path, maxPages: 0))
            {
                var written = await FillAsync(storage);
                await CheckFullAsync(storage, written);
                File.Delete(ballast);
                await InsertAsync(storage, written + 1);
                Assert.Equal(written + 1, await CountAsync(storage));

                // Full to the last byte, with many writers at once.
                written = await FillAsync(storage);
                var writes = Enumerable.Range(written + 1, 50).Select(position => InsertAsync(storage, position))
                    .ToArray();
                foreach (var write in writes)
                {
                    var refused = await Assert.ThrowsAsync<StorageException>(() => write);
                    Assert.Equal(ErrorCodes.StorageFull, refused.Fault.Error);
                }

                Assert.Equal(written, await CountAsync(storage));
            }

            await using var again = await OpenAsync(path, maxPages: 0);
            Assert.Equal("ok", await again.ReadAsync(
                session => session.One("PRAGMA integrity_check", row => row.Text(0)), Cancel));
        }
        finally
        {
            await RunAsync("umount", "-l", place);
        }
    }

    private static async Task<SqliteStorage> OpenAsync(string path, int maxPages)
    {
        var storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = path, MaxPages = maxPages, CheckpointPages = 64 },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            Cancel);
        await storage.MigrateAsync([new("sample", 1, CreateRows)], Cancel);
        return storage;
    }

    private static Task<int> InsertAsync(SqliteStorage storage, int position) => storage.WriteAsync(
        session => session.Execute(
            "INSERT INTO sample_rows (position, filler) VALUES ($1, $2)", position, new byte[10_000]),
        Cancel);

    private static Task<long> CountAsync(SqliteStorage storage) => storage.ReadAsync(
        session => session.One("SELECT count(*) FROM sample_rows", row => row.Int64(0)), Cancel);

    /// <summary>
    /// Writes rows until they are refused again and again (after the first refusal a checkpoint may make room in the
    /// log), and returns how many there are.
    /// </summary>
    private static async Task<int> FillAsync(SqliteStorage storage)
    {
        var written = (int)await CountAsync(storage);
        for (var refusals = 0; refusals < 3;)
        {
            try
            {
                await InsertAsync(storage, written + 1);
                written++;
                refusals = 0;
            }
            catch (StorageException refused)
            {
                Assert.Equal(ErrorCodes.StorageFull, refused.Fault.Error);
                refusals++;
            }
        }

        return written;
    }

    private static async Task CheckFullAsync(SqliteStorage storage, int written)
    {
        Assert.InRange(written, 10, 1_000);
        for (var i = 0; i < 5; i++)
        {
            var refused = await Assert.ThrowsAsync<StorageException>(() => InsertAsync(storage, written + 1));
            Assert.Equal(ErrorCodes.StorageFull, refused.Fault.Error);
            Assert.Equal(written, await CountAsync(storage));
        }
    }

    private static async Task MountAsync(string place)
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
            Assert.Skip("Mounting a small file system takes root on Linux.");
        if (await RunAsync("mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", place) != 0)
            Tools.Unavailable("tmpfs cannot be mounted here");
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(Cancel);
        return process.ExitCode;
    }
}
