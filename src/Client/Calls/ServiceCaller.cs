using Groundwork.Client.Discovery;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Tried = Polly.Outcome<System.Net.Http.HttpResponseMessage>;

namespace Groundwork.Client.Calls;

/// <summary>Sends a request on to the handler below.</summary>
internal delegate Task<HttpResponseMessage> SendOn(HttpRequestMessage request, CancellationToken cancellationToken);

/// <summary>
/// Calls a service by name: finds it and its policy, takes a place in the bulkhead, tries, tries again, and answers in
/// place of what failed. Thread-safe.
/// </summary>
internal sealed partial class ServiceCaller(
    GroundworkOptions options, ServiceDirectory directory, CallPlans plans, ClientMeters meters, CallerName self,
    ILogger log)
{
    private readonly CallTry tries = new(options, meters);

    public bool MayBeService(Uri uri) => directory.MayBeService(uri);

    public Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, SendOn send, CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } asked || !directory.MayBeService(asked))
            return send(request, cancellationToken);
        if (directory.Known(asked.Host) is { } service
            && plans.Find(service.Name, request) is { Policy.Retry.Unsafe: false } plan)
            return SendToAsync(NewCall(request, asked, service, plan), send, cancellationToken);
        return FindAndSendAsync(request, asked, send, cancellationToken);
    }

    // What only the first call of a name needs, and those whose body must be held.
    private async Task<HttpResponseMessage> FindAndSendAsync(
        HttpRequestMessage request, Uri asked, SendOn send, CancellationToken cancellationToken)
    {
        if (await directory.FindAsync(asked.Host, cancellationToken) is not { } service)
        {
            if (!directory.IsDeclared(asked.Host)) return await send(request, cancellationToken);
            throw CallTry.NoInstance(null).AsPublic(asked.Host);
        }
        var plan = plans.Find(service.Name, request);
        var mayRepeatUnsafe = plan.Policy.Retry.Unsafe && await CanSendAgainAsync(request, cancellationToken);
        return await SendToAsync(
            NewCall(request, asked, service, plan, mayRepeatUnsafe), send, cancellationToken);
    }

    private ServiceCall NewCall(
        HttpRequestMessage request, Uri asked, ServiceEntry service, CallPlan plan, bool mayRepeatUnsafe = false) =>
        new(options, meters, request, asked, service, plan, mayRepeatUnsafe);

    private async Task<HttpResponseMessage> SendToAsync(
        ServiceCall call, SendOn send, CancellationToken cancellationToken)
    {
        var request = call.Request;
        if (request.Headers.NonValidated.Count > 0) request.Headers.Remove(HeaderNames.Caller);
        request.Headers.TryAddWithoutValidation(HeaderNames.Caller, self.Text);
        try
        {
            // The first try is made at once where nothing stands before it: the steps are put around it only when it
            // fails.
            var outcome = call.StartsPlain
                ? await tries.RunAsync(call, send, cancellationToken)
                : await CallAsync(call, send, cancellationToken);
            if (call.GoesOnAfter(outcome)) outcome = await CallThroughStepsAsync(call, send, cancellationToken);
            if (IsFault(call, outcome)) outcome = await AnswerInsteadAsync(call, outcome, send, cancellationToken);
            if (outcome.Result is not { } answer) throw Public(call, outcome, cancellationToken);
            answer.RequestMessage = request;
            return answer;
        }
        finally
        {
            request.RequestUri = call.Asked;
        }
    }

    private ValueTask<Tried> CallAsync(ServiceCall call, SendOn send, CancellationToken cancellationToken) =>
        call.Plan.Bulkhead is { } bulkhead
            ? CallInBulkheadAsync(bulkhead, call, send, cancellationToken)
            : CallThroughStepsAsync(call, send, cancellationToken);

    private async ValueTask<Tried> CallThroughStepsAsync(
        ServiceCall call, SendOn send, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(CallPlan.CallOf, call);
        try
        {
            var outcome = await call.Plan.For(call).ExecuteOutcomeAsync(
                static (context, state) =>
                {
                    if (state.Call.TakeFirst(out var first)) return ValueTask.FromResult(first);
                    return state.Tries.RunAsync(state.Call, state.Send, context.CancellationToken);
                },
                context,
                (Call: call, Tries: tries, Send: send));
            return outcome.Exception is BrokenCircuitException broken ? Refused(call, broken) : outcome;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async ValueTask<Tried> CallInBulkheadAsync(
        CallBulkhead bulkhead, ServiceCall call, SendOn send, CancellationToken cancellationToken)
    {
        IDisposable? place;
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            if (call.Left is { } left) limit.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            try
            {
                place = await bulkhead.EnterAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return Outcome.FromException<HttpResponseMessage>(CallTry.Late(null, null));
            }
        }
        if (place is null)
        {
            meters.Refusals.Add(1, ClientMeters.Service(call.Service.Name), ClientMeters.Reason("bulkhead-full"));
            return Outcome.FromException<HttpResponseMessage>(new CallFailedException(
                ErrorCodes.BulkheadFull, $"{bulkhead.Policy.MaxConcurrent} calls are under way", null, null));
        }
        var isHandedOn = false;
        try
        {
            var outcome = await CallThroughStepsAsync(call, send, cancellationToken);
            if (outcome.Result?.Content is not CountedContent content) return outcome;
            // Until the answer's body has ended.
            isHandedOn = content.Place.TryAttach(place);
            return outcome;
        }
        finally
        {
            if (!isHandedOn) place.Dispose();
        }
    }

    private Tried Refused(ServiceCall call, BrokenCircuitException broken)
    {
        meters.Refusals.Add(1, ClientMeters.Service(call.Service.Name), ClientMeters.Reason("circuit-open"));
        return Outcome.FromException<HttpResponseMessage>(new CallFailedException(
            ErrorCodes.CircuitOpen, call.Plan.Breaker?.State.Reason ?? "too many calls have failed", broken, null));
    }

    // What a policy may answer in place of: no answer, or one that says that the service has failed.
    private static bool IsFault(ServiceCall call, Tried outcome) =>
        (call.Plan.Policy.Fallback is not null || call.Plan.Policy.Strategy == CallStrategy.Failsafe)
        && (outcome.Exception is CallFailedException || outcome.Result is { } answer && (int)answer.StatusCode >= 500);

    private async ValueTask<Tried> AnswerInsteadAsync(
        ServiceCall call, Tried outcome, SendOn send, CancellationToken cancellationToken)
    {
        if (await DegradedAnswer.MakeAsync(call, outcome, ElseAsync) is not { } degraded) return outcome;
        meters.Degraded.Add(1, ClientMeters.Service(call.Service.Name), ClientMeters.Reason(degraded.Kind));
        LogDegraded(call.Service.Name, degraded.Kind, Words(outcome));
        outcome.Result?.Dispose();
        return Outcome.FromResult(degraded.Answer);

        Task<HttpResponseMessage> ElseAsync(HttpRequestMessage request) =>
            SendAsync(request, send, cancellationToken);
    }

    private static Exception Public(ServiceCall call, Tried outcome, CancellationToken cancellationToken)
    {
        switch (outcome.Exception)
        {
            case CallFailedException fault:
                return fault.AsPublic(call.Service.Name);
            case OperationCanceledException cancelled when cancellationToken.IsCancellationRequested:
                return new OperationCanceledException(cancelled.Message, cancelled, cancellationToken);
            default:
                outcome.ThrowIfException(); // With the stack it was first thrown with.
                return new InvalidOperationException("A call ended with neither an answer nor a fault.");
        }
    }

    private static string Words(Tried outcome) => outcome switch
    {
        { Exception: CallFailedException fault } => $"{fault.Error.Code}: {fault.Message}",
        { Result: { } answer } => $"status {(int)answer.StatusCode}",
        _ => "",
    };

    // Only what is held in memory can be sent again; a longer body, or one of unknown length, is sent once.
    private static async ValueTask<bool> CanSendAgainAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is not { } content) return true;
        if (content.Headers.ContentLength is not <= CallTry.MaxTimedContentBytes) return false;
        await content.LoadIntoBufferAsync(CallTry.MaxTimedContentBytes, cancellationToken);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A call of {Service} is answered by its {Kind}: {Fault}")]
    private partial void LogDegraded(string service, string kind, string fault);
}
