using System.Collections.Immutable;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Watching;

namespace Groundwork.Services.Registry;

/// <summary>
/// The changeable side of one service. Lock order: a service's gate first; inside it the wheel, the pending writes, the
/// publisher and the sessions, none of which calls out. Two gates are never held together.
/// </summary>
internal sealed class ServiceState(ServiceKey key)
{
    private static readonly TimeSpan CalledInterval = TimeSpan.FromSeconds(5);

    private readonly List<InstanceState> members = []; // In order of id. Guarded by the gate.
    private ServiceView? view; // Swapped under the gate, read anywhere.
    private SharedAnswer? answer; // Any thread; last writer wins.
    private readonly HashSet<WatchSession> watchers = []; // Guarded by the gate.
    private TaskCompletionSource? seen; // Any thread.
    private long toldCalled; // Any thread.
    private string? target; // Any thread; the same whoever writes it.
    private Dictionary<string, Check>? probes; // By instance id; few services have any. Guarded by the gate.
    private Dictionary<string, (Instance Instance, long Ticks)>? departed; // By cluster. Guarded by the gate.

    public ServiceKey Key { get; } = key;

    /// <summary>What a permission to discover the whole service is about; worded once for all who watch it.</summary>
    public ResourceKey Target => new(RegistryAccess.Kind, Key.Namespace, target ??= RegistryAccess.Target(Key).Name);

    public Lock Gate { get; } = new();

    /// <summary>Number of the last change. Guarded by the gate.</summary>
    public long Index { get; private set; }

    /// <summary>True when <see cref="View"/> lags behind the members. Guarded by the gate.</summary>
    public bool Lagging { get; private set; }

    /// <summary>Dropped from the registry: look the key up again. Guarded by the gate.</summary>
    public bool Forgotten { get; set; }

    /// <summary>Why no instance is left. Guarded by the gate.</summary>
    public string? EmptyReason { get; set; }

    /// <summary>Lease time since which there is no instance. Guarded by the gate.</summary>
    public long EmptySinceTicks { get; set; }

    /// <summary>Evictions of the current sweep. Guarded by the gate.</summary>
    public Leases.EvictionPace Pace { get; } = new();

    /// <summary>What happened here. Guarded by the gate.</summary>
    public EventRing Events { get; } = new(EventRing.PerService, key);

    /// <summary>Guarded by the gate.</summary>
    public IReadOnlyList<InstanceState> Members => members;

    /// <summary>The newest published view; null until something has registered.</summary>
    public ServiceView? View => Volatile.Read(ref view);

    /// <summary>Guarded by the gate.</summary>
    public IReadOnlyCollection<WatchSession> Watchers => watchers;

    public void Add(InstanceState instance)
    {
        var place = Find(instance.Key.Id);
        if (place >= 0) throw new InvalidOperationException($"{instance.Key} is registered already.");
        members.Insert(~place, instance);
        EmptyReason = null;
    }

    public void Remove(InstanceState instance)
    {
        var place = Find(instance.Key.Id);
        if (place >= 0) members.RemoveAt(place);
        probes?.Remove(instance.Key.Id);
        instance.Removed = true;
    }

    /// <summary>
    /// The last instance of its cluster is gone. Some protocols cannot say that a list is empty, and say that this one
    /// is down instead.
    /// </summary>
    /// <param name="ticks">Lease time.</param>
    public void NoteDeparted(Instance instance, long ticks)
    {
        foreach (var member in members)
            if (member.Instance.Cluster == instance.Cluster) return;
        departed ??= new Dictionary<string, (Instance Instance, long Ticks)>(StringComparer.Ordinal);
        if (departed.Count >= RegistryLimits.MaxDepartedClusters)
            departed.Remove(departed.MinBy(one => one.Value.Ticks).Key);
        departed[instance.Cluster ?? ""] = (instance, ticks);
    }

    /// <summary>The last instance of each cluster that has had none since that lease time or later.</summary>
    public Instance[] DepartedSince(long ticks)
    {
        if (departed is null) return [];
        foreach (var member in members) departed.Remove(member.Instance.Cluster ?? "");
        return [.. departed.Values.Where(one => one.Ticks >= ticks).Select(one => one.Instance)];
    }

    /// <summary>What the prober found of an instance; null when it has not looked.</summary>
    public Check? ProbeOf(string id) => probes?.GetValueOrDefault(id);

    public void SetProbe(string id, Check found) =>
        (probes ??= new Dictionary<string, Check>(StringComparer.Ordinal))[id] = found;

    /// <summary>
    /// True every few seconds while it is called: what is heard with every request of the gateway is told on so often.
    /// </summary>
    public bool IsNewsThatCalled(TimeProvider time)
    {
        var last = Volatile.Read(ref toldCalled);
        var now = time.GetTimestamp();
        if (last != 0 && time.GetElapsedTime(last, now) < CalledInterval) return false;
        return Interlocked.CompareExchange(ref toldCalled, now, last) == last;
    }

    /// <summary>Counts a change of membership or health.</summary>
    public void Touch(long number)
    {
        Index = Math.Max(Index, number);
        Lagging = true;
    }

    /// <summary>Makes the view that readers see. Costs one pass over the members.</summary>
    public void Publish(ServicePolicy policy)
    {
        if (!Lagging) return;
        Lagging = false;
        var instances = ImmutableArray.CreateBuilder<Instance>(members.Count);
        foreach (var member in members) instances.Add(EffectiveInstance.Of(member, policy));
        var next = ServiceView.Of(
            Key, Index, instances.MoveToImmutable(), policy.Threshold) with
        {
            EmptyReason = EmptyReason,
            Maintenance = policy.Maintenance,
        };
        Volatile.Write(ref view, next);
        if (watchers.Count > 0)
            Fanout<WatchSession, ServiceState>.Start(
                [.. watchers], this, static (watcher, service) => watcher.TouchedHere(service));
    }

    public void AddWatcher(WatchSession session) => watchers.Add(session);

    public void RemoveWatcher(WatchSession session)
    {
        if (watchers.Remove(session)) Seen();
    }

    /// <summary>The view as JSON, made once for all who wait for it.</summary>
    public SharedAnswer Answer(ServiceView of, string storeId)
    {
        var known = Volatile.Read(ref answer);
        if (known is not null && ReferenceEquals(known.View, of)) return known;
        var made = SharedAnswer.Of(of, storeId);
        Volatile.Write(ref answer, made);
        return made;
    }

    /// <summary>Completes when some watcher has been sent something, or has left.</summary>
    public Task NextSeen()
    {
        var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref seen, fresh, null) ?? fresh).Task;
    }

    /// <summary>Tells those who wait for watchers to look again.</summary>
    public void Seen()
    {
        // Mostly nobody waits, and ten thousand watchers tell of one change.
        if (Volatile.Read(ref seen) is not null) Interlocked.Exchange(ref seen, null)?.TrySetResult();
    }

    private int Find(string id)
    {
        int low = 0, high = members.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = string.CompareOrdinal(members[middle].Key.Id, id);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return ~low;
    }
}
