using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Groundwork.Services.Registry;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Answering;

/// <summary>An instance as DNS can say it, put into bytes once.</summary>
internal sealed class Callee
{
    /// <summary>Below this label, under the zone, an address has a name: what SRV needs for a target.</summary>
    public const string AddressLabel = "addr";

    private readonly byte[] content;
    private volatile SrvUnder? srv; // Of the zone that was asked last; any thread.

    public Callee(Instance instance)
    {
        Instance = instance;
        // Of weight 0 none is called; the field of SRV has 16 bits, and a weight is at most 10,000.
        Weight = Math.Max(1, instance.Weight);
        Address = IPAddress.TryParse(instance.Host, out var address) ? Plain(address) : null;
        content = Address?.GetAddressBytes() ?? [];
        HostName = Address is null && DnsName.TryParse(instance.Host, out var host) && !host.IsRoot ? host : null;
    }

    public Instance Instance { get; }

    public int Weight { get; }

    /// <summary>Null when the instance names its host.</summary>
    public IPAddress? Address { get; }

    /// <summary>Null when it has an address, or a name that DNS cannot have.</summary>
    public DnsName? HostName { get; }

    public bool IsIPv4 => Address is { AddressFamily: AddressFamily.InterNetwork };

    public bool IsIPv6 => Address is { AddressFamily: AddressFamily.InterNetworkV6 };

    /// <summary>A or AAAA; only of one that has an address.</summary>
    public DnsRecord ToAddress(DnsName owner, uint ttl) =>
        new(owner, IsIPv4 ? DnsType.A : DnsType.Aaaa, ttl, content);

    /// <summary>Null when there is no name for its host.</summary>
    public DnsRecord? ToSrv(DnsName owner, uint ttl, DnsName zone)
    {
        var known = srv;
        if (known is null || !ReferenceEquals(known.Zone, zone))
        {
            if (TargetUnder(zone) is not { } target) return null;
            srv = known = new SrvUnder(
                zone, DnsRecord.OfSrv(owner, ttl, 1, (ushort)Instance.Weight, (ushort)Instance.Port, target).Content);
        }
        return new DnsRecord(owner, DnsType.Srv, ttl, known.Content);
    }

    /// <summary>The name that the address has under a zone, or the host's own.</summary>
    public DnsName? TargetUnder(DnsName zone) =>
        Address is null ? HostName : zone.Under(AddressLabel)?.Under(Convert.ToHexStringLower(content));

    /// <summary>What it says of itself, as DNS-SD has it: one text a pair.</summary>
    public DnsRecord ToTexts(DnsName owner, uint ttl)
    {
        var texts = new List<string>
        {
            $"id={Instance.Key.Id}",
            string.Create(CultureInfo.InvariantCulture, $"port={Instance.Port}"),
            string.Create(CultureInfo.InvariantCulture, $"weight={Instance.Weight}"),
        };
        if (Instance.Version is { } version) texts.Add($"version={version}");
        if (Instance.Zone is { } zone) texts.Add($"zone={zone}");
        foreach (var tag in Instance.Tags) texts.Add($"tag={tag}");
        // What is longer than one text is not cut: half a value is a wrong one.
        foreach (var (key, value) in Instance.Metadata)
            if (System.Text.Encoding.UTF8.GetByteCount(key) + System.Text.Encoding.UTF8.GetByteCount(value) + 1
                <= DnsRecord.MaxTextBytes && texts.Count < MaxTexts) texts.Add($"{key}={value}");
        return DnsRecord.OfTexts(owner, ttl, texts);
    }

    /// <summary>Texts of one instance: what an answer over UDP can hold of one.</summary>
    private const int MaxTexts = 24;

    private static IPAddress Plain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        // A scope means something on the instance's machine alone.
        return address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0
            ? new IPAddress(address.GetAddressBytes())
            : address;
    }

    private sealed record SrvUnder(DnsName Zone, ReadOnlyMemory<byte> Content);
}
