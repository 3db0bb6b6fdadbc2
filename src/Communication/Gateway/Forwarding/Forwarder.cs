using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// Takes a request to an instance and its answer back: admission, choice, tries, answer, and what takes the place of an
/// answer that does not come.
/// </summary>
internal sealed partial class Forwarder(
    InstanceChooser chooser,
    UpstreamGuards guards,
    IRegistryView registry,
    OwnAnswers answers,
    GatewayCounters counters,
    TimeProvider time,
    ILogger<Forwarder> logger)
{
    private static readonly KeyValuePair<string, string> Degraded = new(HeaderNames.Degraded, "fallback");

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ForwardAsync(Exchange exchange)
    {
        exchange.TakeDeadline();
        var fault = exchange.IsOverdue ? Late() : await TryAsync(exchange);
        if (fault is null) return;
        if (exchange.Route.Policy.Fallback is { } fallback && await FallBackAsync(exchange, fallback)) return;
        await answers.RefuseAsync(exchange, fault);
    }

    // False when it gives no answer either.
    private async ValueTask<bool> FallBackAsync(Exchange exchange, Fallback fallback)
    {
        exchange.AnswerFields.Add(Degraded);
        exchange.Note(Stage.Answer, "fallback", fallback);
        if (fallback.Answer is { } own)
        {
            TakeFields(exchange, own);
            await answers.AnswerAsync(exchange, own);
            return true;
        }
        if (fallback.Target is { } target && exchange.BodyUntouched && !exchange.IsOverdue)
        {
            exchange.Destination = chooser.Decide(
                target, exchange.View(), exchange.Parameters, exchange.Route.Path);
            exchange.Failed.Clear();
            if (await TryAsync(exchange) is null) return true;
        }
        exchange.AnswerFields.Remove(Degraded);
        return false;
    }

    // Null when the request is answered, or nobody is left to be answered.
    private ValueTask<Fault?> TryAsync(Exchange exchange)
    {
        var guard = guards.Of(exchange.Destination.Target);
        guard.Budget.Called(exchange.Now);
        return guard.Places is { } places ? TryWithinAsync(exchange, guard, places) : TryAllAsync(exchange, guard);
    }

    private async ValueTask<Fault?> TryWithinAsync(Exchange exchange, UpstreamGuard guard, Places places)
    {
        // Nobody waits for a place only to be refused.
        if (guard.Breaker is { State: BreakerState.Open } breaker && breaker.OpenFor > TimeSpan.Zero)
            return Open(exchange, breaker);
        var hasPlace = await places.EnterAsync(exchange.Route.Policy.Importance);
        exchange.Resume();
        if (!hasPlace)
        {
            exchange.Note(Stage.Admission, "no place");
            return new Fault(ErrorCodes.BulkheadFull, "As many requests are under way there as may be.")
            {
                RetryAfter = TimeSpan.FromSeconds(1),
            };
        }
        try
        {
            if (exchange.IsOverdue) return Late();
            if (!exchange.Client.IsGone) return await TryAllAsync(exchange, guard);
            counters.ClientGone(exchange.Route);
            return null;
        }
        finally
        {
            places.Leave();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Fault?> TryAllAsync(Exchange exchange, UpstreamGuard guard)
    {
        var policy = exchange.Route.Policy.Retry ?? guard.Policy.Retry;
        var isFirst = exchange.Attempt == 1;
        if (!TryBegin(exchange, guard, null, out var place, out var fault)) return fault;
        for (var tries = 1; ; tries++)
        {
            UpstreamTry? another = null;
            try
            {
                var failure = await AskAsync(exchange, guard, place);
                if (failure != CallFailure.None)
                {
                    if (!await TakeFailureAsync(exchange, failure, place.Call.Upstream)) return null;
                    fault = exchange.IsOverdue ? Late() : ToFault(failure);
                }
                if (tries < policy.Tries && MayRepeat(exchange, policy, failure, isFirst))
                    another = BeginAnother(exchange, guard, place.Call.Upstream);
                if (another is null && failure != CallFailure.None) return fault;
                if (another is null)
                {
                    await PassAsync(exchange, place.Call.Upstream);
                    return null;
                }
                if (failure == CallFailure.None)
                {
                    // An answer that is not wanted: nobody reads it to its end.
                    Report(place.Call.Upstream, CallOutcome.Answered, null);
                    await exchange.DropAsync();
                }
            }
            finally
            {
                place.Call.End();
            }
            place = another.Value;
            exchange.Attempt++;
            if (policy.WaitAfter(tries, Random.Shared) is { Ticks: > 0 } wait
                && !await WaitAsync(exchange, wait))
            {
                place.Call.End();
                guard.Breaker?.Forget(place.Permit);
                return exchange.Client.IsGone ? null : Late();
            }
        }
    }

    /// <summary>True when sending it once more can do no harm, and is wanted.</summary>
    /// <param name="isFirst">False for a retry of somebody else: it is not multiplied.</param>
    private static bool MayRepeat(Exchange exchange, RetryPolicy policy, CallFailure failure, bool isFirst)
    {
        if (!exchange.BodyUntouched || exchange.IsOverdue) return false;
        if (failure.IsUnsent()) return true;
        return exchange.IsSafe && isFirst
            && (failure != CallFailure.None || policy.Retries(exchange.Answer.Status));
    }

    private bool TryBegin(
        Exchange exchange, UpstreamGuard guard, Upstream? except, out UpstreamTry place,
        [NotNullWhen(false)] out Fault? fault)
    {
        (place, fault) = (default, null);
        var permit = default(BreakerPermit);
        if (guard.Breaker is { } breaker && !breaker.TryEnter(out permit))
        {
            fault = Open(exchange, breaker);
            return false;
        }
        if (!chooser.Choose(
                exchange.Destination, exchange.IsSafe && exchange.BodyUntouched, exchange.Now, except, exchange.Failed)
            .TryGet(out var call, out fault))
        {
            guard.Breaker?.Forget(permit);
            return false;
        }
        exchange.Note(Stage.Choice, "chosen", call);
        place = new UpstreamTry(call, permit);
        return true;
    }

    // At another instance, while there is one and the budget has something left.
    private UpstreamTry? BeginAnother(Exchange exchange, UpstreamGuard guard, Upstream failed)
    {
        exchange.Failed.Add(failed);
        if (!TryBegin(exchange, guard, failed, out var place, out _)) return null;
        if (guard.Budget.TryTake()) return place;
        exchange.Note(Stage.Attempt, "no budget for another");
        place.Call.End();
        guard.Breaker?.Forget(place.Permit);
        return null;
    }

    // False when nobody waits any more.
    private async ValueTask<bool> WaitAsync(Exchange exchange, TimeSpan wait)
    {
        await Task.Delay(exchange.Within(wait), time, CancellationToken.None);
        exchange.Resume();
        if (exchange.Client.IsGone) counters.ClientGone(exchange.Route);
        return !exchange.Client.IsGone && !exchange.IsOverdue;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<CallFailure> AskAsync(Exchange exchange, UpstreamGuard guard, UpstreamTry place)
    {
        var failure = CallFailure.ClientGone; // Unless told otherwise, the instance has no part in it.
        var call = place.Call;
        var began = exchange.Now;
        call.Asked(began);
        try
        {
            failure = await exchange.CallAsync(call.Upstream, kept: true);
            // The instance closed a kept connection as idle: no failure of it, and no attempt.
            if (failure == CallFailure.KeptClosed && exchange.IsSafe && exchange.BodyUntouched)
                failure = await exchange.CallAsync(call.Upstream, kept: false);
            return failure;
        }
        finally
        {
            call.Heard(failure == CallFailure.None, exchange.Now);
            if (guard.Measures)
                guard.Heard(
                    failure, exchange.Answer.Status, time.GetElapsedTime(began, exchange.Now), place.Permit);
        }
    }

    /// <summary>Passes the answer on, to its end or as far as it goes.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask PassAsync(Exchange exchange, Upstream upstream)
    {
        var (answer, head) = (exchange.Answer, exchange.Head);
        head.Status = answer.Status;
        head.From = answer;
        head.Transformed = exchange.Transformed;
        head.Body = answer.Body;
        head.ContentLength = answer.ContentLength;
        answers.Stamp(exchange);
        if (chooser.CookieFor(exchange.Destination, upstream) is { } cookie)
            head.Added.Add(new("Set-Cookie", cookie));
        counters.Answered(exchange.Route, answer.Status);
        exchange.Client.Begin(head);
        var end = answer.Status == 101 ? await exchange.PassBothWaysAsync() : await exchange.PassBodyAsync();
        await exchange.FinishAsync(end == BodyEnd.Complete);
        if (end != BodyEnd.InstanceFailed) Report(upstream, CallOutcome.Answered, null);
        else await BreakOffAsync(exchange, upstream);
    }

    // Half an answer must never look whole: what has begun is cut, and only what has not is answered.
    private async ValueTask BreakOffAsync(Exchange exchange, Upstream upstream)
    {
        // Who runs out of the caller's time is not to blame.
        if (!exchange.IsOverdue)
            Report(upstream, CallOutcome.NoAnswer, exchange.Cause?.Message ?? "it broke off its answer");
        if (exchange.Client.HasBegun)
        {
            counters.Refused(exchange.Route, ErrorCodes.UpstreamFailed);
            exchange.Client.Abort();
            return;
        }
        await answers.RefuseAsync(exchange, exchange.IsOverdue ? Late() : ToFault(CallFailure.Broken));
    }

    /// <summary>Takes note of a failed attempt. False when it is answered, or there is nobody to answer.</summary>
    private async ValueTask<bool> TakeFailureAsync(Exchange exchange, CallFailure failure, Upstream upstream)
    {
        if (failure.BlamesInstance())
            Report(
                upstream,
                failure.IsUnsent() ? CallOutcome.ConnectFailed : CallOutcome.NoAnswer,
                failure == CallFailure.Timeout ? "no answer in time" : exchange.Cause?.Message);
        switch (failure)
        {
            case CallFailure.ClientGone:
                counters.ClientGone(exchange.Route);
                return false;
            case CallFailure.ClientBody:
                await answers.RefuseBodyAsync(exchange, exchange.ClientFault?.Status ?? 400);
                return false;
            default:
                return true;
        }
    }

    private void Report(Upstream upstream, CallOutcome outcome, string? reason)
    {
        if (upstream.IsRegistered) registry.ReportOutcome(upstream.Key, outcome);
        if (outcome == CallOutcome.Answered)
        {
            if (upstream.Ejection.IsOut) LogTried(upstream.Key);
            upstream.Ejection.Succeed();
        }
        else if (upstream.Ejection.Fail() is { } ejected)
        {
            LogEjected(upstream.Key, ejected, reason);
        }
    }

    private static Fault Open(Exchange exchange, CircuitBreaker breaker)
    {
        exchange.Note(Stage.Admission, "breaker open");
        breaker.Refused();
        return new Fault(
            ErrorCodes.CircuitOpen, "Calls of the service behind this route fail, and it is not called now.")
        {
            RetryAfter = breaker.OpenFor,
        };
    }

    private static Fault Late() =>
        new(ErrorCodes.DeadlineExceeded, "The time for this request is over.");

    private static void TakeFields(Exchange exchange, OwnAnswer answer)
    {
        foreach (var field in answer.Fields(exchange.View(), exchange.Parameters))
            exchange.Head.Added.Add(
                new(Encoding.Latin1.GetString(field.Name), Encoding.Latin1.GetString(field.Value)));
    }

    private static Fault ToFault(CallFailure failure) => failure switch
    {
        CallFailure.Deadline => Late(),
        CallFailure.Connect =>
            new Fault(ErrorCodes.UpstreamConnect, "The service behind this route cannot be connected."),
        CallFailure.Forbidden =>
            new Fault(ErrorCodes.UpstreamForbidden, "The service is registered at an address that is never called."),
        CallFailure.Full =>
            new Fault(ErrorCodes.UpstreamBusy, "The instance has as many connections as it may.")
            {
                RetryAfter = TimeSpan.FromSeconds(1),
            },
        CallFailure.Timeout =>
            new Fault(ErrorCodes.UpstreamTimeout, "The service behind this route did not answer in time."),
        _ => new Fault(ErrorCodes.UpstreamFailed, "The service behind this route broke off its answer."),
    };

    [LoggerMessage(1, LogLevel.Warning, "{Instance} is left out for {Time}: {Reason}")]
    private partial void LogEjected(InstanceKey instance, TimeSpan time, string? reason);

    [LoggerMessage(2, LogLevel.Information, "{Instance} answers again")]
    private partial void LogTried(InstanceKey instance);
}

/// <summary>A place at an instance, with the breaker's permit to call it.</summary>
internal readonly record struct UpstreamTry(UpstreamCall Call, BreakerPermit Permit);
