using Groundwork.Communication.Dns.Steering;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>What a question leads to: an answer, or servers that are to be asked.</summary>
internal readonly record struct Answered(DnsResponse? Response, Zone? Ask)
{
    public static implicit operator Answered(DnsResponse response) => new(response, null);
}

/// <summary>Answers questions from what is in memory; the same for every protocol that asks for names.</summary>
internal sealed class NameAnswerer(
    IRegistryView registry, ZoneTable zones, RuleTable rules, RecordsTable records, Authorizer authorizer,
    TimeProvider time)
{
    /// <summary>
    /// CNAMEs that are followed: chains are one or two long, and a circle must end.
    /// </summary>
    private const int MaxChain = 8;

    private readonly ServiceZone own =
        new(DnsName.Parse(ZoneRules.Own), isConsul: false, registry, records, authorizer);

    private readonly ServiceZone consul = new(DnsName.Parse("consul"), isConsul: true, registry, records, authorizer);
    private readonly AddressZone addresses = new(registry, records, authorizer);

    public Answered Answer(DnsQuery query, Asker asker)
    {
        if (query.HasEdns && query.EdnsVersion != 0) return new DnsResponse { Rcode = DnsRcode.BadVers };
        if (query.Class != DnsLimits.ClassInternet)
            return DnsResponse.Refused(DnsExplanation.NotAuthoritative, "only the class IN is answered");
        if (query.Type is DnsType.Axfr or DnsType.Ixfr)
            return DnsResponse.Refused(DnsExplanation.Prohibited, "zones are not given as a whole");
        if (query.Name.IsWithin(own.Name)) return own.Answer(query, asker);
        // A zone of the same name stands before what Consul's names mean here.
        if (zones.Find(query.Name) is { Name.IsRoot: false } zone)
            return zone.Forwarders.IsEmpty ? OfZone(query, zone, asker) : Ask(query, zone, asker);
        if (query.Name.IsWithin(consul.Name)) return consul.Answer(query, asker);
        if (query.Type is DnsType.Ptr or DnsType.Any && addresses.Answer(query, asker) is { } reversed) return reversed;
        return zones.Find(query.Name) is { } rest ? Ask(query, rest, asker) : DnsResponse.Refused(
            DnsExplanation.NotAuthoritative, "no zone has this name, and nobody is to be asked");
    }

    private static Answered Ask(DnsQuery query, Zone zone, Asker asker) => !query.RecursionDesired
        ? DnsResponse.Refused(
            DnsExplanation.NotAuthoritative, "others answer for this name; recursion is not asked for")
        : asker.IsLocal || zone.Serves(asker.Address)
            ? new Answered(null, zone)
            : DnsResponse.Refused(DnsExplanation.Prohibited, "others are asked for the clients of the zone alone");

    private DnsResponse OfZone(DnsQuery query, Zone zone, Asker asker)
    {
        var response = new DnsResponse { Authoritative = true };
        var (owner, at) = (query.Name, zone);
        for (var links = 0; links < MaxChain; links++)
        {
            var node = at.Find(owner);
            if (node is null)
            {
                response.Rcode = DnsRcode.NxDomain;
                response.Authority.Add(at.Soa);
                return response;
            }
            if (node.Cname is not { } cname || query.Type is DnsType.Cname or DnsType.Any)
            {
                Fill(response, query, owner, at, node, asker);
                return response;
            }
            response.Answers.Add(cname with { Name = owner });
            // Where it leads to somebody else's name, the resolver goes on by itself.
            owner = cname.Target;
            if (owner.IsWithin(own.Name))
            {
                Append(response, own.Answer(query, asker, owner));
                return response;
            }
            if (zones.Find(owner) is not { Name.IsRoot: false, Forwarders.IsEmpty: true } next) return response;
            at = next;
        }
        return response;
    }

    private void Fill(
        DnsResponse response, DnsQuery query, DnsName owner, Zone zone, ZoneNode node, Asker asker)
    {
        var aliases = response.Answers.Count;
        if (!(query.Type is DnsType.A or DnsType.Aaaa or DnsType.Srv)
            || !TrySteer(response, query, owner, node, asker)) FillAll(response, query, owner, zone, node);
        // Of the name where the aliases end there is nothing, which is kept as long as that zone says (RFC 2308, 2.2).
        if (response.Answers.Count == aliases) response.Authority.Add(zone.Soa);
    }

    private void FillAll(DnsResponse response, DnsQuery query, DnsName owner, Zone zone, ZoneNode node)
    {
        if (query.Type == DnsType.Soa && owner.Equals(zone.Name)) response.Answers.Add(zone.Soa);
        foreach (var record in node.Records)
            if (record.Type == query.Type || query.Type == DnsType.Any)
                response.Answers.Add(record with { Name = owner });
        if (node.Service is { } service && registry.Find(service) is { } view)
            ServiceAnswer.Fill(response, query.Type, owner, records.Of(view), null, node.ServiceTtl, own.Name);
    }

    /// <summary>
    /// Answers by the first rule of the name that holds and leads to anything, if only for another type: a client that
    /// asks for A and AAAA is to end in one place.
    /// </summary>
    private bool TrySteer(DnsResponse response, DnsQuery query, DnsName owner, ZoneNode node, Asker asker)
    {
        var client = query.ClientSubnet?.Address ?? asker.Address;
        foreach (var rule in rules.Of(owner))
        {
            if (rule.GoesByNetwork) response.SubnetScope = query.ClientSubnet?.PrefixLength;
            if (!rule.Holds(client, asker.Labels, time.GetUtcNow())) continue;
            var ttl = node.Service is null ? node.Records.FirstOrDefault().Ttl : node.ServiceTtl;
            if (!rule.Addresses.IsEmpty)
            {
                foreach (var address in rule.Addresses)
                {
                    var record = DnsRecord.OfAddress(owner, ttl, address);
                    if (record.Type == query.Type) response.Answers.Add(record);
                }
                return true;
            }
            if (node.Service is not { } service || registry.Find(service) is not { } view
                || rule.Choose(records.Of(view)) is not { } subset) continue;
            ServiceAnswer.Fill(response, query.Type, owner, subset, ttl, own.Name);
            return true;
        }
        return false;
    }

    private static void Append(DnsResponse response, DnsResponse rest)
    {
        response.Rcode = rest.Rcode;
        response.Explanation = rest.Explanation;
        response.Answers.AddRange(rest.Answers);
        response.Authority.AddRange(rest.Authority);
        response.Additional.AddRange(rest.Additional);
    }
}
