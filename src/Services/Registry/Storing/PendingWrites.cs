namespace Groundwork.Services.Registry.Storing;

/// <summary>What kind of write waits for an instance.</summary>
internal enum PendingKind : byte
{
    /// <summary>Some change of a registered instance: health, owner, status.</summary>
    Change,

    /// <summary>A registration; it overwrites a removal.</summary>
    Registration,

    /// <summary>The instance or an operator removed it.</summary>
    Deregistration,

    /// <summary>Its lease ran out here; void if another node has taken it over.</summary>
    Expiry,
}

/// <summary>The newest unwritten change of one instance; earlier ones are covered by it.</summary>
internal readonly record struct PendingInstance(
    InstanceState State, long Number, PendingKind Kind, string? Reason, string? Principal)
{
    public bool Removes => Kind is PendingKind.Deregistration or PendingKind.Expiry;
}

/// <summary>The newest unwritten number of one service.</summary>
internal readonly record struct PendingService(long Number, string? EmptyReason)
{
    /// <summary>Stands for the number of a service that is dropped.</summary>
    public const long Forgotten = -1;
}

/// <summary>
/// Changes that callers have seen and the store has not: one entry per instance and per service, however often they
/// change. Taken whole by <see cref="StoreSync"/>, and given back when the store is away.
/// </summary>
internal sealed class PendingWrites
{
    /// <summary>Events that wait for a store that is away: about 20 MB.</summary>
    private const int MaxEvents = 100_000;

    private readonly Lock gate = new(); // Innermost lock.
    private readonly Signal arrived = new();
    private Dictionary<InstanceKey, PendingInstance> instances = [];
    private Dictionary<ServiceKey, PendingService> services = [];
    private Dictionary<ServiceKey, Queue<RegistryEvent>> events = [];
    private int eventCount;

    public int Count
    {
        get
        {
            lock (gate) return instances.Count + services.Count + eventCount;
        }
    }

    /// <summary>True while some of the history is not written.</summary>
    public bool HasEvents
    {
        get
        {
            lock (gate) return eventCount > 0;
        }
    }

    /// <summary>
    /// Something to write into the history. Of one service only the last stay, as in the store; over all of them a
    /// history that cannot be written is given up before memory is.
    /// </summary>
    public void Note(RegistryEvent happened)
    {
        lock (gate)
        {
            if (!events.TryGetValue(happened.Service, out var queue))
            {
                if (eventCount >= MaxEvents) return;
                events[happened.Service] = queue = new Queue<RegistryEvent>();
            }
            queue.Enqueue(happened);
            eventCount++;
            if (queue.Count <= EventStore.PerService && eventCount <= MaxEvents) return;
            queue.Dequeue();
            eventCount--;
        }
    }

    /// <summary>Takes the history that waits.</summary>
    public Queue<RegistryEvent> TakeEvents()
    {
        lock (gate)
        {
            var taken = new Queue<RegistryEvent>(events.Values.SelectMany(queue => queue));
            events = [];
            eventCount = 0;
            return taken;
        }
    }

    public void Note(PendingInstance change)
    {
        lock (gate)
        {
            var key = change.State.Key;
            // A registration stays one until it is written, whatever happens to the instance meanwhile.
            if (change.Kind == PendingKind.Change
                && instances.TryGetValue(key, out var before)
                && before.Kind == PendingKind.Registration) change = change with { Kind = PendingKind.Registration };
            instances[key] = change;
        }
        arrived.Set();
    }

    public void Note(ServiceKey service, long number, string? emptyReason)
    {
        lock (gate) services[service] = new PendingService(number, emptyReason);
        arrived.Set();
    }

    /// <summary>The service is dropped, here and in the store.</summary>
    public void Forget(ServiceKey service) => Note(service, PendingService.Forgotten, emptyReason: null);

    /// <summary>Wakes the loop without a change: a drain waits for the store.</summary>
    public void Hurry() => arrived.Set();

    public PendingInstance? Find(InstanceKey key)
    {
        lock (gate) return instances.TryGetValue(key, out var change) ? change : null;
    }

    /// <summary>Forgets a change that a newer fact from another node has overtaken.</summary>
    public void Drop(InstanceKey key)
    {
        lock (gate) instances.Remove(key);
    }

    /// <summary>Takes everything.</summary>
    public (Dictionary<InstanceKey, PendingInstance> Instances, Dictionary<ServiceKey, PendingService> Services) Take()
    {
        lock (gate)
        {
            var taken = (instances, services);
            instances = [];
            services = [];
            return taken;
        }
    }

    /// <summary>Puts back what could not be written; what was noted since is newer and stays.</summary>
    public void GiveBack(
        IEnumerable<KeyValuePair<InstanceKey, PendingInstance>> unwritten,
        IEnumerable<KeyValuePair<ServiceKey, PendingService>> unwrittenServices)
    {
        lock (gate)
        {
            foreach (var (key, change) in unwritten)
            {
                if (instances.TryAdd(key, change) || change.Kind != PendingKind.Registration) continue;
                if (instances[key].Kind == PendingKind.Change)
                    instances[key] = instances[key] with { Kind = PendingKind.Registration };
            }
            foreach (var (key, number) in unwrittenServices) services.TryAdd(key, number);
        }
    }

    /// <summary>Completes when there may be something to take, or after the time given. One waiter.</summary>
    public Task WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken) =>
        arrived.WaitAsync(patience, time, cancellationToken);
}
