using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Groundwork.Communication.Gateway;

/// <summary>Requests shared out between several targets by weight.</summary>
public sealed record SplitSpec(
    [Description("The targets, 1 to 16.")]
    [Length(1, DeliveryRules.MaxParts)]
    IReadOnlyList<SplitPart> Parts,
    [Description(
        "What keeps a caller at one of them: client, header:NAME, cookie:NAME, query:NAME or path:NAME. Chance when "
        + "not given, and for a request without it.")]
    string? By = null);

/// <summary>One target of several: a service or an upstream, or some of its instances.</summary>
public sealed record SplitPart(
    [Description("Its share of all weights; 0 to 10,000.")]
    [Range(0, DeliveryRules.MaxWeight)]
    int Weight,
    [Description("[namespace/][group@@]service.")]
    string? Service = null,
    [Description("An upstream: [namespace/]name.")]
    string? Upstream = null,
    [Description("Only instances of this version.")]
    string? Version = null,
    [Description("Only instances with these metadata; at most 8.")]
    IReadOnlyDictionary<string, string>? Metadata = null);

/// <summary>Requests that go elsewhere than the others: the first rule that holds takes one.</summary>
public sealed record CanarySpec(
    [Description("[namespace/][group@@]service.")]
    string? Service = null,
    [Description("An upstream: [namespace/]name.")]
    string? Upstream = null,
    [Description("Only instances of this version.")]
    string? Version = null,
    [Description("Only instances with these metadata; at most 8.")]
    IReadOnlyDictionary<string, string>? Metadata = null,
    [Description("Header fields that must be as said.")]
    [Length(1, MatchRules.MaxFields)]
    IReadOnlyList<FieldMatch>? Headers = null,
    [Description("Cookies that must be as said.")]
    [Length(1, MatchRules.MaxFields)]
    IReadOnlyList<FieldMatch>? Cookies = null,
    [Description("How many of the requests that it holds for, 0 to 100 with two decimals; all when not given.")]
    [Range(0.0, 100.0)]
    double? Percent = null,
    [Description(
        "What keeps a caller inside or outside the percentage: client, header:NAME, cookie:NAME, query:NAME or "
        + "path:NAME. Chance when not given, and for a request without it.")]
    string? By = null);
