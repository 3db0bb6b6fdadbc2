using System.Net;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Communication.Dns.Protocols.Plain;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Protocols.HttpDns;

/// <summary>What one name has: its addresses of one family.</summary>
/// <param name="Exists">False when there is no such name at all.</param>
internal sealed record FoundAddresses(IReadOnlyList<string> Addresses, uint Ttl, bool Exists);

/// <summary>The addresses of names, as every dialect of HTTPDNS wants them.</summary>
internal sealed class HttpDnsNames(NameService names, DnsFigures figures)
{
    /// <summary>Names in one request.</summary>
    public const int MaxHosts = 5;

    /// <summary>Seconds for which it may be kept that a name has none, where no zone says so.</summary>
    private const uint NegativeTtl = 10;

    /// <summary>The names of <c>a.com,b.com</c>; null when one is none.</summary>
    public static List<(string Text, DnsName Name)>? Read(string hosts)
    {
        var read = new List<(string, DnsName)>();
        foreach (var host in hosts.Split(','))
        {
            if (!DnsName.TryParse(host, out var name) || name.IsRoot) return null;
            read.Add((host, name));
        }
        return read;
    }

    public async ValueTask<FoundAddresses> FindAsync(
        DnsName name, DnsType type, IPAddress client, IReadOnlyDictionary<string, string>? labels,
        CancellationToken cancellationToken)
    {
        var response = await names.ResolveAsync(
            DnsQuery.Of(name, type), Asker.OfZones(client, labels), cancellationToken);
        figures.Answered(DnsTransport.HttpDns, response.Rcode);
        var addresses = response.Answers.Where(record => record.Type == type)
            .Select(record => DnsText.Describe(record));
        return new FoundAddresses(
            [.. addresses],
            response.Answers.Count + response.Authority.Count == 0 ? NegativeTtl : response.CacheSeconds,
            response.Rcode == DnsRcode.NoError);
    }
}
