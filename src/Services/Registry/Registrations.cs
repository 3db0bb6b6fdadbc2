using Groundwork.Kernel.Storage;
using Groundwork.Services.Registry.Storing;
using Groundwork.Services.Registry.Watching;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry;

/// <summary>
/// What takes longer than memory: registrations that must be in the store before they are acknowledged, and drains that
/// wait until watchers have seen them.
/// </summary>
internal sealed class Registrations(
    InstanceRegistry registry,
    RegistryStore store,
    StoreSync sync,
    TimeProvider time,
    Func<IReadOnlySet<string>> liveNodes)
{
    /// <summary>Between two looks at what other nodes say their watchers have seen.</summary>
    private static readonly TimeSpan SeenInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a removal of a persistent instance waits for the store, which writes as soon as it is back.
    /// </summary>
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Registers. An ephemeral instance is acknowledged from memory: it would register again after anything that loses
    /// it. A persistent one is in the store first.
    /// </summary>
    public async ValueTask<Outcome<RegistrationAnswer>> RegisterAsync(
        Instance wanted, string principal, CancellationToken cancellationToken)
    {
        if (!wanted.Ephemeral && await WriteAheadAsync(wanted, principal, cancellationToken) is { } fault) return fault;
        return registry.Register(wanted, principal);
    }

    /// <summary>Removes; a persistent one from the store first.</summary>
    public async ValueTask<Fault?> DeregisterAsync(
        InstanceKey key, long? incarnation, string principal, string? why, CancellationToken cancellationToken)
    {
        var persistent = registry.FindInstance(key) is { Standing: Standing.Persistent };
        if (registry.Deregister(key, incarnation, principal, why) is { } fault) return fault;
        if (!persistent) return null;
        try
        {
            await sync.FlushAsync().WaitAsync(StorePatience, time, cancellationToken);
            return null;
        }
        catch (TimeoutException)
        {
            return new Fault(ErrorCodes.StorageUnavailable, "The removal is in effect, but not in the store yet.");
        }
    }

    /// <summary>
    /// Tells callers to leave the instance, and waits until every watcher of the service on every node was sent that,
    /// or patience is over.
    /// </summary>
    public async ValueTask<Outcome<ServiceView>> DrainAsync(
        InstanceKey key, string principal, string? why, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!registry.Drain(key, principal, why).TryGet(out var index, out var fault)) return fault;
        if (registry.FindService(key.Service) is not { View: { } view } service) return InstanceRegistry.NotFound(key);
        if (patience > TimeSpan.Zero) await WaitForWatchersAsync(service, index, patience, cancellationToken);
        return view;
    }

    /// <summary>Takes a drain back.</summary>
    public Outcome<ServiceView> Undrain(InstanceKey key, string principal, string? why)
    {
        if (!registry.Undrain(key, principal, why).TryGet(out _, out var fault)) return fault;
        return registry.FindFresh(key.Service) is { } view ? view : InstanceRegistry.NotFound(key);
    }

    /// <summary>
    /// Waits until all watchers were sent the index, or patience is over. While an instance drains, another node counts
    /// as a watcher: it has seen the index when all of its own watchers have.
    /// </summary>
    public async Task<WatchersDocument> WaitForWatchersAsync(
        ServiceState service, long index, TimeSpan patience, CancellationToken cancellationToken)
    {
        var elsewhere = store.IsShared && patience > TimeSpan.Zero
            ? WaitForNodesAsync(service, patience, cancellationToken)
            : Task.FromResult<IReadOnlyList<NodeWatchers>>([]);
        var (watchers, behind) = await WaitForLocalAsync(service, index, patience, cancellationToken);
        var nodes = await elsewhere;
        return new WatchersDocument(
            index, watchers + nodes.Count, behind + nodes.Count(node => !node.Seen),
            [.. Name(service, index, nodes).Take(WatcherNames.Most)]);
    }

    /// <summary>Those behind first: they are whom somebody waits for.</summary>
    private IEnumerable<WatcherDocument> Name(ServiceState service, long index, IReadOnlyList<NodeWatchers> nodes)
    {
        foreach (var name in WatchSessions.Names(service, index, seen: false))
            yield return new WatcherDocument(name, registry.NodeName, Seen: false);
        foreach (var node in nodes.Where(node => !node.Seen))
        {
            if (node.Behind.Length == 0)
                yield return new WatcherDocument($"node {node.Name}", node.Name, Seen: false);
            foreach (var name in node.Behind) yield return new WatcherDocument(name, node.Name, Seen: false);
        }
        foreach (var name in WatchSessions.Names(service, index, seen: true))
            yield return new WatcherDocument(name, registry.NodeName, Seen: true);
        foreach (var node in nodes.Where(node => node.Seen))
            yield return new WatcherDocument($"node {node.Name}", node.Name, Seen: true);
    }

    private async Task<(int Watchers, int Behind)> WaitForLocalAsync(
        ServiceState service, long index, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var next = service.NextSeen(); // Taken before the look, so that nothing falls between.
            var seen = WatchSessions.Behind(service, index);
            var left = patience - time.GetElapsedTime(started);
            if (seen.Behind == 0 || left <= TimeSpan.Zero) return seen;
            try
            {
                await next.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // The loop says how many are behind.
            }
        }
    }

    private async Task<IReadOnlyList<NodeWatchers>> WaitForNodesAsync(
        ServiceState service, TimeSpan patience, CancellationToken cancellationToken)
    {
        var others = liveNodes().Where(node => node != registry.NodeName).ToArray();
        if (others.Length == 0) return [];
        using var over = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        IReadOnlyList<NodeWatchers> nodes = [.. others.Select(node => new NodeWatchers(node, Seen: false, []))];
        try
        {
            await sync.FlushAsync().WaitAsync(either.Token);
            var position = PositionOfDrains(service);
            while (true)
            {
                var seen = await store.SeenAsync(either.Token);
                nodes = [.. others.Select(node => NodeWatchers.Of(node, seen.GetValueOrDefault(node), position))];
                if (nodes.All(node => node.Seen)) break;
                await Task.Delay(SeenInterval, time, either.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Patience is over: the caller hears how many nodes are behind.
        }
        catch (StorageException)
        {
            // The store is away, so the other nodes can neither hear nor answer.
        }
        return nodes;
    }

    // 0, which every node has seen, when nothing drains: nodes speak up for drains only.
    private static long PositionOfDrains(ServiceState service)
    {
        lock (service.Gate)
        {
            var position = 0L;
            foreach (var member in service.Members)
                if (member.Instance.Status == InstanceStatus.Draining)
                    position = Math.Max(position, member.StoredPosition);
            return position;
        }
    }

    // The row is written once more by the loop, with the number under which callers see it.
    private async Task<Fault?> WriteAheadAsync(Instance wanted, string principal, CancellationToken cancellationToken)
    {
        var registered = registry.FindInstance(wanted.Key)?.Instance;
        if (registered is not null && wanted.Incarnation != 0 && wanted.Incarnation < registered.Incarnation)
            return InstanceRegistry.Older(registered);
        // What says nothing new is in the store; written once more it would take back what was said meanwhile.
        if (registry.Settled(wanted) is not { } dated) return null;
        var place = new ServiceState(wanted.Key.Service);
        var row = InstanceWrite.Of(new PendingInstance(
            new InstanceState(place, dated, registry.NodeName),
            registry.Numbers.Next(),
            PendingKind.Registration,
            "registered",
            principal));
        try
        {
            await store.WriteAsync(new WriteBatch([row], []), cancellationToken);
            return null;
        }
        catch (StorageException failure)
        {
            return failure.Fault;
        }
    }

    /// <summary>Another node, which answers for its own watchers.</summary>
    private sealed record NodeWatchers(string Name, bool Seen, string[] Behind)
    {
        public static NodeWatchers Of(string node, SeenByNode said, long position) =>
            new(node, said.Position >= position, said.Behind ?? []); // Null of a node that has said nothing yet.
    }
}
