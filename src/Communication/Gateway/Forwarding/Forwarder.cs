using System.Runtime.CompilerServices;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>
/// Takes a request to an instance and its answer back: choice, attempt, at most one more, answer.
/// </summary>
internal sealed partial class Forwarder(
    InstanceChooser chooser,
    IRegistryView registry,
    OwnAnswers answers,
    GatewayCounters counters,
    ILogger<Forwarder> logger)
{
    /// <summary>Attempts in all: one, and one more where that can do no harm.</summary>
    private const int MaxAttempts = 2;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ForwardAsync(Exchange exchange)
    {
        Upstream? failed = null;
        Fault? answer = null;
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            if (!chooser.Choose(exchange.Destination, exchange.IsSafe
                && exchange.BodyUntouched, failed).TryGet(out var call, out var none))
            {
                answer ??= none; // On the second attempt the first one's failure says more.
                break;
            }
            exchange.Note(Stage.Choice, "chosen", call);
            try
            {
                var failure = await AskAsync(exchange, call);
                if (failure == CallFailure.None)
                {
                    await PassAsync(exchange, call.Upstream);
                    return;
                }
                if (!await TakeFailureAsync(exchange, failure, call.Upstream)) return;
                answer = ToFault(failure);
                failed = call.Upstream;
                if (!(failure.IsUnsent() || exchange.IsSafe) || !exchange.BodyUntouched) break;
            }
            finally
            {
                call.End();
            }
        }
        // Either choosing or sending has failed, and both leave a fault.
        await answers.RefuseAsync(exchange, answer!);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<CallFailure> AskAsync(Exchange exchange, UpstreamCall call)
    {
        var answered = false;
        call.Asked();
        try
        {
            var failure = await exchange.CallAsync(call.Upstream, kept: true);
            // The instance closed a kept connection as idle: no failure of it, and no attempt.
            if (failure == CallFailure.KeptClosed && exchange.IsSafe && exchange.BodyUntouched)
                failure = await exchange.CallAsync(call.Upstream, kept: false);
            answered = failure == CallFailure.None;
            return failure;
        }
        finally
        {
            call.Heard(answered);
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
        Report(upstream, CallOutcome.NoAnswer, exchange.Cause?.Message ?? "it broke off its answer");
        if (exchange.Client.HasBegun)
        {
            counters.Refused(exchange.Route, ErrorCodes.UpstreamFailed);
            exchange.Client.Abort();
            return;
        }
        await answers.RefuseAsync(exchange, ToFault(CallFailure.Broken));
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

    private static Fault ToFault(CallFailure failure) => failure switch
    {
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
