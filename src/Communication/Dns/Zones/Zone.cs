using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Zones;

/// <summary>What a zone says of one name.</summary>
/// <param name="Records">Of every type; empty where only names below it are.</param>
/// <param name="Service">Whose instances stand under the name; null: none.</param>
/// <param name="ServiceTtl">Seconds, of those.</param>
internal sealed record ZoneNode(ImmutableArray<DnsRecord> Records, ServiceKey? Service = null, uint ServiceTtl = 0)
{
    public static ZoneNode Empty { get; } = new([]);

    public DnsRecord? Cname
    {
        get
        {
            foreach (var record in Records)
                if (record.Type == DnsType.Cname) return record;
            return null;
        }
    }
}

/// <summary>A zone, compiled.</summary>
internal sealed class Zone
{
    private static readonly byte[] Wildcard = "*"u8.ToArray();

    private readonly FrozenDictionary<DnsName, ZoneNode> nodes;
    private readonly ImmutableArray<IPNetwork> clients;

    private Zone(
        DnsName name, uint negativeTtl, uint serial, Dictionary<DnsName, ZoneNode> nodes,
        DnsZoneSpec spec)
    {
        Name = name;
        Forwarders = [.. (spec.Forward ?? []).Select(ZoneRules.ParseServer).OfType<IPEndPoint>()];
        clients = [.. (spec.Clients ?? []).Select(ZoneRules.ParseNetwork).OfType<IPNetwork>()];
        this.nodes = nodes.ToFrozenDictionary();
        Soa = DnsRecord.OfSoa(
            name, negativeTtl, name.Under("ns") ?? name, name.Under("hostmaster") ?? name, serial, negativeTtl);
    }

    public DnsName Name { get; }

    /// <summary>Whom to ask instead; empty for a zone with records.</summary>
    public ImmutableArray<IPEndPoint> Forwarders { get; }

    public DnsRecord Soa { get; }

    /// <summary>Whether a client elsewhere may have the zone's servers asked.</summary>
    public bool Serves(IPAddress client)
    {
        foreach (var network in clients)
            if (network.Contains(client)) return true;
        return false;
    }

    /// <summary>Null when the resource is not understood, as one of a newer version may be.</summary>
    public static Zone? Compile(Resource resource)
    {
        var spec = resource.As<DnsZoneSpec>();
        if (ZoneRules.NameOf(resource.Key.Name) is not { } name) return null;
        var all = new Dictionary<DnsName, ZoneNode> { [name] = ZoneNode.Empty };
        foreach (var record in spec.Records ?? [])
        {
            if (ZoneRules.OwnerOf(name, record.Name) is not { } owner) continue;
            var ttl = (uint)(record.TtlSeconds ?? spec.TtlSeconds);
            var node = all.GetValueOrDefault(owner, ZoneNode.Empty);
            all[owner] = ServiceKey.TryParse(record.Service, Names.DefaultNamespace, out var service)
                ? node with { Service = service, ServiceTtl = ttl }
                : node with
                {
                    Records = node.Records.AddRange(ZoneRules.Read(name, owner, record, ttl, (_, _) => { })),
                };
            // What stands between it and the zone exists, too, with nothing to say.
            for (var above = owner; !above.Equals(name); above = above.Parent) all.TryAdd(above, ZoneNode.Empty);
        }
        return new Zone(
            name, (uint)spec.NegativeTtlSeconds, (uint)resource.Revision, all, spec);
    }

    /// <summary>
    /// What the zone says of a name within it: itself, or by the wildcard of the nearest name above that exists
    /// (RFC 4592); null when there is no such name.
    /// </summary>
    public ZoneNode? Find(DnsName asked)
    {
        if (nodes.TryGetValue(asked, out var exact)) return exact;
        var above = asked;
        while (!above.Equals(Name))
        {
            above = above.Parent;
            if (!nodes.ContainsKey(above)) continue;
            return above.Under(Wildcard) is { } wildcard ? nodes.GetValueOrDefault(wildcard) : null;
        }
        return null;
    }
}
