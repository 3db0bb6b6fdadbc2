using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Limits;

namespace Groundwork.Communication.Gateway;

/// <summary>How many requests may pass, all together or of each caller. Exactly one of bucket, window, pace and
/// concurrent says it.</summary>
public sealed record LimitSpec(
    [Description("Its name, which clients see in the RateLimit fields; one segment.")]
    string Name,
    [Description(
        "What tells callers apart: client, user, key, tenant, header:NAME, cookie:NAME, query:NAME or path:NAME; up to "
        + "4, which count together. When not given, one limit is for all.")]
    [Length(1, LimitRules.MaxParts)]
    IReadOnlyList<string>? By = null,
    [Description("So many in a time on average, and a burst at once: a token bucket.")]
    BucketSpec? Bucket = null,
    [Description("So many in every span of a time: a sliding window.")]
    WindowSpec? Window = null,
    [Description("One after the other, evenly spaced; those that come sooner wait: a leaky bucket.")]
    PaceSpec? Pace = null,
    [Description("So many at once, 1 to 100,000; of each node.")]
    [Range(1, LimitRules.MaxRequests)]
    int? Concurrent = null,
    [Description("Values of the one key that have a number of their own; at most 64.")]
    [Length(1, LimitRules.MaxExceptions)]
    IReadOnlyList<LimitException>? Exceptions = null,
    [Description(
        "How long a caller's bucket or pace grows from a third to all of it, after it was not used for as long; 0 to "
        + "3,600 seconds.")]
    [Range(0, 3_600)]
    int WarmUpSeconds = 0,
    [Description("How many callers are told apart, 1 to 100,000; those beyond it share one limit.")]
    [Range(1, LimitRules.MaxKeys)]
    int MaxKeys = 10_000,
    [Description("False: each node counts by itself.")]
    bool Shared = true,
    [Description("True: every answer has the RateLimit fields, not only those that are refused.")]
    bool Tell = false);

/// <summary>A token bucket.</summary>
public sealed record BucketSpec(
    [Description("How many in the time, 1 to 100,000.")]
    [Range(1, LimitRules.MaxRequests)]
    int Requests,
    [Description("The time, 1 to 86,400 seconds.")]
    [Range(1, LimitRules.MaxSeconds)]
    int Seconds = 1,
    [Description("How many at once, 1 to 100,000; as many as requests when not given.")]
    [Range(1, LimitRules.MaxRequests)]
    int? Burst = null);

/// <summary>A sliding window.</summary>
public sealed record WindowSpec(
    [Description("How many in every span of the time, 1 to 100,000.")]
    [Range(1, LimitRules.MaxRequests)]
    int Requests,
    [Description("The time, 1 to 86,400 seconds.")]
    [Range(1, LimitRules.MaxSeconds)]
    int Seconds = 1);

/// <summary>An even pace.</summary>
public sealed record PaceSpec(
    [Description("How many in the time, 1 to 100,000.")]
    [Range(1, LimitRules.MaxRequests)]
    int Requests,
    [Description("The time, 1 to 86,400 seconds.")]
    [Range(1, LimitRules.MaxSeconds)]
    int Seconds = 1,
    [Description("How long one waits for its turn before it is refused, 0 to 60,000 ms.")]
    [Range(0, 60_000)]
    int MaxWaitMs = 1_000);

/// <summary>A caller with a number of its own.</summary>
public sealed record LimitException(
    [Description("The value of the key.")]
    string Value,
    [Description("In the place of requests or concurrent, 0 to 100,000; 0: never.")]
    [Range(0, LimitRules.MaxRequests)]
    int Requests);
