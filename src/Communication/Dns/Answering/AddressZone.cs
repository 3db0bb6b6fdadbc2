using System.Globalization;
using System.Net;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Wire;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>
/// Which services are at an address (<c>in-addr.arpa</c>, <c>ip6.arpa</c>). Of other addresses nothing is said: their
/// zones are somebody else's.
/// </summary>
internal sealed class AddressZone(IRegistryView registry, RecordsTable records, Authorizer authorizer)
{
    /// <summary>Services at one address: a machine runs dozens.</summary>
    private const int MaxServices = 64;

    private static readonly DnsName V4 = DnsName.Parse("in-addr.arpa");
    private static readonly DnsName V6 = DnsName.Parse("ip6.arpa");
    private static readonly DnsName Own = DnsName.Parse(ZoneRules.Own);

    /// <summary>Null when no service that may be discovered is at the address.</summary>
    public DnsResponse? Answer(DnsQuery query, Asker asker)
    {
        if (Read(query.Name) is not { } address || records.At(address) is not { } services) return null;
        var response = new DnsResponse { Authoritative = true };
        foreach (var service in services)
        {
            if (response.Answers.Count == MaxServices) break;
            if (registry.Find(service) is null || !asker.MayDiscover(authorizer, service)) continue;
            if (NameOf(service) is { } name)
                response.Answers.Add(DnsRecord.OfName(query.Name, DnsType.Ptr, ServiceZone.TtlSeconds, name));
        }
        return response.Answers.Count == 0 ? null : response;
    }

    /// <summary>The name of a service; null when DNS can have none for it.</summary>
    public static DnsName? NameOf(ServiceKey service) => NameOf(
        service, service.Namespace == Names.DefaultNamespace ? Own : Own.Under(service.Namespace));

    /// <inheritdoc cref="NameOf(ServiceKey)"/>
    /// <param name="zone">That its namespace is in.</param>
    public static DnsName? NameOf(ServiceKey service, DnsName? zone)
    {
        var name = zone?.Under("service");
        // Dots in a service's name part labels.
        foreach (var label in ProtocolNames.ToConsul(service).Split('.').Reverse()) name = name?.Under(label);
        return name;
    }

    private static IPAddress? Read(DnsName name)
    {
        if (name.IsWithin(V4) && name.LabelCount == 6)
        {
            Span<byte> bytes = stackalloc byte[4];
            for (var place = 0; place < 4; place++)
                if (!byte.TryParse(
                    name.Label(place), NumberStyles.None, CultureInfo.InvariantCulture, out bytes[3 - place]))
                    return null;
            return new IPAddress(bytes);
        }
        if (!name.IsWithin(V6) || name.LabelCount != 34) return null;
        Span<char> digits = stackalloc char[32];
        for (var place = 0; place < 32; place++)
        {
            if (name.Label(place) is not [var digit] || !char.IsAsciiHexDigit((char)digit)) return null;
            digits[31 - place] = (char)digit;
        }
        return new IPAddress(Convert.FromHexString(digits));
    }
}
