using System.Collections.Frozen;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Zones;

/// <summary>The zones in force, in step with the snapshots.</summary>
internal sealed class ZoneTable : IDisposable
{
    private readonly IDisposable subscription;
    private FrozenDictionary<DnsName, Zone> zones = FrozenDictionary<DnsName, Zone>.Empty;

    public ZoneTable(ISnapshotSource snapshots) => subscription = snapshots.Subscribe(Apply);

    public void Dispose() => subscription.Dispose();

    /// <summary>The zone with the longest name that the asked one is within; null: none.</summary>
    public Zone? Find(DnsName asked)
    {
        var current = Volatile.Read(ref zones);
        if (current.Count == 0) return null;
        for (var name = asked; ; name = name.Parent)
        {
            if (current.TryGetValue(name, out var zone)) return zone;
            if (name.IsRoot) return null;
        }
    }

    // Zones are few and change by hand: all of them are compiled when one changes.
    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(DnsZoneKind.Name)) return;
        var next = new Dictionary<DnsName, Zone>();
        foreach (var (_, resource) in change.After.Of(DnsZoneKind.Name))
            if (Zone.Compile(resource) is { } zone) next[zone.Name] = zone;
        Volatile.Write(ref zones, next.ToFrozenDictionary());
    }
}
