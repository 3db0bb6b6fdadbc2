using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Storage.Sqlite;

/// <summary>
/// A write-ahead log that a crash cut off, or that a failing disk damaged, before its pages were copied to the
/// database: whatever the place, the store opens with the first so many acknowledged writes, each whole.
/// </summary>
public sealed class DamagedLogTests : IDisposable
{
    private const int Writes = 300;

    private readonly TemporaryDirectory directory = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_log_cut_or_damaged_anywhere_opens_with_a_prefix_of_the_acknowledged_order()
    {
        var (database, log) = await RecordAsync();
        Assert.Equal(Writes, await OpenDamagedAsync(database, log));
        var random = LongRun.Random();
        var lengths = new HashSet<int>();
        for (var round = 0; round < LongRun.Count(usual: 60, whole: 1_000); round++)
            lengths.Add(await OpenDamagedAsync(database, Damage(log, random)));
        Assert.True(
            lengths.Count > 10, $"Only {lengths.Count} different prefixes: the damage was not where the writes are.");
    }

    [Theory]
    [InlineData("0 1 2", true)]
    [InlineData("", true)]
    [InlineData("0 2", false)] // A gap.
    [InlineData("1 2", false)]
    [InlineData("0 1 1", false)]
    public void The_check_knows_a_prefix(string writes, bool isPrefix)
    {
        var rows = writes.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(text => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture))
            .SelectMany(write => Enumerable.Range(0, RowsOf(write)).Select(item => (write, item)));
        Assert.Equal(isPrefix, IsPrefix([.. rows], out _));
    }

    private static int RowsOf(int write) => 1 + write % 3;

    /// <summary>Acknowledged one after another, some of many rows; none of it copied to the database file.</summary>
    private async Task<(byte[] Database, byte[] Log)> RecordAsync()
    {
        var path = directory.Combine("store.db");
        await using var storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = path }, TimeProvider.System, NullLoggerFactory.Instance, Cancel);
        await storage.MigrateAsync(
            [new("sample", 1, "CREATE TABLE sample_log (writer BIGINT, item BIGINT, filler {blob})")], Cancel);
        for (var write = 0; write < Writes; write++)
        {
            var number = write;
            await storage.WriteAsync(
                session =>
                {
                    for (var item = 0; item < RowsOf(number); item++)
                    {
                        session.Execute(
                            "INSERT INTO sample_log (writer, item, filler) VALUES ($1, $2, $3)",
                            number,
                            item,
                            new byte[number * 37 % 5_000]);
                    }

                    return 0;
                },
                Cancel);
        }

        return (await ReadSharedAsync(path), await ReadSharedAsync(path + "-wal"));
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes, Cancel);
        return bytes;
    }

    private static byte[] Damage(byte[] log, Random random)
    {
        var at = random.Next(log.Length);
        var damaged = log.ToArray();
        switch (random.Next(4))
        {
            case 0:
                return damaged[..at]; // The file ends here.
            case 1:
                damaged[at] ^= (byte)(1 << random.Next(8));
                return damaged;
            case 2:
                Array.Clear(damaged, at, Math.Min(random.Next(1, 20_000), damaged.Length - at)); // Never written.
                return damaged;
            default:
                random.NextBytes(damaged.AsSpan(at, Math.Min(random.Next(1, 20_000), damaged.Length - at)));
                return damaged;
        }
    }

    /// <summary>
    /// Opens a copy and returns how many writes are there, after a check that they are the first ones and whole.
    /// </summary>
    private async Task<int> OpenDamagedAsync(byte[] database, byte[] log)
    {
        using var place = new TemporaryDirectory();
        var path = place.Combine("store.db");
        await File.WriteAllBytesAsync(path, database, Cancel);
        await File.WriteAllBytesAsync(path + "-wal", log, Cancel);
        await using var storage = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = path }, TimeProvider.System, NullLoggerFactory.Instance, Cancel);
        var (health, hasTable) = await storage.ReadAsync(
            session => (
                session.One("PRAGMA integrity_check", row => row.Text(0)),
                session.One("SELECT count(*) FROM sqlite_master WHERE name = 'sample_log'", row => row.Int64(0)) == 1),
            Cancel);
        Assert.Equal("ok", health);
        if (!hasTable) return 0;
        var rows = await storage.ReadAsync(
            session => session.List(
                "SELECT writer, item FROM sample_log ORDER BY rowid", row => ((int)row.Int64(0), (int)row.Int64(1))),
            Cancel);
        Assert.True(IsPrefix(rows, out var writes), $"{rows.Count} rows are no prefix.");
        // And it goes on from there.
        await storage.WriteAsync(
            session => session.Execute("INSERT INTO sample_log (writer, item) VALUES (-1, 0)"), Cancel);
        return writes;
    }

    private static bool IsPrefix(IReadOnlyList<(int Writer, int Item)> rows, out int writes)
    {
        var expected = new List<(int, int)>();
        for (writes = 0; expected.Count < rows.Count; writes++)
        {
            for (var item = 0; item < RowsOf(writes); item++) expected.Add((writes, item));
        }

        return expected.SequenceEqual(rows);
    }
}
