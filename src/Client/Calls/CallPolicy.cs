using System.Collections.Frozen;
using Groundwork.Client.Discovery;

namespace Groundwork.Client.Calls;

/// <summary>What becomes of a call that fails.</summary>
internal enum CallStrategy
{
    /// <summary>Tried again, elsewhere where there is another; then the fault is the caller's.</summary>
    Failover,

    /// <summary>One try, and the fault is the caller's.</summary>
    Failfast,

    /// <summary>As failover, and the fault that remains becomes an empty answer.</summary>
    Failsafe,
}

/// <summary>How the pause before a retry grows.</summary>
internal enum RetryBackoff
{
    Constant,
    Linear,
    Exponential,
}

/// <summary>
/// How calls of one method of a service are made, as the settings say: every value is given. Immutable.
/// </summary>
/// <param name="Choice">Of the instance.</param>
/// <param name="Strategy">What becomes of a failure.</param>
/// <param name="TotalTimeout">From the call until the answer's head, all tries and pauses in it; null: no
/// limit.</param>
/// <param name="TryTimeout">Until the head of one try's answer; null:
/// <see cref="GroundworkOptions.ResponseHeadTimeout"/>.</param>
/// <param name="Retry">When it is tried again.</param>
/// <param name="Budget">How often, beside all calls of the service.</param>
/// <param name="Breaker">Null: none.</param>
/// <param name="Bulkhead">Null: as many calls at a time as come.</param>
/// <param name="Hedge">Null: a second try only after the first has failed.</param>
/// <param name="Fallback">Null: a fault stays one.</param>
internal sealed record CallPolicy(
    ChoicePolicy Choice,
    CallStrategy Strategy,
    TimeSpan? TotalTimeout,
    TimeSpan? TryTimeout,
    RetryPolicy Retry,
    BudgetPolicy Budget,
    BreakerPolicy? Breaker,
    BulkheadPolicy? Bulkhead,
    HedgePolicy? Hedge,
    FallbackPolicy? Fallback);

/// <summary>When a try is followed by another.</summary>
/// <param name="Max">Tries after the first.</param>
/// <param name="Delay">Before the first retry. Zero: at once, and then only on another instance.</param>
/// <param name="MaxDelay">The longest pause; an instance that asks for a longer one is not asked again.</param>
/// <param name="Backoff">How the pause grows.</param>
/// <param name="Jitter">True: up to half of the pause is left to chance.</param>
/// <param name="Statuses">Statuses of answers that are tried again.</param>
/// <param name="Unsafe">True: methods that are not safe are tried again, too, though the callee may have acted.</param>
internal sealed record RetryPolicy(
    int Max, TimeSpan Delay, TimeSpan MaxDelay, RetryBackoff Backoff, bool Jitter, FrozenSet<int> Statuses,
    bool Unsafe);

/// <summary>How many retries a service gets beside its calls, over ten seconds.</summary>
/// <param name="Ratio">Retries for each call.</param>
/// <param name="MinPerSecond">Retries that are always there, so that few calls can be retried at all.</param>
internal sealed record BudgetPolicy(double Ratio, double MinPerSecond);

/// <summary>When calls are refused for a while because too many have failed.</summary>
/// <param name="Method">The method it is for; null: all of the service's share it.</param>
/// <param name="FailureRatio">Share of failed tries within the window that opens it.</param>
/// <param name="MinimumThroughput">Tries within the window below which it never opens.</param>
/// <param name="Window">How far back it looks.</param>
/// <param name="BreakFor">How long it refuses, before one try finds out.</param>
/// <param name="SlowerThan">An answer that took longer counts as failed; null: only failures do.</param>
internal sealed record BreakerPolicy(
    string? Method, double FailureRatio, int MinimumThroughput, TimeSpan Window, TimeSpan BreakFor,
    TimeSpan? SlowerThan);

/// <summary>How many calls may be under way at a time, from the call to the end of the answer's body.</summary>
/// <param name="Method">The method it is for; null: all of the service's share it.</param>
/// <param name="MaxConcurrent">Calls under way at a time.</param>
/// <param name="Queue">Calls that may wait for a place.</param>
internal sealed record BulkheadPolicy(string? Method, int MaxConcurrent, int Queue);

/// <summary>When a second try is made beside the first, for safe methods.</summary>
/// <param name="After">The pause before it; null: the 95th percentile of what was measured.</param>
/// <param name="Max">Tries beside the first.</param>
internal sealed record HedgePolicy(TimeSpan? After, int Max);

/// <summary>What is answered in place of a fault: another service's answer, or a fixed one.</summary>
internal sealed record FallbackPolicy(string? Service, int Status, string Body, string ContentType);
