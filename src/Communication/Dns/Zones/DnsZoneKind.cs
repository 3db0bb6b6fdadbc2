using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Dns.Zones;

/// <summary>The kind <c>dns-zone</c>: names of DNS that this platform answers for.</summary>
public static class DnsZoneKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "dns-zone";

    public static Kind<DnsZoneSpec> Kind { get; } = new(Name, DnsZoneJson.Default.DnsZoneSpec)
    {
        Module = DnsModule.ModuleName,
        Summary = "Names of DNS that the platform answers for, with their records, or the servers to ask instead.",
        Namespaced = false,
        ValidateNamed = (key, spec, faults) => ZoneRules.Check(key.Name, spec, faults),
    };
}
