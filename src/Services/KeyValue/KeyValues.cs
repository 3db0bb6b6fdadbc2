using Groundwork.Kernel.Storage;
using Groundwork.Services.KeyValue.Watching;

namespace Groundwork.Services.KeyValue;

/// <summary>
/// The table of keys, for its protocols. What is written is on disk, and can be read on every node, when it is
/// acknowledged.
/// </summary>
internal sealed class KeyValues(IStorage storage, KeyFeed feed)
{
    private readonly SemaphoreSlim watchReads = new(KeyValueLimits.MaxWatchReads);

    public IStorage Storage => storage;

    public KeyFeed Feed => feed;

    /// <summary>Leases have ended here. Whoever hears of it is quick.</summary>
    public event Action? LeasesEnded;

    /// <summary>Reads at one moment.</summary>
    public Task<T> ReadAsync<T>(Func<KeyReading, T> read, CancellationToken cancellationToken) =>
        storage.ReadAsync(session => read(new KeyReading(session)), cancellationToken);

    /// <summary>The same for watches, of which many wake at once: they take turns.</summary>
    public async Task<T> ReadInTurnAsync<T>(Func<KeyReading, T> read, CancellationToken cancellationToken)
    {
        await watchReads.WaitAsync(cancellationToken);
        try
        {
            return await ReadAsync(read, cancellationToken);
        }
        finally
        {
            watchReads.Release();
        }
    }

    /// <summary>
    /// Changes what is there, all or nothing. May run more than once, each time from the start; what it throws undoes
    /// it.
    /// </summary>
    public Task<T> WriteAsync<T>(Func<KeyTransaction, T> write, CancellationToken cancellationToken) =>
        WriteSweepAsync((_, transaction) => write(transaction), cancellationToken);

    /// <summary>The same for the loops of this module, which have statements of their own.</summary>
    internal async Task<T> WriteSweepAsync<T>(
        Func<ISqlSession, KeyTransaction, T> write, CancellationToken cancellationToken)
    {
        var (answer, ended) = await storage.WriteAsync(
            session =>
            {
                var transaction = new KeyTransaction(session);
                var done = write(session, transaction);
                transaction.Finish();
                return (done, transaction.EndedLeases);
            },
            cancellationToken);
        feed.Hurry();
        if (ended) LeasesEnded?.Invoke();
        return answer;
    }
}
