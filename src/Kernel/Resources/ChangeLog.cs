using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>The one ordered log of changes: commits changesets and answers about history.</summary>
public sealed class ChangeLog
{
    /// <summary>
    /// Commits a changeset, or says why not. Authorises every change, validates, and answers when it is on disk and the
    /// local snapshot shows it.
    /// </summary>
    public ValueTask<Outcome<Commit>> CommitAsync(Changeset changeset, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>The whole resource of a stored kind as of the snapshot's version of it, from the database; secrets encrypted.</summary>
    public ValueTask<Outcome<Resource>> ReadStoredAsync(Resource resource, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
