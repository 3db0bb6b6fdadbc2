using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>Puts a service's instances into an answer.</summary>
internal static class ServiceAnswer
{
    /// <summary>Answers of every type at once are given to nobody (RFC 8482); this says so.</summary>
    private static readonly byte[] Rfc8482 = [7, .. "RFC8482"u8, 0];

    /// <param name="zone">Under which addresses have their names.</param>
    /// <returns>False when no instance has the tag: there is no such name.</returns>
    public static bool Fill(
        DnsResponse response, DnsType type, DnsName owner, ServiceRecords service, string? tag, uint ttl, DnsName zone)
    {
        if (service.With(tag) is not { } subset) return false;
        Fill(response, type, owner, subset, ttl, zone);
        return true;
    }

    /// <summary>The same of some of them.</summary>
    public static void Fill(
        DnsResponse response, DnsType type, DnsName owner, ServiceRecords.Subset subset, uint ttl, DnsName zone)
    {
        switch (type)
        {
            case DnsType.A:
                AddAddresses(response, subset.IPv4, subset, owner, ttl);
                break;
            case DnsType.Aaaa:
                AddAddresses(response, subset.IPv6, subset, owner, ttl);
                break;
            case DnsType.Cname:
                AddHost(response, subset, owner, ttl);
                break;
            case DnsType.Srv:
                AddServers(response, subset.All, owner, ttl, zone);
                break;
            case DnsType.Txt:
                Span<int> drawn = stackalloc int[CalleeSet.MaxDrawn];
                foreach (var place in drawn[..subset.All.Draw(drawn)])
                    response.Answers.Add(subset.All[place].ToTexts(owner, ttl));
                break;
            case DnsType.Any:
                response.Answers.Add(new DnsRecord(owner, DnsType.Hinfo, ttl, Rfc8482));
                break;
        }
    }

    private static void AddAddresses(
        DnsResponse response, CalleeSet addresses, ServiceRecords.Subset subset, DnsName owner, uint ttl)
    {
        Span<int> drawn = stackalloc int[CalleeSet.MaxDrawn];
        foreach (var place in drawn[..addresses.Draw(drawn)])
            response.Answers.Add(addresses[place].ToAddress(owner, ttl));
        // A name has either addresses or one other name.
        if (subset.IPv4.Count + subset.IPv6.Count == 0) AddHost(response, subset, owner, ttl);
    }

    private static void AddHost(DnsResponse response, ServiceRecords.Subset subset, DnsName owner, uint ttl)
    {
        if (subset.IPv4.Count + subset.IPv6.Count > 0) return;
        Span<int> drawn = stackalloc int[CalleeSet.MaxDrawn];
        if (subset.Named.Draw(drawn) > 0 && subset.Named[drawn[0]].HostName is { } host)
            response.Answers.Add(DnsRecord.OfName(owner, DnsType.Cname, ttl, host));
    }

    private static void AddServers(DnsResponse response, CalleeSet all, DnsName owner, uint ttl, DnsName zone)
    {
        Span<int> drawn = stackalloc int[CalleeSet.MaxDrawn];
        foreach (var place in drawn[..all.Draw(drawn)])
        {
            var callee = all[place];
            if (callee.ToSrv(owner, ttl, zone) is not { } server) continue;
            response.Answers.Add(server);
            if (callee.Address is null || callee.TargetUnder(zone) is not { } target) continue;
            var address = callee.ToAddress(target, ttl);
            if (!response.Additional.Any(known => known.Name.Equals(target))) response.Additional.Add(address);
        }
    }
}
