using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Content.Composing;

namespace Groundwork.Communication.Gateway;

/// <summary>Answers with one JSON object that has the answers of several services.</summary>
public sealed record ComposeSpec(
    [Description("What is asked for, all at once; 1 to 16.")]
    [Length(1, ComposeRules.MaxParts)]
    IReadOnlyList<PartSpec> Parts,
    [Description("Within which all must have answered, 10 to 60,000.")]
    [Range(10, ComposeRules.MaxTimeoutMs)]
    int TimeoutMs = 3_000,
    [Description("KiB of the largest answer that is taken in, 1 to 4,096.")]
    [Range(1, ComposeRules.MaxPartKilobytes)]
    int MaxPartKilobytes = 1024);

/// <summary>One answer of several.</summary>
public sealed record PartSpec(
    [Description("Its name in the object.")]
    string Name,
    [Description("What is asked for, such as /orders/{id}?limit=5: names of the route's path are put in.")]
    string Path,
    [Description("[namespace/][group@@]service.")]
    string? Service = null,
    [Description("An upstream: [namespace/]name.")]
    string? Upstream = null,
    [Description("False: the answer is given without it when it fails.")]
    bool Required = true,
    [Description("JSON that stands in the place of one that is not required and fails; null when not given.")]
    string? Default = null);
