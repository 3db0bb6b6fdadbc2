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

/// <summary>The services by name without regard to case, for protocols that know none. Any thread may ask.</summary>
/// <param name="all">The services that there are; one is among them before it is added here.</param>
public sealed class ServiceNames(Func<IEnumerable<ServiceKey>> all)
{
    private readonly KeyIndex<ServiceKey> byName =
        new(static key => key.ToFullName(), StringComparer.OrdinalIgnoreCase, all);

    /// <summary>What a permission to discover a service is about.</summary>
    public static ResourceKey TargetOf(ServiceKey key) => RegistryAccess.Target(key);

    /// <summary>A service is known from now on.</summary>
    public void Add(ServiceKey key) => byName.Add(key);

    /// <summary>It no longer is.</summary>
    public void Remove(ServiceKey key) => byName.Remove(key);

    /// <summary>
    /// The service of that name. One that has instances counts before those that are only remembered; two that have
    /// some are ambiguous.
    /// </summary>
    /// <param name="fullName"><c>namespace/group@@service</c>, the group always written.</param>
    /// <param name="view">Null unless there is one.</param>
    public NameMatch Find(IRegistryView registry, ReadOnlySpan<char> fullName, out ServiceView? view)
    {
        view = null;
        var withInstances = 0;
        foreach (var key in byName.Find(fullName))
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
    public ImmutableArray<ServiceKey> KeysOf(string fullName) => byName.Find(fullName);
}
