using System.Collections.Concurrent;
using System.Collections.Immutable;
using Groundwork.Kernel.Resources;

namespace Groundwork.Services.Registry.Protocols;

/// <summary>How a name that is matched without regard to case was found.</summary>
public enum NameMatch
{
    /// <summary>No service is called so.</summary>
    None,

    /// <summary>One is.</summary>
    One,

    /// <summary>Several differ only in case: the protocol refuses to choose.</summary>
    Ambiguous,
}

/// <summary>
/// The services by name without regard to case, for protocols that know none. Kept by whoever keeps the services, from
/// the first question on: where nobody asks it holds nothing. Any thread may ask.
/// </summary>
/// <param name="all">The services that there are; one is among them before it is added here.</param>
public sealed class ServiceNames(Func<IEnumerable<ServiceKey>> all)
{
    private readonly ConcurrentDictionary<string, ImmutableArray<ServiceKey>> byName =
        new(StringComparer.OrdinalIgnoreCase);

    private readonly Lock filling = new();
    private volatile bool isKept; // What is added is taken.
    private volatile bool isFilled; // So is what was there before.

    /// <summary>What a permission to discover a service is about.</summary>
    public static ResourceKey TargetOf(ServiceKey key) => RegistryAccess.Target(key);

    /// <summary>A service is known from now on.</summary>
    public void Add(ServiceKey key)
    {
        if (isKept) Put(key);
    }

    /// <summary>It no longer is.</summary>
    public void Remove(ServiceKey key)
    {
        var name = key.ToFullName();
        while (byName.TryGetValue(name, out var known))
        {
            var left = known.Remove(key);
            var done = left.IsEmpty
                ? byName.TryRemove(KeyValuePair.Create(name, known))
                : byName.TryUpdate(name, left, known);
            if (done) return;
        }
    }

    /// <summary>
    /// The service of that name. One that has instances counts before those that are only remembered; two that have
    /// some are ambiguous.
    /// </summary>
    /// <param name="fullName"><c>namespace/group@@service</c>, the group always written.</param>
    /// <param name="view">Null unless there is one.</param>
    public NameMatch Find(IRegistryView registry, ReadOnlySpan<char> fullName, out ServiceView? view)
    {
        view = null;
        if (!isFilled) Fill();
        if (!byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(fullName, out var keys)) return NameMatch.None;
        var withInstances = 0;
        foreach (var key in keys)
        {
            if (registry.Find(key) is not { } found) continue;
            if (!found.Instances.IsEmpty) withInstances++;
            if (view is null || !found.Instances.IsEmpty) view = found;
        }
        if (withInstances > 1)
        {
            view = null;
            return NameMatch.Ambiguous;
        }
        return view is null ? NameMatch.None : NameMatch.One;
    }

    /// <summary>All services of that name, with instances or only remembered.</summary>
    /// <param name="fullName"><c>namespace/group@@service</c>, the group always written.</param>
    public ImmutableArray<ServiceKey> KeysOf(string fullName)
    {
        if (!isFilled) Fill();
        return byName.TryGetValue(fullName, out var keys) ? keys : [];
    }

    // A service that goes while this runs may leave its name behind, which then leads nowhere.
    private void Fill()
    {
        lock (filling)
        {
            if (isFilled) return;
            isKept = true; // First, so that none is missed that comes meanwhile.
            foreach (var key in all()) Put(key);
            isFilled = true;
        }
    }

    private void Put(ServiceKey key) => byName.AddOrUpdate(
        key.ToFullName(),
        static (_, added) => [added],
        static (_, known, added) => known.Contains(added) ? known : known.Add(added),
        key);
}
