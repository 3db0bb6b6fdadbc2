using System.Collections.Concurrent;
using System.Net;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>What DNS says of services, made when it is asked for and kept until the service changes.</summary>
internal sealed class RecordsTable(IRegistryView registry, TimeProvider time)
{
    /// <summary>Services whose records are kept; one more, and all are made again as they are asked for.</summary>
    private const int MaxKept = 20_000;

    /// <summary>
    /// How old the list of addresses may be: a walk over every instance, which nobody may cause with each question.
    /// </summary>
    private static readonly TimeSpan AddressesAge = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<ServiceKey, ServiceRecords> kept = new();
    private readonly Lock gate = new();
    private Dictionary<IPAddress, List<ServiceKey>> byAddress = []; // Swapped under the gate.
    private long madeAt;
    private bool made;

    public ServiceRecords Of(ServiceView view)
    {
        if (kept.TryGetValue(view.Key, out var known) && ReferenceEquals(known.View, view)) return known;
        if (kept.Count >= MaxKept) kept.Clear();
        return kept[view.Key] = new ServiceRecords(view);
    }

    /// <summary>The services that have a callable instance at an address; null: none.</summary>
    public IReadOnlyList<ServiceKey>? At(IPAddress address)
    {
        lock (gate)
        {
            if (!made || time.GetElapsedTime(madeAt) > AddressesAge)
            {
                byAddress = MakeByAddress();
                (made, madeAt) = (true, time.GetTimestamp());
            }
            return byAddress.GetValueOrDefault(address);
        }
    }

    private Dictionary<IPAddress, List<ServiceKey>> MakeByAddress()
    {
        var all = new Dictionary<IPAddress, List<ServiceKey>>();
        foreach (var view in registry.Views)
        {
            foreach (var instance in view.Callable)
            {
                if (!IPAddress.TryParse(instance.Host, out var address)) continue;
                if (!all.TryGetValue(address, out var services)) all[address] = services = [];
                // The instances of a service come one after the other.
                if (services.Count == 0 || services[^1] != view.Key) services.Add(view.Key);
            }
        }
        return all;
    }
}
