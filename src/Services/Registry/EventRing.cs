namespace Groundwork.Services.Registry;

/// <summary>What can happen to an instance, or to the registry itself.</summary>
internal enum RegistryEventKind : byte
{
    Registered,
    Updated,

    /// <summary>An instance that was suspect or expired renewed its lease.</summary>
    Renewed,
    Suspect,

    /// <summary>The lease ran out and the instance was evicted.</summary>
    Expired,

    /// <summary>The lease ran out and the instance stays listed.</summary>
    Held,
    Deregistered,
    Draining,
    Unhealthy,
    Healthy,

    /// <summary>A drain was taken back.</summary>
    Undrained,

    /// <summary>The prober's check changed its state.</summary>
    Probed,

    /// <summary>An operator's override of an instance was written or removed.</summary>
    Overridden,

    /// <summary>The policy of the service was written or removed.</summary>
    Policy,

    /// <summary>The process stood still, and every lease had the time added.</summary>
    Stalled,
}

/// <summary>One thing that happened.</summary>
/// <param name="Index">The service's index after it.</param>
/// <param name="Id">The instance; null for a service as a whole, or for the registry itself.</param>
/// <param name="Principal">Null when the registry did it.</param>
internal readonly record struct RegistryEvent(
    long UtcTicks, long Index, RegistryEventKind Kind, ServiceKey Service, string? Id, string Reason,
        string? Principal);

/// <summary>The last so many events of one owner, who has a lock: not safe for threads.</summary>
/// <param name="service">The service whose events they are; null for those of all.</param>
internal sealed class EventRing(int capacity, ServiceKey? service = null)
{
    /// <summary>Events kept of one service: a day of a calm one, the last wave of a restless one.</summary>
    public const int PerService = 64;

    /// <summary>Events kept over all services.</summary>
    public const int PerRegistry = 4096;

    private readonly ServiceKey[]? services = service is null ? new ServiceKey[capacity] : null;
    private Entry[] entries = [];
    private int next; // Where the next event goes once the ring is full.
    private int count;

    public void Add(RegistryEvent happened)
    {
        var place = count < capacity ? count++ : next;
        if (count < capacity) next = 0;
        else next = (place + 1) % capacity;
        if (place == entries.Length) Array.Resize(ref entries, Math.Min(capacity, Math.Max(1, place * 2)));
        entries[place] = new Entry(
            happened.UtcTicks, happened.Index, happened.Id, happened.Reason, happened.Principal, happened.Kind);
        if (services is not null) services[place] = happened.Service;
    }

    /// <summary>Newest first.</summary>
    public IEnumerable<RegistryEvent> Newest()
    {
        for (var back = 1; back <= count; back++)
        {
            var place = (next + count - back) % count;
            var entry = entries[place];
            yield return new RegistryEvent(
                entry.UtcTicks,
                entry.Index,
                entry.Kind,
                service ?? services![place], // One of the two is there, by construction.
                entry.Id,
                entry.Reason,
                entry.Principal);
        }
    }

    // Every registration leaves one, so its size counts: 48 bytes without the service's name.
    private readonly record struct Entry(
        long UtcTicks, long Index, string? Id, string Reason, string? Principal, RegistryEventKind Kind);
}
