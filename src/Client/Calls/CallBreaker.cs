using Groundwork.Client.Discovery;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;

namespace Groundwork.Client.Calls;

/// <summary>What a breaker is now, since when, and why.</summary>
internal sealed record BreakerState(string State, DateTimeOffset Since, string? Reason)
{
    public const string Closed = "closed";
    public const string Open = "open";
    public const string HalfOpen = "half-open";

    /// <summary>0, 1 or 2, as the gauge shows it.</summary>
    public int Level => State switch
    {
        Open => 2,
        HalfOpen => 1,
        _ => 0,
    };
}

/// <summary>The circuit breaker of a service, or of one of its methods, with its state for all to see. Thread-safe.
/// </summary>
internal sealed partial class CallBreaker
{
    /// <summary>Characters of a reason: an exception's message may be a page.</summary>
    private const int MaxReasonLength = 256;

    private readonly string service;
    private readonly BreakerPolicy policy;
    private readonly TimeProvider time;
    private readonly ClientMeters meters;
    private readonly ILogger log;
    private BreakerState state;

    // 1 when it has closed since the last report.
    private int closedUnreported;

    public CallBreaker(string service, BreakerPolicy policy, TimeProvider time, ClientMeters meters, ILogger log)
    {
        this.service = service;
        this.policy = policy;
        this.time = time;
        this.meters = meters;
        this.log = log;
        state = new BreakerState(BreakerState.Closed, time.GetUtcNow(), null);
        Pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = new MonotonicTime(time) }
            .AddCircuitBreaker(Options())
            .Build();
    }

    public BreakerPolicy Policy => policy;

    public string Service => service;

    public ResiliencePipeline<HttpResponseMessage> Pipeline { get; }

    public BreakerState State => Volatile.Read(ref state);

    /// <summary>What the platform is told; null when it is closed and was before.</summary>
    public BreakerDocument? TakeReport(GroundworkOptions options)
    {
        var now = State;
        var hasClosed = Interlocked.Exchange(ref closedUnreported, 0) != 0;
        return now.State == BreakerState.Closed && !hasClosed ? null : Document(options, now);
    }

    /// <summary>What the platform is told when the settings have taken it away.</summary>
    public BreakerDocument? TakeLastReport(GroundworkOptions options) => TakeReport(options) is { } last
        ? last with { State = BreakerState.Closed, Since = time.GetUtcNow(), Reason = null }
        : null;

    /// <summary>
    /// Whether an outcome speaks against the service: no answer, one that says that it failed, or one that came late.
    /// </summary>
    public static bool IsFailure(Outcome<HttpResponseMessage> outcome, TimeSpan? slowerThan) => outcome switch
    {
        { Exception: CallFailedException fault } => fault.IsOfInstance,
        { Result: { } answer } => (int)answer.StatusCode >= 500
            || (slowerThan is { } limit && (answer.Content as CountedContent)?.Took > limit),
        _ => false,
    };

    private CircuitBreakerStrategyOptions<HttpResponseMessage> Options() => new()
    {
        FailureRatio = policy.FailureRatio,
        MinimumThroughput = policy.MinimumThroughput,
        SamplingDuration = policy.Window,
        BreakDuration = policy.BreakFor,
        ShouldHandle = args => ValueTask.FromResult(IsFailure(args.Outcome, policy.SlowerThan)),
        OnOpened = args =>
        {
            Become(BreakerState.Open, Reason(args.Outcome));
            return default;
        },
        OnHalfOpened = _ =>
        {
            Become(BreakerState.HalfOpen, State.Reason);
            return default;
        },
        OnClosed = _ =>
        {
            Interlocked.Exchange(ref closedUnreported, 1);
            Become(BreakerState.Closed, null);
            return default;
        },
    };

    private void Become(string next, string? reason)
    {
        Volatile.Write(ref state, new BreakerState(next, time.GetUtcNow(), reason));
        meters.BreakerChanged(service, policy.Method, next);
        if (next == BreakerState.Closed) LogClosed(service, policy.Method ?? "*");
        else if (next == BreakerState.Open) LogOpened(service, policy.Method ?? "*", policy.BreakFor, reason);
        else LogHalfOpen(service, policy.Method ?? "*");
    }

    private static string Reason(Outcome<HttpResponseMessage> last) => last switch
    {
        { Exception: { } fault } => Short($"the last try: {fault.Message}"),
        { Result: { } answer } when (int)answer.StatusCode >= 500 =>
            $"the last answer has status {(int)answer.StatusCode}",
        _ => "the last answer came late",
    };

    private static string Short(string text)
    {
        var line = string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c));
        return line.Length <= MaxReasonLength ? line : line[..MaxReasonLength];
    }

    private BreakerDocument Document(GroundworkOptions options, BreakerState now) => new(
        service, now.State, now.Since, options.Namespace, options.Group, policy.Method, now.Reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The circuit breaker of {Service} ({Method}) opens for {BreakFor}: {Reason}")]
    private partial void LogOpened(string service, string method, TimeSpan breakFor, string? reason);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "The circuit breaker of {Service} ({Method}) lets one call find out")]
    private partial void LogHalfOpen(string service, string method);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "The circuit breaker of {Service} ({Method}) is closed again")]
    private partial void LogClosed(string service, string method);
}
