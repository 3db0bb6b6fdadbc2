namespace Groundwork.Kernel.Storage;

/// <summary>
/// Takes part in each write group; one per storage, attached before the first write. All calls come on the writer's
/// thread. An exception out of <see cref="Begin"/> or <see cref="Committing"/> fails every write of the group.
/// </summary>
public interface IWriteGroupObserver
{
    /// <summary>
    /// Inside the transaction and under the store's writer lock, before the first write of the group. Runs again when
    /// the group is retried.
    /// </summary>
    void Begin(ISqlSession session);

    /// <summary>After the last write, before the commit.</summary>
    void Committing(ISqlSession session);

    /// <summary>The group is on disk and its writes are not answered yet. Must not throw.</summary>
    void Committed();

    /// <summary>
    /// The group is known not to have happened: it will be retried, or its writes fail. Must not throw.
    /// </summary>
    void RolledBack();
}
