using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Communication.Dns.Zones;

namespace Groundwork.Communication.Dns;

/// <summary>
/// A DNS zone: the names at and below the resource's own name. It has records, or says whom to ask. The zone <c>@</c>
/// is of all names that no other has.
/// </summary>
public sealed record DnsZoneSpec(
    [Description("What the zone says of its names.")]
    [Length(0, ZoneRules.MaxRecords)]
    IReadOnlyList<DnsRecordSpec>? Records = null,
    [Description(
        "Servers that are asked instead, the first that answers, such as 10.0.0.53 or [fd00::53]:5353. A zone has "
        + "records or these.")]
    [Length(1, ZoneRules.MaxForwarders)]
    IReadOnlyList<string>? Forward = null,
    [Description(
        "Networks whose questions are passed on to those servers, such as 10.0.0.0/8, besides programs of this "
        + "machine.")]
    [Length(1, ZoneRules.MaxClients)]
    IReadOnlyList<string>? Clients = null,
    [Description("How long an answer may be kept, 0 to 86,400.")]
    [Range(0, ZoneRules.MaxTtlSeconds)]
    int TtlSeconds = 60,
    [Description("How long it may be kept that there is no such name or record, 0 to 86,400.")]
    [Range(0, ZoneRules.MaxTtlSeconds)]
    int NegativeTtlSeconds = 10);

/// <summary>Records of one name and type, or the instances of a service under a name.</summary>
public sealed record DnsRecordSpec(
    [Description("The name within the zone, such as www; @ is the zone itself, *.x stands for all names below x.")]
    [Length(1, ZoneRules.MaxNameChars)]
    string Name,
    [Description("A, AAAA, CNAME, MX, NS, PTR, SRV or TXT; left out where service is given.")]
    string? Type = null,
    [Description(
        "One record each, as zone files have it: 10.0.0.1; 10 mail.example.com.; 1 100 8080 host.example.com.; a text. "
        + "Names without a last dot are within the zone.")]
    [Length(1, ZoneRules.MaxValues)]
    IReadOnlyList<string>? Values = null,
    [Description("[namespace/][group@@]service: its instances that may be called are what A, AAAA and SRV say.")]
    string? Service = null,
    [Description("Instead of the zone's own, 0 to 86,400.")]
    [Range(0, ZoneRules.MaxTtlSeconds)]
    int? TtlSeconds = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DnsZoneSpec))]
internal sealed partial class DnsZoneJson : JsonSerializerContext;
