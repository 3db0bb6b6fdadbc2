using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Resilience;

namespace Groundwork.Communication.Gateway;

/// <summary>What a route does when its service fails, and how much its requests matter.</summary>
public sealed record RouteResilience(
    [Description("When a request is sent once more; the upstream's when not given.")]
    RetrySpec? Retry = null,
    [Description("What is answered when there is no answer of the service.")]
    FallbackSpec? Fallback = null,
    [Description("critical, normal or low: when there are too many requests, those that matter least are refused "
        + "first.")]
    [AllowedValues("critical", "normal", "low")]
    string Importance = "normal");

/// <summary>How much an upstream is called, and when not at all.</summary>
public sealed record UpstreamResilience(
    [Description("When a request is sent once more, unless its route says it.")]
    RetrySpec? Retry = null,
    [Description("How many are sent once more beside all requests.")]
    BudgetSpec? Budget = null,
    [Description("When it is not called for a while, because calls of it fail or are slow.")]
    BreakerSpec? Breaker = null,
    [Description("How many requests may be under way at all its instances together.")]
    BulkheadSpec? Bulkhead = null,
    [Description("Finds by the time of its answers how many requests it bears at once.")]
    AdaptiveSpec? Adaptive = null,
    [Description("When a request that takes long is sent to another instance as well.")]
    HedgeSpec? Hedge = null);

/// <summary>A second try beside the first, for GET, HEAD and OPTIONS without a body over HTTP/1.1: once 95 of 100
/// answers of late had begun. The first answer is taken, and the other call ended.</summary>
public sealed record HedgeSpec(
    [Description("Of a hundred such requests, 1 to 100; they come out of the budget of retries, too.")]
    [Range(1, 100)]
    int Percent = 10,
    [Description("But never sooner than this, 1 to 10,000 ms: a second call costs what a first one does.")]
    [Range(1, 10_000)]
    int FloorMs = 10);

/// <summary>When a request is sent once more, to another instance: when nothing of it was sent, or when its method is
/// safe and its body untouched.</summary>
public sealed record RetrySpec(
    [Description("How often it is sent in all, 1 to 5.")]
    [Range(1, ResilienceRules.MaxTries)]
    int Tries = 2,
    [Description("Answers that count as failures, too: some of 502, 503 and 504.")]
    [Length(1, 3)]
    IReadOnlyList<int>? Statuses = null,
    [Description("The wait before the second try is anything up to this, doubled with every further one; 0 to 10,000 "
        + "ms.")]
    [Range(0, 10_000)]
    int BackoffMs = 25,
    [Description("And up to this at most, 0 to 60,000 ms.")]
    [Range(0, 60_000)]
    int MaxBackoffMs = 1_000);

/// <summary>How many requests are sent once more, counted over the last ten seconds.</summary>
public sealed record BudgetSpec(
    [Description("Of a hundred requests, 0 to 100.")]
    [Range(0, 100)]
    int Percent = 20,
    [Description("And in each second at least, 0 to 1,000: a few requests have few failures that say much.")]
    [Range(0, 1_000)]
    int MinPerSecond = 10);

/// <summary>A circuit breaker.</summary>
public sealed record BreakerSpec(
    [Description("It opens when so many of a hundred calls get no answer, or one of 500 and above; 1 to 100.")]
    [Range(1, 100)]
    int ErrorPercent = 50,
    [Description("An answer that begins later than this is slow; 1 to 600,000 ms. None is when not given.")]
    [Range(1, 600_000)]
    int? SlowMs = null,
    [Description("It opens when so many of a hundred calls are slow; 1 to 100.")]
    [Range(1, 100)]
    int SlowPercent = 80,
    [Description("With fewer calls it says nothing, 1 to 10,000.")]
    [Range(1, 10_000)]
    int MinimumCalls = 20,
    [Description("Over which time calls are counted, 1 to 300 seconds.")]
    [Range(1, 300)]
    int WindowSeconds = 10,
    [Description("How long nothing is called, 1 to 3,600 seconds.")]
    [Range(1, 3_600)]
    int OpenSeconds = 10,
    [Description("How many calls then find out: it closes when all of them are well, 1 to 100.")]
    [Range(1, 100)]
    int Probes = 3);

/// <summary>So many requests under way, and so many that wait.</summary>
public sealed record BulkheadSpec(
    [Description("Requests under way, 1 to 100,000.")]
    [Range(1, 100_000)]
    int MaxUnderWay,
    [Description("Requests that wait for a place, 0 to 10,000.")]
    [Range(0, 10_000)]
    int MaxWaiting = 0,
    [Description("How long one waits, 1 to 60,000 ms.")]
    [Range(1, 60_000)]
    int MaxWaitMs = 1_000);

/// <summary>A bound of requests under way that follows the time of answers.</summary>
public sealed record AdaptiveSpec(
    [Description("It begins here, 1 to 10,000.")]
    [Range(1, 10_000)]
    int Initial = 20,
    [Description("It is never less, 1 to 10,000.")]
    [Range(1, 10_000)]
    int Least = 4,
    [Description("It is never more, 1 to 10,000.")]
    [Range(1, 10_000)]
    int Most = 1_000);

/// <summary>In the place of an answer that does not come: a fixed one, or that of another service or upstream.
/// </summary>
public sealed record FallbackSpec(
    [Description("A fixed answer.")]
    AnswerSpec? Respond = null,
    [Description("[namespace/][group@@]service.")]
    string? Service = null,
    [Description("An upstream: [namespace/]name.")]
    string? Upstream = null);
