using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Groundwork.Client.Discovery;
using Groundwork.Wire;

namespace Groundwork.Client.Calls;

/// <summary>Reads a policy from its keys: names, defaults and limits, all in one place.</summary>
internal static class CallPolicyReader
{
    /// <summary>The list of <see cref="RetryPolicy.Statuses"/>.</summary>
    public const string Statuses = "Retry:Statuses";

    /// <summary>What the calls of a method share: by themselves, or with all of the service.</summary>
    public const string BreakerSection = "Breaker";

    public const string BulkheadSection = "Bulkhead";

    /// <summary>Sections that may be off.</summary>
    public static ImmutableArray<string> Sections { get; } =
        ["Retry", BreakerSection, BulkheadSection, "Hedge", "Fallback"];

    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>Polly counts in windows of tenths, and says no to shorter ones.</summary>
    private static readonly TimeSpan ShortestBreak = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads the merged keys of one method, or of all.</summary>
    /// <param name="keys">By name below the policy, such as <c>Retry:Max</c>.</param>
    /// <param name="breakerOf">The method that has a breaker for itself; null: the service's.</param>
    /// <param name="bulkheadOf">The method that has a bulkhead for itself; null: the service's.</param>
    public static CallPolicy Read(PolicyKeys keys, string? breakerOf, string? bulkheadOf)
    {
        var policy = new CallPolicy(
            Choice(keys),
            keys.Word(
                "Strategy", CallStrategy.Failover,
                ("failover", CallStrategy.Failover), ("failfast", CallStrategy.Failfast),
                ("failsafe", CallStrategy.Failsafe)),
            keys.Duration("TotalTimeout", Millisecond, Hour),
            keys.Duration("TryTimeout", Millisecond, Hour),
            Retry(keys),
            new BudgetPolicy(keys.Ratio("RetryBudget:Ratio", 0.2, 10), keys.Ratio("RetryBudget:MinPerSecond", 10, 1e6)),
            Breaker(keys, breakerOf),
            Bulkhead(keys, bulkheadOf),
            Hedge(keys),
            Fallback(keys));
        keys.RefuseOthers();
        return policy.Strategy == CallStrategy.Failfast
            ? policy with { Retry = policy.Retry with { Max = 0 }, Hedge = null }
            : policy;
    }

    private static ChoicePolicy Choice(PolicyKeys keys) => new(
        keys.Word(
            "Choice", InstanceChoice.PowerOfTwo,
            ("power-of-two", InstanceChoice.PowerOfTwo), ("round-robin", InstanceChoice.RoundRobin),
            ("random", InstanceChoice.Random), ("weighted", InstanceChoice.Weighted),
            ("consistent-hash", InstanceChoice.ConsistentHash)),
        keys.Text("HashHeader", Names.MaxSegmentLength, IsHeaderName, "the name of a header"),
        keys.Flag("SameZone", true),
        keys.Ratio("SpillBelow", 0, 1),
        keys.Text("Version", Names.MaxSegmentLength, text => text.Length > 0, "a version"),
        keys.Flag("RequireVersion", false));

    private static RetryPolicy Retry(PolicyKeys keys)
    {
        var isOn = keys.IsOn("Retry");
        var max = keys.Number("Retry:Max", 1, 0, 9);
        return new RetryPolicy(
            isOn ? max : 0,
            keys.Duration("Retry:Delay", TimeSpan.Zero, Hour) ?? TimeSpan.Zero,
            keys.Duration("Retry:MaxDelay", Millisecond, Hour) ?? TimeSpan.FromSeconds(10),
            keys.Word(
                "Retry:Backoff", RetryBackoff.Exponential,
                ("constant", RetryBackoff.Constant), ("linear", RetryBackoff.Linear),
                ("exponential", RetryBackoff.Exponential)),
            keys.Flag("Retry:Jitter", true),
            keys.Numbers(Statuses, 400, 599).ToFrozenSet(),
            keys.Flag("Retry:Unsafe", false));
    }

    private static BreakerPolicy? Breaker(PolicyKeys keys, string? method)
    {
        var isOn = keys.IsOn(BreakerSection);
        if (!keys.Has(BreakerSection)) return null;
        var policy = new BreakerPolicy(
            method,
            keys.Ratio("Breaker:FailureRatio", 0.5, 1),
            keys.Number("Breaker:MinimumThroughput", 20, 2, 1_000_000),
            keys.Duration("Breaker:Window", ShortestBreak, Hour) ?? TimeSpan.FromSeconds(10),
            keys.Duration("Breaker:BreakFor", ShortestBreak, Hour) ?? TimeSpan.FromSeconds(5),
            keys.Duration("Breaker:SlowerThan", Millisecond, Hour));
        return isOn ? policy : null;
    }

    private static BulkheadPolicy? Bulkhead(PolicyKeys keys, string? method)
    {
        var isOn = keys.IsOn(BulkheadSection);
        if (!keys.Has(BulkheadSection)) return null;
        var policy = new BulkheadPolicy(
            method,
            keys.Number("Bulkhead:MaxConcurrent", 100, 1, 1_000_000),
            keys.Number("Bulkhead:Queue", 0, 0, 1_000_000));
        return isOn ? policy : null;
    }

    private static HedgePolicy? Hedge(PolicyKeys keys)
    {
        var isOn = keys.IsOn("Hedge");
        if (!keys.Has("Hedge")) return null;
        var isMeasured = keys.Text("Hedge:After", 16) is null or "p95";
        var policy = new HedgePolicy(
            isMeasured ? null : keys.Duration("Hedge:After", TimeSpan.Zero, Hour),
            keys.Number("Hedge:Max", 1, 1, 5));
        return isOn ? policy : null;
    }

    private static FallbackPolicy? Fallback(PolicyKeys keys)
    {
        var isOn = keys.IsOn("Fallback");
        if (!keys.Has("Fallback")) return null;
        var service = keys.Text(
            "Fallback:Service", Names.MaxSegmentLength, text => Names.IsSegment(text), "a service's name");
        var status = keys.Number("Fallback:Status", (int)HttpStatusCode.OK, 200, 599);
        var body = keys.Text("Fallback:Body", MaxBodyLength) ?? "";
        var type = keys.Text("Fallback:ContentType", 256, IsMediaType, "a media type") ?? "application/json";
        if (service is not null && (keys.Gives("Fallback:Status") || body.Length > 0))
            keys.Wrong("Fallback:Service", "is one fallback and a fixed answer another; give one");
        var policy = new FallbackPolicy(service, status, body, type);
        return isOn ? policy : null;
    }

    /// <summary>A fixed answer, in characters: it is one of many keys of a setting, not a file.</summary>
    private const int MaxBodyLength = 64 * 1024;

    private static bool IsHeaderName(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c));

    private static bool IsMediaType(string text) =>
        System.Net.Http.Headers.MediaTypeHeaderValue.TryParse(text, out _);
}
