using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Communication.Dns.Answering;
using Groundwork.Communication.Dns.Zones;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Dns;

namespace Groundwork.Communication.Dns.Steering;

/// <summary>A rule, compiled.</summary>
internal sealed class SteeringRule
{
    /// <summary>Parts of a hundred that a percentage can tell apart.</summary>
    private const int Parts = 100;

    private readonly DnsRuleSpec spec;
    private readonly ImmutableArray<IPNetwork> networks;
    private readonly (TimeOnly From, TimeOnly Until)? hours;

    private SteeringRule(string name, DnsRuleSpec spec)
    {
        Name = name;
        this.spec = spec;
        networks = [.. (spec.Networks ?? []).Select(ZoneRules.ParseNetwork).OfType<IPNetwork>()];
        hours = spec.Hours is null ? null : RuleRules.ParseHours(spec.Hours);
        Addresses = [.. (spec.Addresses ?? []).Select(RuleRules.ParseAddress).OfType<IPAddress>()];
    }

    public string Name { get; }

    public int Order => spec.Order;

    /// <summary>True when it matters where a client is: an answer then is for its network alone.</summary>
    public bool GoesByNetwork => !networks.IsEmpty || spec.Percent is not null;

    /// <summary>Instead of instances; empty: instances.</summary>
    public ImmutableArray<IPAddress> Addresses { get; }

    public IEnumerable<(DnsName Name, bool IsBelow)> Names => spec.Names.Select(RuleRules.NameOf)
        .OfType<(DnsName, bool)>();

    public static SteeringRule Compile(Resource resource) => new(resource.Key.Name, resource.As<DnsRuleSpec>());

    /// <summary>Whether its conditions hold.</summary>
    public bool Holds(IPAddress client, IReadOnlyDictionary<string, string>? labels, DateTimeOffset now)
    {
        if (spec.From > now || spec.Until <= now) return false;
        if (hours is var (from, until) && !TimeOnly.FromTimeSpan(now.UtcDateTime.TimeOfDay).IsBetween(from, until))
            return false;
        if (!networks.IsEmpty && !IsWithin(client)) return false;
        foreach (var (name, value) in spec.Labels ?? ImmutableDictionary<string, string>.Empty)
            if (labels is null || labels.GetValueOrDefault(name) != value) return false;
        return spec.Percent is not { } percent || PartOf(client) < percent * Parts;
    }

    /// <summary>Those of a service's instances that it leads to; null: none, and the next rule is asked.</summary>
    public ServiceRecords.Subset? Choose(ServiceRecords service)
    {
        if (spec.Zones is null) return service.Choose((this, null), one => Fits(one, null));
        foreach (var zone in spec.Zones)
            if (service.Choose((this, zone), one => Fits(one, zone)) is { } subset) return subset;
        return null;
    }

    private bool Fits(Services.Registry.Instance instance, string? zone) =>
        (zone is null || instance.Zone == zone)
        && (spec.Version is null || instance.Version == spec.Version)
        && (spec.Tag is null || instance.Tags.Contains(spec.Tag, StringComparer.OrdinalIgnoreCase));

    private bool IsWithin(IPAddress client)
    {
        foreach (var network in networks)
            if (network.Contains(client)) return true;
        return false;
    }

    /// <summary>
    /// Where a client's network (a /24, of IPv6 a /56: the client itself changes its address) stands among ten
    /// thousand; of each rule elsewhere, and always the same.
    /// </summary>
    private int PartOf(IPAddress client)
    {
        Span<byte> address = stackalloc byte[16];
        if (!client.TryWriteBytes(address, out var length)) return 0;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. Encoding.UTF8.GetBytes(Name), 0, .. address[..(length == 4 ? 3 : 7)]], hash);
        return (int)(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(hash) % (Parts * 100));
    }
}
