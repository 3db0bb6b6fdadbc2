using System.Collections.Concurrent;

namespace Groundwork.Kernel.Storage.Sqlite;

/// <summary>A bounded pool of read-only connections; each read runs in one deferred transaction.</summary>
internal sealed class SqliteReaders(SqliteOptions options, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Only a recovery or a restart of the log makes a reader wait, and both are short.</summary>
    private static readonly TimeSpan BusyTimeout = StorageLimits.MaxUnavailableWait;

    private readonly ReadQueue queue = new(options.Readers);
    private readonly ConcurrentBag<Reader> idle = [];

    public Task<T> ReadAsync<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken) =>
        queue.RunAsync(() => Read(read), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await queue.DisposeAsync();
        foreach (var reader in idle) reader.Connection.Dispose();
        idle.Clear();
    }

    private T Read<T>(Func<ISqlSession, T> read)
    {
        if (!idle.TryTake(out var reader)) reader = Open();
        var isDone = false;
        try
        {
            reader.Connection.Run("BEGIN DEFERRED");
            reader.Session.Restart();
            var result = read(reader.Session);
            isDone = true;
            return result;
        }
        finally
        {
            Return(reader, isDone);
        }
    }

    private void Return(Reader reader, bool isDone)
    {
        try
        {
            if (!reader.Connection.IsOutsideTransaction) reader.Connection.Run("ROLLBACK");
            idle.Add(reader);
        }
        catch (StorageException) when (!isDone)
        {
            // The read has failed and its exception is on its way; only the connection is to be dropped.
            reader.Connection.Dispose();
        }
    }

    private Reader Open()
    {
        var connection = SqliteConnection.Open(options.Path, readOnly: true, BusyTimeout);
        connection.Pragma("PRAGMA wal_autocheckpoint=0");
        connection.Pragma("PRAGMA temp_store=MEMORY");
        connection.Pragma("PRAGMA cache_size=-8192"); // 8 MiB
        return new Reader(connection, new SqliteSession(connection, time));
    }

    private sealed record Reader(SqliteConnection Connection, SqliteSession Session);
}
