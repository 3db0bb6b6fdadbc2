using System.Collections.Immutable;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.Access;

/// <summary>
/// The resources of one kind, compiled, in step with the snapshots. Whoever keeps what it derives from the table sees
/// by the table's identity that it has changed.
/// </summary>
internal sealed class ResourceTable<T> : IDisposable
    where T : class
{
    private readonly string kind;
    private readonly Func<Resource, T?> compile;
    private readonly Action<T>? left;
    private readonly IDisposable subscription;
    private ImmutableDictionary<ResourceKey, T> current =
        ImmutableDictionary<ResourceKey, T>.Empty; // Written on the publisher's thread alone.

    /// <param name="compile">Null for a resource that is not understood: it is then not there.</param>
    /// <param name="left">Told of what has left the table, on the publisher's thread.</param>
    public ResourceTable(ISnapshotSource snapshots, string kind, Func<Resource, T?> compile, Action<T>? left = null)
    {
        this.kind = kind;
        this.compile = compile;
        this.left = left;
        subscription = snapshots.Subscribe(Apply); // Calls back at once with the current snapshot.
    }

    public ImmutableDictionary<ResourceKey, T> Current => Volatile.Read(ref current);

    public void Dispose()
    {
        subscription.Dispose();
        if (left is null) return;
        foreach (var one in current.Values) left(one);
    }

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(kind)) return;
        var next = current.ToBuilder();
        var gone = new List<T>();
        if (change.Before is null)
        {
            foreach (var resource in change.After.Of(kind).Values) Put(resource.Key, resource);
        }
        else
        {
            // A group may change one several times; the last word counts.
            var last = new Dictionary<ResourceKey, Resource?>();
            foreach (var one in change.Changes)
                if (one.Key.Kind == kind) last[one.Key] = one.After;
            foreach (var (key, resource) in last) Put(key, resource);
        }
        Volatile.Write(ref current, next.ToImmutable());
        if (left is null) return;
        foreach (var one in gone) left(one);

        void Put(ResourceKey key, Resource? resource)
        {
            if (next.Remove(key, out var before)) gone.Add(before);
            if (resource is not null && compile(resource) is { } compiled) next.Add(key, compiled);
        }
    }
}
