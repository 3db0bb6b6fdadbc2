using System.Collections.Immutable;

namespace Groundwork.Services.Registry;

/// <summary>
/// Tells whether a registration says anything new. The records' own equality does not look into collections, and health
/// is not the caller's to say. Where a registration came from is no news: through proxies it is another place each
/// time.
/// </summary>
internal static class Sameness
{
    public static bool Of(Instance a, Instance b) =>
        a.Host == b.Host
        && a.Port == b.Port
        && a.Scheme == b.Scheme
        && a.Weight == b.Weight
        && a.Status == b.Status
        && a.Version == b.Version
        && a.Zone == b.Zone
        && a.Cluster == b.Cluster
        && a.Ephemeral == b.Ephemeral
        && a.LeaseSeconds == b.LeaseSeconds
        && a.Incarnation == b.Incarnation
        && a.RegisteredBy == b.RegisteredBy
        && a.Tags.AsSpan().SequenceEqual(b.Tags.AsSpan())
        && a.Checks.AsSpan().SequenceEqual(b.Checks.AsSpan())
        && Same(a.Ports, b.Ports)
        && a.Metadata.Equals(b.Metadata)
        && a.Extensions.Equals(b.Extensions);

    private static bool Same(ImmutableSortedDictionary<string, int> a, ImmutableSortedDictionary<string, int> b)
    {
        if (ReferenceEquals(a, b)) return true;
        if (a.Count != b.Count) return false;
        foreach (var (name, value) in a)
            if (!b.TryGetValue(name, out var other) || value != other) return false;
        return true;
    }
}
