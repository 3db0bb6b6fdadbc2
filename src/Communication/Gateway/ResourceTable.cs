using System.Collections.Immutable;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway;

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
        var last = change.LastOf(kind);
        if (change.Before is null)
            foreach (var (key, one) in current)
                if (!last.ContainsKey(key) && next.Remove(key)) gone.Add(one);
        foreach (var (key, resource) in last)
        {
            if (next.Remove(key, out var before)) gone.Add(before);
            if (resource is not null && compile(resource) is { } compiled) next.Add(key, compiled);
        }
        Volatile.Write(ref current, next.ToImmutable());
        if (left is null) return;
        foreach (var one in gone) left(one);
    }
}
