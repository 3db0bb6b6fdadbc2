namespace Groundwork.Kernel.Storage;

/// <summary>A database engine under one store: SQLite or PostgreSQL. Both pass the same contract suite.</summary>
public interface IStorage : IAsyncDisposable
{
    /// <summary><c>sqlite</c> or <c>postgresql</c>, with the version, for people.</summary>
    string Engine { get; }

    /// <summary>
    /// Raised when another node committed, or may have: after a notification and after the connection that hears them
    /// was lost. On a thread of the storage; must return at once. A notification can be lost, so its hearer polls as
    /// well. SQLite has one node and never raises it.
    /// </summary>
    event Action? CommittedElsewhere;

    /// <summary>
    /// Sets the one observer of write groups; call it before the first write. Migrations are not seen by it.
    /// </summary>
    void Attach(IWriteGroupObserver observer);

    /// <summary>
    /// Runs the steps that this database has not seen, in the order given, in one transaction under the store's lock:
    /// of two nodes that start at once, one migrates and the other finds the work done.
    /// </summary>
    /// <exception cref="StorageException">
    /// <c>schema_newer</c>: a later version of one of these modules has been here. Nothing was changed.
    /// </exception>
    Task MigrateAsync(IReadOnlyList<Migration> migrations, CancellationToken cancellationToken);

    /// <summary>
    /// Reads in one read-only transaction that sees one state of the database, on a pooled connection, off the writer
    /// and off the caller's thread. The delegate may run again when the connection broke.
    /// </summary>
    /// <exception cref="StorageException">The database cannot be reached, or too many reads wait.</exception>
    Task<T> ReadAsync<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken);

    /// <summary>
    /// Writes in one transaction under the store's writer lock, grouped with other writes that wait. The task ends when
    /// the group is on disk. A write that throws fails alone: its savepoint is rolled back and the exception returned.
    /// </summary>
    /// <remarks>
    /// The delegate may run more than once, when its group is known not to have committed: the connection broke, or
    /// another write spoiled the group. It must have no effect outside the session that a second run would not
    /// overwrite. A cancelled token takes a write out while it waits; once its group runs, the write is answered.
    /// </remarks>
    /// <exception cref="StorageException">
    /// Nothing was written: the disk is full, the database away, or the queue full. The one exception is
    /// <c>write_in_doubt</c>, when the process stops while the database that was committing is away.
    /// </exception>
    Task<T> WriteAsync<T>(
        Func<ISqlSession, T> write, CancellationToken cancellationToken, WriteScope scope = WriteScope.Savepoint);
}
