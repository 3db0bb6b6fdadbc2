using System.Globalization;
using System.Net;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Zones;

/// <summary>What a zone must keep to, and how its texts are read.</summary>
internal static class ZoneRules
{
    /// <summary>The resource that stands for the root: every name that no other zone has.</summary>
    public const string Root = "@";

    /// <summary>The platform's own zone, which no resource replaces.</summary>
    public const string Own = "groundwork";

    /// <summary>Entries of one zone; what fits into a resource that all nodes hold.</summary>
    public const int MaxRecords = 1_000;

    /// <summary>Values of one name and type: an answer over UDP holds some dozens.</summary>
    public const int MaxValues = 64;

    /// <summary>Servers of one zone: the first is asked, the others when it does not answer.</summary>
    public const int MaxForwarders = 4;

    /// <summary>Networks that may have a zone's servers asked.</summary>
    public const int MaxClients = 64;

    /// <summary>Seconds: a day, after which a mistake is forgotten everywhere.</summary>
    public const int MaxTtlSeconds = 86_400;

    /// <summary>Characters of a name as people write it, each byte escaped.</summary>
    public const int MaxNameChars = 4 * DnsLimits.MaxNameBytes;

    /// <summary>Bytes of the data of one record, so that one answer never is a whole message.</summary>
    private const int MaxContentBytes = 1_024;

    private const ushort DnsPort = 53;

    /// <summary>The name of the zone that a resource is; null when its name is none.</summary>
    public static DnsName? NameOf(string resource) =>
        resource == Root ? DnsName.Root : DnsName.TryParse(resource, out var name) && !name.IsRoot ? name : null;

    public static void Check(string resource, DnsZoneSpec spec, ICollection<FieldFault> faults)
    {
        if (NameOf(resource) is not { } zone || resource != resource.ToLowerInvariant() || resource.EndsWith('.'))
        {
            faults.Add(new FieldFault(
                "name", "must be a name of DNS in lower case without its last dot, or @ for every other name"));
            return;
        }
        if (zone.Equals(DnsName.Parse(Own)))
            faults.Add(new FieldFault("name", $"{Own} is the platform's own, and needs no resource"));
        if (spec.Forward is { Count: > 0 } == spec.Records is { Count: > 0 })
            faults.Add(new FieldFault("spec", "has either records or forward"));
        if (zone.IsRoot && spec.Records is { Count: > 0 })
            faults.Add(new FieldFault("spec.records", "cannot be for all names there are; @ takes forward"));
        for (var place = 0; place < (spec.Forward?.Count ?? 0); place++)
            if (ParseServer(spec.Forward![place]) is null) // Counted just above.
                faults.Add(new FieldFault($"spec.forward[{place}]", "must be an IP address, with or without a port"));
        if (spec.Clients is { Count: > 0 } && spec.Forward is not { Count: > 0 })
            faults.Add(new FieldFault("spec.clients", "is for forward; records are answered to whoever asks"));
        for (var place = 0; place < (spec.Clients?.Count ?? 0); place++)
            if (ParseNetwork(spec.Clients![place]) is null) // Counted just above.
                faults.Add(new FieldFault($"spec.clients[{place}]", "must be a network, such as 10.0.0.0/8"));
        CheckRecords(zone, spec, faults);
    }

    /// <summary>The network of <c>10.0.0.0/8</c>, or of one address alone; else null.</summary>
    public static IPNetwork? ParseNetwork(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var single) ? new IPNetwork(single, single.GetAddressBytes().Length * 8)
        : null;

    /// <summary>The server of <c>10.0.0.53</c>, <c>10.0.0.53:5353</c> or <c>[fd00::53]:5353</c>; else null.</summary>
    public static IPEndPoint? ParseServer(string text)
    {
        if (IPAddress.TryParse(text, out var address)) return new IPEndPoint(address, DnsPort);
        return IPEndPoint.TryParse(text, out var server) && server.Port != 0 && text.Contains(
            ':', StringComparison.Ordinal) ? server : null;
    }

    /// <summary>The records of one entry; what is wrong with it comes as a fault.</summary>
    public static List<DnsRecord> Read(
        DnsName zone, DnsName owner, DnsRecordSpec spec, uint ttl, Action<string, string> fault)
    {
        var records = new List<DnsRecord>();
        if (!Enum.TryParse<DnsType>(spec.Type, ignoreCase: true, out var type)
            || type is not (DnsType.A or DnsType.Aaaa or DnsType.Cname or DnsType.Mx or DnsType.Ns or DnsType.Ptr
                or DnsType.Srv or DnsType.Txt) || char.IsAsciiDigit(spec.Type![0])) // Parsed, so not null.
        {
            fault("type", "must be A, AAAA, CNAME, MX, NS, PTR, SRV or TXT");
            return records;
        }
        for (var place = 0; place < (spec.Values?.Count ?? 0); place++)
        {
            var read = Read(zone, owner, type, spec.Values![place], ttl); // Counted just above.
            if (read is { Content.Length: <= MaxContentBytes }) records.Add(read.Value);
            else fault($"values[{place}]", $"is no value of {type.ToString().ToUpperInvariant()}");
        }
        if (records.Count == 0 && spec.Values is not { Count: > 0 }) fault("values", "must have at least one");
        if (type == DnsType.Cname && spec.Values is { Count: > 1 }) fault("values", "a CNAME has one value");
        return records;
    }

    /// <summary>The whole name of an entry; null when it is none within the zone.</summary>
    public static DnsName? OwnerOf(DnsName zone, string name) => name == "@" ? zone : Within(zone, name);

    private static void CheckRecords(DnsName zone, DnsZoneSpec spec, ICollection<FieldFault> faults)
    {
        var owners = new Dictionary<DnsName, (bool Cname, int Others)>();
        for (var place = 0; place < (spec.Records?.Count ?? 0); place++)
        {
            var record = spec.Records![place]; // Counted just above.
            var path = $"spec.records[{place}]";
            if (OwnerOf(zone, record.Name) is not { } owner || !owner.IsWithin(zone))
            {
                faults.Add(new FieldFault($"{path}.name", "must be a name within the zone, @, or *.name"));
                continue;
            }
            var isCname = string.Equals(record.Type, nameof(DnsType.Cname), StringComparison.OrdinalIgnoreCase);
            var known = owners.GetValueOrDefault(owner);
            owners[owner] = isCname ? (true, known.Others + (known.Cname ? 1 : 0)) : (known.Cname, known.Others + 1);
            if (isCname && owner.Equals(zone))
                faults.Add(new FieldFault($"{path}.type", "the zone itself cannot be a CNAME"));
            if (string.Equals(record.Type, nameof(DnsType.Ns), StringComparison.OrdinalIgnoreCase)
                && !owner.Equals(zone))
                faults.Add(new FieldFault($"{path}.type", "zones below are zones of their own, or forwarded"));
            if (record.Service is not null) CheckService(record, path, faults);
            else Read(zone, owner, record, 0, (field, what) => faults.Add(new FieldFault($"{path}.{field}", what)));
        }
        foreach (var (owner, (isCname, others)) in owners)
            if (isCname && others > 0)
                faults.Add(new FieldFault("spec.records", $"{owner} is a CNAME, and can have nothing else"));
    }

    private static void CheckService(DnsRecordSpec record, string path, ICollection<FieldFault> faults)
    {
        if (!ServiceKey.TryParse(record.Service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault($"{path}.service", "must be [namespace/][group@@]service"));
        if (record.Type is not null || record.Values is { Count: > 0 })
            faults.Add(new FieldFault(path, "has a service, or type and values"));
    }

    private static DnsRecord? Read(DnsName zone, DnsName owner, DnsType type, string value, uint ttl)
    {
        switch (type)
        {
            case DnsType.A or DnsType.Aaaa:
                var size = type == DnsType.A ? 4 : 16;
                return IPAddress.TryParse(value, out var address) && address.GetAddressBytes().Length == size
                    && (size == 16 || value.Count(c => c == '.') == 3)
                    ? DnsRecord.OfAddress(owner, ttl, address)
                    : null;
            case DnsType.Txt:
                return DnsRecord.OfTexts(owner, ttl, [value]);
            case DnsType.Cname or DnsType.Ns or DnsType.Ptr:
                return Within(zone, value) is { } target ? DnsRecord.OfName(owner, type, ttl, target) : null;
        }
        var words = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != (type == DnsType.Mx ? 2 : 4) || Within(zone, words[^1]) is not { } host) return null;
        Span<ushort> numbers = stackalloc ushort[3];
        for (var place = 0; place < words.Length - 1; place++)
            if (!ushort.TryParse(words[place], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[place]))
                return null;
        return type == DnsType.Mx
            ? DnsRecord.OfMx(owner, ttl, numbers[0], host)
            : DnsRecord.OfSrv(owner, ttl, numbers[0], numbers[1], numbers[2], host);
    }

    // With its last dot a name is whole; without, it is within the zone.
    private static DnsName? Within(DnsName zone, string text)
    {
        var whole = text.EndsWith('.') || zone.IsRoot ? text : $"{text}.{zone}";
        return DnsName.TryParse(whole, out var name) ? name : null;
    }
}
