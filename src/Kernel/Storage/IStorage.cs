namespace Groundwork.Kernel.Storage;

/// <summary>A database engine under one store: SQLite or PostgreSQL. Both pass the same contract suite.</summary>
public interface IStorage : IAsyncDisposable
{
    /// <summary><c>sqlite</c> or <c>postgresql</c>, with the version, for people.</summary>
    string Engine { get; }

    /// <summary>
    /// Reads in one read-only transaction that sees one state of the database, on a pooled connection, off the writer.
    /// </summary>
    /// <exception cref="StorageException">The database cannot be reached.</exception>
    Task<T> ReadAsync<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken);

    /// <summary>
    /// Writes in one transaction under the store's writer lock, grouped with other writes that wait. The task ends when
    /// the group is on disk. A write that throws fails alone: its savepoint is rolled back and the exception returned.
    /// </summary>
    /// <remarks>
    /// The delegate may run more than once, when the database connection broke and the group is known not to have
    /// committed; it must have no effect outside the session.
    /// </remarks>
    /// <exception cref="StorageException">Nothing was written: the disk is full, the database away, or the queue full.</exception>
    Task<T> WriteAsync<T>(Func<ISqlSession, T> write, CancellationToken cancellationToken);
}
