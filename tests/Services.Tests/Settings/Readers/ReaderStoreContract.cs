using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Services.Settings.Readers;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Settings.Readers;

/// <summary>The tables of readers, on both engines.</summary>
public abstract class ReaderStoreContract : IAsyncDisposable
{
    private static readonly ReaderKey One = new("default", "s", "one");
    private static readonly ReaderKey Two = new("default", "s", "two");

    private protected abstract Task<IStorage> OpenAsync();

    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task Readers_that_are_long_gone_are_forgotten_with_what_they_read()
    {
        var storage = await OpenAsync();
        await storage.MigrateAsync([ReaderStore.Schema], CancellationToken.None);
        var store = new ReaderStore(storage);
        foreach (var reader in new[] { One, Two }) await WriteAsync(store, reader);
        await AgeAsync(storage, "settings_readers", "last_seen", TimeSpan.FromHours(25), One);
        await AgeAsync(storage, "settings_receipts", "sent_at", TimeSpan.FromDays(29), One);
        Assert.Equal(1, await store.PurgeAsync(CancellationToken.None));
        var rows = await store.ReadAsync("default", "g/a", CancellationToken.None);
        Assert.Equal([Two], rows.Readers.Select(reader => reader.Key));
        Assert.Equal([Two], rows.Reads.Select(reads => reads.Reader));
        Assert.Equal([One, Two], rows.Receipts.Select(receipt => receipt.Key.Reader));

        await AgeAsync(storage, "settings_receipts", "sent_at", TimeSpan.FromDays(31), One);
        await AgeAsync(storage, "settings_receipts", "sent_at", TimeSpan.FromDays(31), Two);
        Assert.Equal(0, await store.PurgeAsync(CancellationToken.None));
        rows = await store.ReadAsync("default", "g/a", CancellationToken.None);
        Assert.Equal([Two], rows.Receipts.Select(receipt => receipt.Key.Reader));
    }

    [Fact]
    public async Task Keys_of_one_setting_are_gathered_up_to_the_limit()
    {
        var storage = await OpenAsync();
        await storage.MigrateAsync([ReaderStore.Schema], CancellationToken.None);
        var store = new ReaderStore(storage);
        for (var report = 0; report < 3; report++)
        {
            await ReportAsync(store, new StoredReads(
                One, "g/a", [.. Enumerable.Range(report * 100, 150).Select(key => $"k{key}")]));
        }
        var rows = await store.ReadAsync("default", null, CancellationToken.None);
        Assert.Equal(
            Enumerable.Range(0, ReaderStore.MaxKeys).Select(key => $"k{key}"), Assert.Single(rows.Reads).Keys);
    }

    private static Task WriteAsync(ReaderStore store, ReaderKey reader) => store.WriteAsync(
        new ReaderWrites(
            [new StoredReader(reader, ["g"], ReaderIdentity.None.Labels, false, "local:0", "a", default)],
            [(new ReceiptKey(reader, "g/a", 1, ""), ReceiptState.Delivered)],
            [new ReaderReport(reader, "a", [], [new StoredReads(reader, "g/a", ["k"])], [])],
            new Dictionary<(string, string), IReadOnlyList<long>>()),
        CancellationToken.None);

    private static Task ReportAsync(ReaderStore store, StoredReads reads) => store.WriteAsync(
        new ReaderWrites(
            [], [], [new ReaderReport(reads.Reader, "a", [], [reads], [])],
            new Dictionary<(string, string), IReadOnlyList<long>>()),
        CancellationToken.None);

    private static Task AgeAsync(IStorage storage, string table, string column, TimeSpan age, ReaderKey reader) =>
        storage.WriteAsync(
            session => session.Execute(
                $"UPDATE {table} SET {column} = $1 WHERE instance = $2",
                session.ReadClock() - (long)age.TotalMilliseconds, reader.Instance),
            CancellationToken.None);
}

public sealed class ReaderStoreOnSqliteTests : ReaderStoreContract
{
    private readonly TemporaryDirectory directory = new();
    private SqliteStorage? storage;

    private protected override async Task<IStorage> OpenAsync() => storage = await SqliteStorage.OpenAsync(
        new SqliteOptions { Path = directory.Combine("store.db") }, TimeProvider.System, NullLoggerFactory.Instance,
        CancellationToken.None);

    public override async ValueTask DisposeAsync()
    {
        if (storage is not null) await storage.DisposeAsync();
        directory.Dispose();
        GC.SuppressFinalize(this);
    }
}

public sealed class ReaderStoreOnPostgresTests(PostgresServer server) : ReaderStoreContract
{
    private PostgresStorage? storage;

    private protected override async Task<IStorage> OpenAsync() => storage = await PostgresStorage.OpenAsync(
        new PostgresOptions { ConnectionString = await server.CreateDatabaseAsync() }, TimeProvider.System,
        NullLoggerFactory.Instance, CancellationToken.None);

    public override async ValueTask DisposeAsync()
    {
        if (storage is not null) await storage.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
