namespace Groundwork.Kernel.Storage.Backup;

/// <summary>
/// An engine's whole content, for backup and restore. Both engines implement it beside <see cref="IStorage"/>.
/// </summary>
internal interface IStorageContent
{
    string Engine { get; }

    SqlDialect Dialect { get; }

    /// <summary>
    /// Reads one consistent copy of everything, for as long as it takes, while writes go on. Not the pool's
    /// connections.
    /// </summary>
    Task<T> ReadAllAsync<T>(Func<ISqlSession, T> read, CancellationToken cancellationToken);

    /// <summary>Replaces everything in one transaction under the store's lock, unseen by the observer.</summary>
    Task<T> ReplaceAsync<T>(Func<ISqlSession, T> write, CancellationToken cancellationToken);
}
