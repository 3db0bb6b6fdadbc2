using System.Collections.Immutable;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>Answers about the past: versions of a resource, changesets, and the state as of a revision.</summary>
public sealed class History
{
    private readonly ChangeLog changes;
    private readonly IStorage storage;
    private readonly ResourceRows rows;

    internal History(ChangeLog changes, IStorage storage, ResourceRows rows)
    {
        this.changes = changes;
        this.storage = storage;
        this.rows = rows;
    }

    /// <summary>
    /// The versions of one resource, newest first, starting below <paramref name="before"/> (null: the newest).
    /// </summary>
    /// <returns>The versions, or <c>resource_not_found</c> when there never was one.</returns>
    public Task<Outcome<IReadOnlyList<Version>>> OfAsync(
        ResourceKey key, long? before, int limit, CancellationToken cancellationToken) => ReadAsync(
        session =>
        {
            if (ResourceStore.FindHead(session, key) is not { } head)
                return new Fault(
                    ErrorCodes.ResourceNotFound, $"There is no {key}, and no history of it above the floor.");
            var versions = new List<Version>();
            for (var at = ((long Revision, int Order)?)head; at is { } place && versions.Count < limit;)
            {
                if (ResourceStore.ReadRow(session, place.Revision, place.Order) is not { } row) break;
                if (before is null || row.Revision < before) versions.Add(ToVersion(session, row));
                at = row.Prior;
            }
            return (Outcome<IReadOnlyList<Version>>)versions;
        },
        cancellationToken);

    /// <summary>The resource as of a revision; null when it did not exist then.</summary>
    /// <returns>The resource, or <c>revision_unknown</c> above head, or <c>revision_compacted</c> below the
    /// floor.</returns>
    public Task<Outcome<Resource?>> AsOfAsync(ResourceKey key, long revision, CancellationToken cancellationToken) =>
        CheckRevision(revision) is { } fault
            ? Task.FromResult<Outcome<Resource?>>(fault)
            : ReadAsync<Resource?>(
                session => ResourceStore.FindHead(session, key) is { } head
                    ? ToResource(session, Back(session, head.Revision, head.Order, revision))
                    : null,
                cancellationToken);

    /// <summary>A kind's resources as of a revision, in order, starting after a key.</summary>
    public Task<Outcome<IReadOnlyList<Resource>>> ListAsOfAsync(
        string kind, long revision, string afterNamespace, string afterName, Func<ResourceKey, bool> wanted, int limit,
        CancellationToken cancellationToken)
    {
        if (CheckRevision(revision) is { } fault) return Task.FromResult<Outcome<IReadOnlyList<Resource>>>(fault);
        return ReadAsync(
            session =>
            {
                var found = new List<Resource>();
                var (ns, name) = (afterNamespace, afterName);
                while (found.Count < limit)
                {
                    var heads = ResourceStore.ReadHeads(session, kind, ns, name, ResourceRows.BatchRows);
                    if (heads.Count == 0) break;
                    foreach (var head in heads)
                    {
                        (ns, name) = (head.Key.Namespace, head.Key.Name);
                        if (!wanted(head.Key)) continue;
                        if (ToResource(
                            session, Back(session, head.Revision, head.Order, revision), withSpec: false) is { } then)
                            found.Add(then);
                        if (found.Count == limit) break;
                    }
                }
                return (Outcome<IReadOnlyList<Resource>>)found;
            },
            cancellationToken);
    }

    /// <summary>Whole changesets, newest first, starting below <paramref name="before"/>.</summary>
    /// <param name="withSpecs">False leaves the specs of stored kinds where they are.</param>
    public Task<Outcome<IReadOnlyList<ImmutableArray<Version>>>> ChangesetsAsync(
        long before, int limit, bool withSpecs, CancellationToken cancellationToken) => ReadAsync(
        session => (Outcome<IReadOnlyList<ImmutableArray<Version>>>)ResourceStore
            .ReadChangesetsBefore(session, before, limit)
            .GroupBy(row => row.Revision)
            .Select(group => group.Select(row => ToVersion(session, row, withSpecs)).ToImmutableArray())
            .ToList(),
        cancellationToken);

    /// <summary>One changeset.</summary>
    /// <returns>Its changes in order, or <c>revision_unknown</c>.</returns>
    public Task<Outcome<ImmutableArray<Version>>> ChangesetAsync(long revision, CancellationToken cancellationToken) =>
        ReadAsync(
        session =>
        {
            var found = ResourceStore.ReadChangeset(session, revision);
            return found.Count == 0
                ? new Fault(ErrorCodes.RevisionUnknown,
                    $"There is no changeset {revision}; the newest is {changes.Snapshots.Current.Revision}.")
                : (Outcome<ImmutableArray<Version>>)found.Select(row => ToVersion(session, row)).ToImmutableArray();
        },
        cancellationToken);

    /// <summary>
    /// Changes after a position, oldest first, from the database, and where the reader stands after them.
    /// </summary>
    internal Task<Outcome<(IReadOnlyList<AppliedChange> Changes, Position ReadTo)>> AfterAsync(
        Position after, int limit, CancellationToken cancellationToken) => ReadAsync(
        session =>
        {
            var found = ResourceStore.ReadAfter(session, after.Revision, after.Order, limit + 1);
            var head = ResourceStore.ReadHead(session)?.Revision ?? after.Revision;
            var cut = found.Count > limit;
            var taken = found.Take(limit).Select((row, number) => new AppliedChange(
                row.Revision, row.Order, row.Key, null, row.Operation == ChangeOperation.Delete
                    ? null
                    : rows.ToResource(row),
                EndsChangeset: number == found.Count - 1 || found[number + 1].Revision != row.Revision)).ToList();
            var readTo = cut ? new Position(taken[^1].Revision, taken[^1].Order) : Position.After(head);
            return (Outcome<(IReadOnlyList<AppliedChange>, Position)>)(taken, readTo);
        },
        cancellationToken);

    internal Fault? CheckRevision(long revision)
    {
        var head = changes.Snapshots.Current.Revision;
        if (revision < 0 || revision > head)
            return new Fault(ErrorCodes.RevisionUnknown, $"There is no revision {revision}; the newest is {head}.");
        return revision < changes.Floor ? Compacted(revision, changes.Floor) : null;
    }

    internal static Fault Compacted(long revision, long floor) => new(
        ErrorCodes.RevisionCompacted, $"Revision {revision} is below the floor, {floor}: its state is no longer kept.")
    {
        Extensions = ImmutableDictionary<string, string>.Empty.Add("floor", $"{floor}"),
    };

    /// <summary>Walks from a head to the version that was in force at a revision.</summary>
    private static ChangeRow? Back(ISqlSession session, long headRevision, int headOrder, long revision)
    {
        var at = ((long Revision, int Order)?)(headRevision, headOrder);
        while (at is { } place)
        {
            var row = ResourceStore.ReadRow(session, place.Revision, place.Order);
            if (row is null || row.Revision <= revision) return row;
            at = row.Prior;
        }
        return null;
    }

    private Resource? ToResource(ISqlSession session, ChangeRow? row, bool withSpec = true)
    {
        if (row is null || row.Operation == ChangeOperation.Delete || row.Compacted) return null;
        var resource = rows.ToResource(row);
        return withSpec ? rows.WithSpec(session, resource) : resource;
    }

    private Version ToVersion(ISqlSession session, ChangeRow row, bool withSpec = true) => new(
        row.Revision, row.Order, row.Key, row.Operation, ToResource(session, row, withSpec), row.Compacted,
        row.Author, row.Reason, row.At, row.ChangesetId, row.Prior?.Revision);

    private async Task<Outcome<T>> ReadAsync<T>(Func<ISqlSession, Outcome<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await storage.ReadAsync(read, cancellationToken);
        }
        catch (StorageException fault)
        {
            return fault.Fault;
        }
    }
}

/// <summary>One version of one resource in the log.</summary>
/// <param name="Resource">Null for a delete, or when compacted.</param>
/// <param name="Prior">Revision of the version before; null for the first.</param>
public sealed record Version(
    long Revision,
    int Order,
    ResourceKey Key,
    ChangeOperation Operation,
    Resource? Resource,
    bool Compacted,
    string Author,
    string Reason,
    DateTimeOffset At,
    Guid ChangesetId,
    long? Prior = null);
