using System.Collections.Immutable;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// Goes back by going forward: both forms are new changesets with the whole old record, under today's validators,
/// rights and approval policies.
/// </summary>
public sealed class Undo
{
    private readonly ChangeLog changes;
    private readonly IStorage storage;

    internal Undo(ChangeLog changes, IStorage storage)
    {
        this.changes = changes;
        this.storage = storage;
    }

    /// <summary>Writes a resource's content as of a revision; deletes it when it did not exist then.</summary>
    public async ValueTask<Outcome<Commit>> RollbackAsync(
        Principal author, ResourceKey key, long to, UndoOptions options, CancellationToken cancellationToken)
    {
        var then = await changes.History.AsOfAsync(key, to, cancellationToken);
        if (!then.TryGet(out var version, out var fault)) return fault;
        var now = changes.Snapshots.Current.Find(key);
        if (version is null && now is null)
            return new Fault(ErrorCodes.ResourceNotFound, $"{key} exists neither now nor at revision {to}.");
        var change = ToChange(key, version, now?.Revision ?? 0);
        return await changes.CommitAsync(
            Changeset(author, [change], options, $"roll back to revision {to}"), cancellationToken);
    }

    /// <summary>Undoes one changeset.</summary>
    /// <returns>The commit, or <c>revert_conflict</c> with every resource that has changed since.</returns>
    public async ValueTask<Outcome<Commit>> RevertAsync(
        Principal author, long revision, UndoOptions options, CancellationToken cancellationToken)
    {
        var newest = changes.Snapshots.Current.Revision;
        if (revision < 1 || revision > newest)
            return new Fault(ErrorCodes.RevisionUnknown, $"There is no changeset {revision}; the newest is {newest}.");
        if (changes.History.CheckRevision(revision - 1) is { } gone) return gone;
        var found = await changes.History.ChangesetAsync(revision, cancellationToken);
        if (!found.TryGet(out var versions, out var fault)) return fault;
        var since = await ChangedSinceAsync(versions, revision, cancellationToken);
        if (!since.TryGet(out var conflicts, out fault)) return fault;
        if (conflicts.Count > 0)
        {
            return new Fault(
                ErrorCodes.RevertConflict, $"Changed since revision {revision}: {string.Join(", ", conflicts)}.")
            {
                Fields = [.. conflicts.Select(conflict => new FieldFault(conflict, "has changed since"))],
            };
        }
        var inverse = ImmutableArray.CreateBuilder<Change>(versions.Length);
        foreach (var version in versions)
        {
            var before = await changes.History.AsOfAsync(version.Key, revision - 1, cancellationToken);
            if (!before.TryGet(out var earlier, out fault)) return fault;
            inverse.Add(ToChange(version.Key, earlier, version.Operation == ChangeOperation.Delete ? 0 : revision));
        }
        return await changes.CommitAsync(
            Changeset(author, inverse.MoveToImmutable(), options, $"revert revision {revision}"), cancellationToken);
    }

    private async Task<Outcome<List<string>>> ChangedSinceAsync(
        ImmutableArray<Version> versions, long revision, CancellationToken cancellationToken)
    {
        try
        {
            return await storage.ReadAsync(
                session => versions
                    .Where(version => ResourceStore.FindHead(session, version.Key) is not { } head
                        || head.Revision != revision)
                    .Select(version => version.Key.ToString())
                    .ToList(),
                cancellationToken);
        }
        catch (StorageException fault)
        {
            return fault.Fault;
        }
    }

    private Change ToChange(ResourceKey key, Resource? then, long expect)
    {
        if (then is null) return Change.Delete(key, expect);
        var spec = then.Kind is { } kind ? changes.Secrets.Open(kind, key, then.Spec) : then.Spec;
        return new Change(ChangeOperation.Put, key, spec, then.Version, then.Labels, expect);
    }

    private static Changeset Changeset(
        Principal author, ImmutableArray<Change> inverse, UndoOptions options, string defaultReason) =>
        new(author, inverse)
        {
            Reason = options.Reason is { Length: > 0 } reason ? reason : defaultReason,
            Id = options.Id,
            DryRun = options.DryRun,
        };
}

/// <summary>How to go back.</summary>
public sealed record UndoOptions(string? Reason = null, Guid? Id = null, bool DryRun = false);
