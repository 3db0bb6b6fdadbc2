using System.Collections.Immutable;

namespace Groundwork.Kernel.Resources;

/// <summary>
/// All resources at one revision: immutable, cheap to hold, read without locks. Stored kinds are present without their
/// specs.
/// </summary>
public sealed class Snapshot
{
    private static readonly ImmutableSortedDictionary<ResourceKey, Resource> None =
        ImmutableSortedDictionary<ResourceKey, Resource>.Empty;

    private readonly ImmutableDictionary<string, ImmutableSortedDictionary<ResourceKey, Resource>> kinds;

    private Snapshot(
        string storeId,
        long revision,
        ImmutableDictionary<string, ImmutableSortedDictionary<ResourceKey, Resource>> kinds)
    {
        StoreId = storeId;
        Revision = revision;
        this.kinds = kinds;
    }

    /// <summary>The store this is of; revisions of different stores do not compare.</summary>
    public string StoreId { get; }

    public long Revision { get; }

    public IEnumerable<string> Kinds => kinds.Keys;

    public static Snapshot Empty(string storeId, long revision) =>
        new(storeId, revision, ImmutableDictionary<string, ImmutableSortedDictionary<ResourceKey, Resource>>.Empty);

    public Resource? Find(string kind, string @namespace, string name) => Find(new ResourceKey(kind, @namespace, name));

    public Resource? Find(ResourceKey key) =>
        kinds.TryGetValue(key.Kind, out var table) && table.TryGetValue(key, out var resource) ? resource : null;

    /// <summary>All resources of a kind, in order of namespace and name.</summary>
    public ImmutableSortedDictionary<ResourceKey, Resource> Of(string kind) => kinds.GetValueOrDefault(kind, None);

    public int Count(string kind) => Of(kind).Count;

    /// <summary>The snapshot after some changes. A change without a resource removes the key.</summary>
    public Snapshot With(long revision, IEnumerable<AppliedChange> changes)
    {
        if (changes is IReadOnlyList<AppliedChange> and [var only]) return With(revision, only);
        var tables = kinds.ToBuilder();
        foreach (var group in changes.GroupBy(change => change.Key.Kind, StringComparer.Ordinal))
        {
            var table = tables.GetValueOrDefault(group.Key, None).ToBuilder();
            foreach (var change in group)
            {
                if (change.After is { } resource) table[change.Key] = resource;
                else table.Remove(change.Key);
            }
            tables[group.Key] = table.ToImmutable();
        }
        return new Snapshot(StoreId, revision, tables.ToImmutable());
    }

    private Snapshot With(long revision, AppliedChange change)
    {
        var table = Of(change.Key.Kind);
        table = change.After is { } resource ? table.SetItem(change.Key, resource) : table.Remove(change.Key);
        return new Snapshot(StoreId, revision, kinds.SetItem(change.Key.Kind, table));
    }

    /// <summary>A snapshot from a whole load.</summary>
    public static Snapshot Load(string storeId, long revision, IEnumerable<Resource> resources) =>
        new(storeId, revision, resources
            .GroupBy(resource => resource.Key.Kind, StringComparer.Ordinal)
            .ToImmutableDictionary(
                group => group.Key,
                group => group.ToImmutableSortedDictionary(resource => resource.Key, resource => resource),
                StringComparer.Ordinal));
}

/// <summary>What a changeset did to one resource. A put has <see cref="After"/>, a delete has not.</summary>
/// <param name="Revision">The changeset's revision.</param>
/// <param name="Order">Place in the changeset, from 0.</param>
/// <param name="EndsChangeset">True for the last change of its changeset; what came before belongs together with
/// it.</param>
public sealed record AppliedChange(
    long Revision, int Order, ResourceKey Key, Resource? Before, Resource? After, bool EndsChangeset);
