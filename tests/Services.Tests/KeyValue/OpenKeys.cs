using System.Text;
using Groundwork.Kernel.Storage;
using Groundwork.Services.KeyValue;
using Groundwork.Services.KeyValue.Leases;
using Groundwork.Services.KeyValue.Watching;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.KeyValue;

/// <summary>One node's table over a real store, its loops moved by hand.</summary>
internal sealed class OpenKeys
{
    private OpenKeys(IStorage storage, TimeProvider time)
    {
        Feed = new KeyFeed(storage, time, NullLogger.Instance);
        Keys = new KeyValues(storage, Feed);
        Sweep = new LeaseSweep(Keys, time, NullLogger.Instance);
        Compaction = new Compaction(Keys, time, NullLogger.Instance);
    }

    public KeyValues Keys { get; }

    public KeyFeed Feed { get; }

    public LeaseSweep Sweep { get; }

    public Compaction Compaction { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<OpenKeys> StartAsync(IStorage storage, TimeProvider time, long epoch = 0)
    {
        await storage.MigrateAsync(
            [new Migration("keyvalue", 1, [.. RowStore.Tables, .. LeaseStore.Tables])], Cancel);
        await storage.WriteAsync(
            session =>
            {
                RowStore.Begin(session, epoch);
                return true;
            },
            Cancel);
        var open = new OpenKeys(storage, time);
        await open.Feed.StartAsync(Cancel);
        return open;
    }

    public Task<long> PutAsync(string key, string value, long lease = 0) => Keys.WriteAsync(
        transaction =>
        {
            transaction.Put(Bytes(key), Bytes(value), lease, transaction.Read.Find(Bytes(key)));
            return transaction.Revision;
        },
        Cancel);

    public Task<long> DeleteAsync(string prefix) => Keys.WriteAsync(
        transaction =>
        {
            transaction.Remove(KeyRange.Prefix(Bytes(prefix)));
            return transaction.Revision;
        },
        Cancel);

    public Task<Lease> GrantAsync(long id, TimeSpan ttl, string? session = null, bool deletes = false) =>
        Keys.WriteAsync(
            transaction => transaction.Grant(new Lease(id, ttl, "test")
            {
                Session = session, DeletesKeys = deletes, LockDelay = TimeSpan.FromSeconds(session is null ? 0 : 15),
            }),
            Cancel);

    public Task<T> ReadAsync<T>(Func<KeyReading, T> read) => Keys.ReadAsync(read, Cancel);

    /// <summary>The keys with their values, as <c>key=value</c>.</summary>
    public Task<string> ListAsync(string prefix = "", long? revision = null) => ReadAsync(
        reading => string.Join(' ', reading.List(KeyRange.Prefix(Bytes(prefix)), revision)
            .Select(entry => $"{Text(entry.Key)}={Text(entry.Value)}")));

    public Task<long> IndexAsync(string prefix) =>
        ReadAsync(reading => reading.IndexOf(KeyRange.Prefix(Bytes(prefix))));

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
