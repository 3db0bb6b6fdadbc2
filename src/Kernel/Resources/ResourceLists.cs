using System.Collections.Immutable;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Resources;

/// <summary>What a list selects.</summary>
internal sealed record ListFilter(
    string Kind, string? Namespace, string Prefix, ImmutableArray<KeyValuePair<string, string>> Labels)
{
    public bool Selects(ResourceKey key) =>
        (Namespace is null || key.Namespace == Namespace) && key.Name.StartsWith(Prefix, StringComparison.Ordinal);

    public bool Selects(Resource resource)
    {
        foreach (var (key, value) in Labels)
            if (!resource.Labels.TryGetValue(key, out var actual) || actual != value) return false;
        return true;
    }
}

/// <summary>
/// Lists of resources, page by page, all pages at the revision of the first. Recent snapshots are kept for readers
/// between two pages; older ones are read from the history.
/// </summary>
internal sealed class ResourceLists(ChangeLog changes, ResourceDocuments documents)
{
    public const int DefaultLimit = 100;

    public const int MaxLimit = 1_000;

    /// <summary>Snapshots kept for the next page. They share all that did not change, so each costs little.</summary>
    private const int KeptSnapshots = 32;

    private readonly Lock gate = new();
    private readonly Queue<Snapshot> kept = new();

    public async ValueTask<Outcome<ResourceList>> ListAsync(
        Principal principal, ListFilter filter, int limit, string? page, long? asOf,
            CancellationToken cancellationToken)
    {
        var from = new PageToken(asOf ?? changes.Snapshots.Current.Revision, "", "");
        if (page is not null)
        {
            var parsed = PageToken.Parse(page);
            if (!parsed.TryGet(out from, out var bad)) return bad;
        }
        bool Wanted(ResourceKey key) => filter.Selects(key) && changes.Authorizer.Allows(principal, Verb.Read, key);
        if (Find(from.Revision) is { } snapshot) return List(snapshot, filter, from, limit, Wanted);
        var then = await changes.History.ListAsOfAsync(
            filter.Kind, from.Revision, from.AfterNamespace, from.AfterName, Wanted, limit, cancellationToken);
        return then.TryGet(out var found, out var fault)
            ? ToList(from.Revision, found.Where(filter.Selects).ToList(), found.Count == limit ? found[^1].Key : null)
            : fault;
    }

    private ResourceList List(
        Snapshot snapshot, ListFilter filter, PageToken from, int limit, Func<ResourceKey, bool> wanted)
    {
        var after = new ResourceKey(filter.Kind, from.AfterNamespace, from.AfterName);
        var found = new List<Resource>(Math.Min(limit, snapshot.Count(filter.Kind)));
        foreach (var (key, resource) in snapshot.Of(filter.Kind))
        {
            if (key.CompareTo(after) <= 0 || !wanted(key) || !filter.Selects(resource)) continue;
            if (found.Count == limit)
            {
                Keep(snapshot);
                return ToList(snapshot.Revision, found, found[^1].Key);
            }
            found.Add(resource);
        }
        return ToList(snapshot.Revision, found, null);
    }

    private ResourceList ToList(long revision, List<Resource> found, ResourceKey? last) => new(
        revision,
        [.. found.Select(resource => documents.ToDocument(resource))],
        last is { } key ? new PageToken(revision, key.Namespace, key.Name).ToString() : null);

    private Snapshot? Find(long revision)
    {
        var current = changes.Snapshots.Current;
        if (current.Revision == revision) return current;
        lock (gate) return kept.FirstOrDefault(snapshot => snapshot.Revision == revision);
    }

    private void Keep(Snapshot snapshot)
    {
        lock (gate)
        {
            if (kept.Any(known => known.Revision == snapshot.Revision)) return;
            kept.Enqueue(snapshot);
            if (kept.Count > KeptSnapshots) kept.Dequeue();
        }
    }
}
