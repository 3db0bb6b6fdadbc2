using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Mirroring;

namespace Groundwork.Communication.Gateway;

/// <summary>Copies of requests that go elsewhere, too; their answers are thrown away.</summary>
public sealed record MirrorSpec(
    [Description("[namespace/][group@@]service.")]
    string? Service = null,
    [Description("An upstream: [namespace/]name.")]
    string? Upstream = null,
    [Description("How many of a hundred requests, 0 to 100 with two decimals.")]
    [Range(0.0, 100.0)]
    double Percent = 100,
    [Description("A request with a larger body is not copied, 0 to 1,024 KiB.")]
    [Range(0, MirrorRules.MaxBodyKilobytes)]
    int MaxBodyKilobytes = 64);
