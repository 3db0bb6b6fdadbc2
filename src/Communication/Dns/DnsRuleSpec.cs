using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Communication.Dns.Steering;

namespace Groundwork.Communication.Dns;

/// <summary>
/// Which addresses some clients get for names of zones. Of the rules of a name the first whose conditions hold, and
/// that leads to anything, decides; else all that there is.
/// </summary>
public sealed record DnsRuleSpec(
    [Description("Names of zones, such as api.corp.example or *.corp.example.")]
    [Length(1, RuleRules.MaxNames)]
    IReadOnlyList<string> Names,
    [Description("Rules are asked in this order, the lowest first; of equals by name. -10,000 to 10,000.")]
    [Range(-RuleRules.MaxOrder, RuleRules.MaxOrder)]
    int Order = 0,
    [Description("Clients in one of these networks, such as 10.0.0.0/8.")]
    [Length(1, RuleRules.MaxNetworks)]
    IReadOnlyList<string>? Networks = null,
    [Description("Clients that say all of this of themselves; over HTTPDNS, by sdns-NAME and tags.")]
    IReadOnlyDictionary<string, string>? Labels = null,
    [Description("So many in a hundred clients, always the same ones, 0 to 100.")]
    [Range(0, 100)]
    double? Percent = null,
    [Description("From then on.")]
    DateTimeOffset? From = null,
    [Description("Until then.")]
    DateTimeOffset? Until = null,
    [Description("Between these times of day, in UTC, such as 22:00-06:00.")]
    string? Hours = null,
    [Description("Instances of the first of these zones (places) that has any.")]
    [Length(1, RuleRules.MaxPlaces)]
    IReadOnlyList<string>? Zones = null,
    [Description("Instances of this version.")]
    string? Version = null,
    [Description("Instances with this tag.")]
    string? Tag = null,
    [Description("These addresses, whatever instances there are.")]
    [Length(1, RuleRules.MaxAddresses)]
    IReadOnlyList<string>? Addresses = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DnsRuleSpec))]
internal sealed partial class DnsRuleJson : JsonSerializerContext;
