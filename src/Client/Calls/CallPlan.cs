using Groundwork.Client.Discovery;
using Polly;
using Polly.Hedging;
using Polly.Retry;

namespace Groundwork.Client.Calls;

/// <summary>
/// A policy ready to be carried out: Polly's steps put together once, with what the calls under it share. Thread-safe.
/// </summary>
internal sealed class CallPlan
{
    /// <summary>The call that a Polly context belongs to.</summary>
    public static readonly ResiliencePropertyKey<ServiceCall> CallOf = new("groundwork.call");

    private readonly ResiliencePipeline<HttpResponseMessage> retried;
    private readonly ResiliencePipeline<HttpResponseMessage>? hedged;

    public CallPlan(
        CallPolicy policy, RetryBudget budget, CallBreaker? breaker, CallBulkhead? bulkhead, TimeProvider time)
    {
        Policy = policy;
        Budget = budget;
        Breaker = breaker;
        Bulkhead = bulkhead;
        if (policy.Hedge is { } hedge)
        {
            if (hedge.After is null) Times = new AnswerTimes();
            hedged = Pipeline(time).AddHedging(Hedging(policy, hedge)).Around(breaker).Build();
        }
        var builder = Pipeline(time);
        if (policy.Retry.Max > 0) builder.AddRetry(Retrying(policy.Retry));
        retried = builder.Around(breaker).Build();
    }

    public CallPolicy Policy { get; }

    public RetryBudget Budget { get; }

    public CallBreaker? Breaker { get; }

    public CallBulkhead? Bulkhead { get; }

    /// <summary>Null when nobody asks how long answers take.</summary>
    public AnswerTimes? Times { get; }

    public ResiliencePipeline<HttpResponseMessage> For(ServiceCall call) =>
        hedged is not null && call.IsHedged ? hedged : retried;

    private static ResiliencePipelineBuilder<HttpResponseMessage> Pipeline(TimeProvider time) =>
        new() { TimeProvider = new MonotonicTime(time) };

    // The call has decided on the pause when it was asked whether to try again, because its deadline had a say in it.
    private static RetryStrategyOptions<HttpResponseMessage> Retrying(RetryPolicy retry) => new()
    {
        MaxRetryAttempts = retry.Max,
        ShouldHandle = static args => ValueTask.FromResult(
            Find(args.Context).TakesRetry(args.Outcome, args.AttemptNumber)),
        DelayGenerator = static args => ValueTask.FromResult<TimeSpan?>(Find(args.Context).Pause),
    };

    private HedgingStrategyOptions<HttpResponseMessage> Hedging(CallPolicy policy, HedgePolicy hedge) => new()
    {
        MaxHedgedAttempts = Math.Max(hedge.Max, policy.Retry.Max),
        ShouldHandle = static args => ValueTask.FromResult(Find(args.Context).IsRepeatable(args.Outcome)),
        DelayGenerator = _ => ValueTask.FromResult(
            hedge.After ?? Times?.Percentile95 ?? Timeout.InfiniteTimeSpan), // Not yet measured: only after a failure.
        ActionGenerator = static args => Find(args.PrimaryContext).TakesHedge()
            ? () => args.Callback(args.ActionContext)
            : null,
    };

    private static ServiceCall Find(ResilienceContext context) => context.Properties.GetValue(
        CallOf, null!); // ServiceCaller sets it on every context.
}

/// <summary>Puts a breaker, where there is one, around each try.</summary>
file static class BreakerStep
{
    public static ResiliencePipelineBuilder<HttpResponseMessage> Around(
        this ResiliencePipelineBuilder<HttpResponseMessage> builder, CallBreaker? breaker) =>
        breaker is null ? builder : builder.AddPipeline(breaker.Pipeline);
}
