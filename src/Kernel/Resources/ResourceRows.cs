using System.Security.Cryptography;
using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Resources;

/// <summary>Translates between resources in memory and rows on disk.</summary>
internal sealed class ResourceRows(KindCatalog kinds)
{
    /// <summary>Rows read in one go when following the log; more than the largest changeset.</summary>
    public const int BatchRows = 2 * ChangesetPreparation.MaxChanges;

    public ChangeRow ToRow(DecidedChange change, PreparedChangeset changeset, long revision, int order)
    {
        var prepared = change.Prepared;
        return new ChangeRow
        {
            Key = prepared.Key,
            Operation = prepared.Change.Operation,
            Version = prepared.Kind.Version,
            Labels = prepared.IsDelete ? "" : Labels.Write(LabelsOf(change)),
            Spec = prepared.IsDelete || prepared.Kind.Residency == Residency.Stored ? null : change.Spec.ToArray(),
            SpecHash = prepared.IsDelete ? [] : prepared.SpecHash ?? SHA256.HashData(change.Spec.Span),
            Author = changeset.Source.Author.Name,
            Reason = changeset.Source.Reason,
            At = DateTimeOffset.FromUnixTimeMilliseconds(changeset.At.ToUnixTimeMilliseconds()),
            ChangesetId = changeset.Id,
            Revision = revision,
            Order = order,
            Prior = change.Before is { } before ? (before.Revision, before.Order) : null,
        };
    }

    /// <summary>The resource that a decided change makes, keeping what validation has read.</summary>
    public Resource ToResource(DecidedChange change, ChangeRow row)
    {
        var resource = ToResource(row, change.Prepared.Kind);
        return change.Prepared is { Typed: { } typed, Kind: { HasSecrets: false, Residency: Residency.Resident } }
            ? resource.Typed(typed)
            : resource;
    }

    /// <summary>The resource as the rules between resources see it before it is written.</summary>
    public Resource Tentative(DecidedChange change, PreparedChangeset changeset, long revision)
    {
        var resource = new Resource
        {
            Key = change.Prepared.Key,
            Version = change.Prepared.Kind.Version,
            Labels = LabelsOf(change),
            Spec = change.Spec,
            SpecHash = default,
            Revision = revision,
            ChangedBy = changeset.Source.Author.Name,
            ChangedAt = changeset.At,
            Kind = change.Prepared.Kind,
        };
        return change.Prepared.Typed is { } typed ? resource.Typed(typed) : resource;
    }

    public Resource ToResource(ChangeRow row) => ToResource(row, kinds.Find(row.Key.Kind));

    /// <summary>Rows of whole changesets as changes to a snapshot.</summary>
    public List<AppliedChange> ToChanges(IReadOnlyList<ChangeRow> rows, Snapshot before)
    {
        var changes = new List<AppliedChange>(rows.Count);
        var seen = new Dictionary<ResourceKey, Resource?>();
        for (var number = 0; number < rows.Count; number++)
        {
            var row = rows[number];
            var earlier = seen.TryGetValue(row.Key, out var changed) ? changed : before.Find(row.Key);
            var after = row.Operation == ChangeOperation.Delete ? null : ToResource(row);
            seen[row.Key] = after;
            var ends = number == rows.Count - 1 || rows[number + 1].Revision != row.Revision;
            changes.Add(new AppliedChange(row.Revision, row.Order, row.Key, earlier, after, ends));
        }
        return changes;
    }

    /// <summary>The same version of the resource with its spec, which snapshots leave out for stored kinds.</summary>
    public Resource WithSpec(ISqlSession session, Resource resource)
    {
        if (!resource.Spec.IsEmpty) return resource;
        var content = ResourceStore.ReadContent(session, resource.SpecHash.ToArray())
            ?? throw new InvalidDataException(
                $"The content of {resource.Key} at revision {resource.Revision} is missing.");
        return resource.WithSpec(content);
    }

    private static Resource ToResource(ChangeRow row, Kind? kind) => new()
    {
        Key = row.Key,
        Version = row.Version,
        Labels = Labels.Read(row.Labels),
        Spec = row.Spec ?? default(ReadOnlyMemory<byte>),
        SpecHash = row.SpecHash,
        Revision = row.Revision,
        Order = row.Order,
        ChangedBy = row.Author,
        ChangedAt = row.At,
        Kind = kind,
    };

    private static System.Collections.Immutable.ImmutableSortedDictionary<string, string> LabelsOf(
        DecidedChange change) =>
        change.Prepared.Labels ?? change.Before?.Labels ?? Labels.None;
}
