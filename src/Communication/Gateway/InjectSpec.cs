using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Injection;

namespace Groundwork.Communication.Gateway;

/// <summary>Faults that are put in on purpose, to see what becomes of them.</summary>
public sealed record InjectSpec(
    [Description("Some requests are kept waiting.")]
    DelaySpec? Delay = null,
    [Description("Some requests are answered with an error; after their delay.")]
    AbortSpec? Abort = null,
    [Description("Only requests with such header fields.")]
    [Length(1, MatchRules.MaxFields)]
    IReadOnlyList<FieldMatch>? Headers = null);

/// <summary>A delay.</summary>
public sealed record DelaySpec(
    [Description("How long, 1 to 60,000 ms.")]
    [Range(1, InjectRules.MaxDelayMs)]
    int Ms,
    [Description("How many of a hundred, 0 to 100 with two decimals.")]
    [Range(0.0, 100.0)]
    double Percent = 100);

/// <summary>An error in the place of an answer.</summary>
public sealed record AbortSpec(
    [Description("The status, 400 to 599.")]
    [Range(400, 599)]
    int Status = 503,
    [Description("How many of a hundred, 0 to 100 with two decimals.")]
    [Range(0.0, 100.0)]
    double Percent = 100);
