using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Groundwork.Client.Discovery;
using Groundwork.Wire;
using Polly;
using Tried = Polly.Outcome<System.Net.Http.HttpResponseMessage>;

namespace Groundwork.Client.Calls;

/// <summary>
/// One try of a call: chooses the instance, sends, waits as long as it may, and learns from how it went. Thread-safe.
/// </summary>
internal sealed class CallTry(GroundworkOptions options, ClientMeters meters)
{
    /// <summary>
    /// A body up to this is on its way at once, so the wait for the answer's head can be timed; a longer upload takes
    /// as long as it takes.
    /// </summary>
    public const long MaxTimedContentBytes = 1024 * 1024;

    /// <summary>An answer's body up to this fits into the buffers of any socket.</summary>
    private const long MaxShortContentBytes = 16 * 1024;

    /// <summary>
    /// A caller that gave up after this long was waiting for a dead instance more likely than it changed its mind.
    /// </summary>
    private static readonly TimeSpan PatienceOfCallers = TimeSpan.FromSeconds(3);

    /// <summary>The same, where a caller's deadline ended the wait: it may have left us next to no time.</summary>
    private static readonly TimeSpan PatienceOfDeadlines = TimeSpan.FromSeconds(1);

    private readonly TryLimit limits = new(options.Time);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // One for each call of every service.
    public async ValueTask<Tried> RunAsync(ServiceCall call, SendOn send, CancellationToken cancellationToken)
    {
        var left = call.Left;
        if (left <= TimeSpan.Zero) return Failed(Late(null, null));
        if (call.Take(out var number, out var reason) is not { } place) return Failed(NoInstance(call));
        var began = number == 1 ? call.Began : options.Time.GetTimestamp();
        // What is itself called for a retry earns none: the budgets of hops add up then, and do not multiply.
        if (number == 1 && !call.IsTriedAbove) call.Plan.Budget.Called(began);
        using var span = CallSpans.Start(call.Service.Name, place, number, reason);
        var request = RequestFor(call, place.Target, number, left);
        var length = HeadTimeout(call);
        var isShortened = left is { } rest && (length == Timeout.InfiniteTimeSpan || rest < length);
        var limit = limits.Rent(isShortened ? left.GetValueOrDefault() : length);
        var caller = cancellationToken.UnsafeRegister(
            static source => ((CancellationTokenSource)source!).Cancel(), limit); // It is the state given here.
        long? answeredAt = null;
        Tried outcome;
        place.Asked();
        try
        {
            var answer = await send(request, limit.Token);
            var now = options.Time.GetTimestamp();
            answeredAt = now;
            outcome = Outcome.FromResult(Answered(call, place, answer, options.Time.GetElapsedTime(began, now)));
        }
        catch (Exception fault)
        {
            outcome = Learn(call, place.Target, fault, new Wait(
                options.Time.GetElapsedTime(began), isShortened, limit.IsCancellationRequested, cancellationToken));
        }
        finally
        {
            place.Heard(answeredAt);
            if (answeredAt is null) place.Dispose();
            caller.Dispose();
            limits.Return(limit, isLetGo: request.Content is null);
        }
        CallSpans.End(span, outcome);
        return outcome;
    }

    public static CallFailedException NoInstance(ServiceCall? call) => new(
        ErrorCodes.NoInstance,
        call is { Plan.Policy.Choice.RequireVersion: true, Version: { } version }
            ? $"there is no instance of version {version} to call"
            : "there is no instance to call",
        null, null);

    public static CallFailedException Late(Exception? cause, string? instance) => new(
        ErrorCodes.DeadlineExceeded, "the time for the call is over", cause, instance);

    /// <summary>The same request to another address; its content, which has one owner, is left out.</summary>
    public static HttpRequestMessage Copy(HttpRequestMessage request, Uri address)
    {
        var copy = new HttpRequestMessage(request.Method, address)
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
        };
        foreach (var (name, values) in request.Headers.NonValidated) copy.Headers.TryAddWithoutValidation(name, values);
        foreach (var (name, value) in (IDictionary<string, object?>)request.Options)
            ((IDictionary<string, object?>)copy.Options)[name] = value;
        return copy;
    }

    // Tries that run beside each other need a request each.
    private static HttpRequestMessage RequestFor(ServiceCall call, ServiceTarget target, int number, TimeSpan? left)
    {
        var request = call.Request;
        var address = target.Rewrite(call.Asked);
        if (call.IsHedged) request = Copy(request, address);
        else request.RequestUri = address;
        if (left is { } rest) Set(request, HeaderNames.Deadline, Math.Max(1, (long)rest.TotalMilliseconds));
        var told = call.NumberFor(number);
        if (told > 1) Set(request, HeaderNames.Attempt, told);
        return request;
    }

    private static void Set(HttpRequestMessage request, string header, long value)
    {
        request.Headers.Remove(header);
        request.Headers.TryAddWithoutValidation(header, value.ToString(CultureInfo.InvariantCulture));
    }

    private HttpResponseMessage Answered(ServiceCall call, CallPlace place, HttpResponseMessage answer, TimeSpan took)
    {
        Learn(call, place.Target, CallOutcome.Answered);
        call.Plan.Times?.Add(took);
        // What becomes of a connection that switches protocols is not a call, and its stream is written to.
        if (answer.StatusCode == HttpStatusCode.SwitchingProtocols) place.Dispose();
        else if (IsLoad(answer, call.Plan)) answer.Content = new CountedContent(answer.Content, place, took);
        else place.Dispose();
        return answer;
    }

    // A short body has been sent with its head, as far as the instance is concerned, so that only others are load. A
    // bulkhead and a breaker that look at the answer need it in any case.
    private static bool IsLoad(HttpResponseMessage answer, CallPlan plan) =>
        answer.Content.Headers.ContentLength is not <= MaxShortContentBytes
        || plan.Bulkhead is not null || plan.Policy.Breaker?.SlowerThan is not null;

    private Tried Learn(ServiceCall call, ServiceTarget target, Exception fault, Wait wait)
    {
        switch (fault)
        {
            case HttpRequestException request when IsTransport(request):
                var isSent = !IsOfConnecting(request.HttpRequestError);
                Learn(call, target, isSent ? CallOutcome.NoAnswer : CallOutcome.ConnectFailed);
                return Failed(new CallFailedException(
                    isSent ? ErrorCodes.UpstreamFailed : ErrorCodes.UpstreamConnect, fault.Message, fault, target.Id));
            case OperationCanceledException when wait.Caller.IsCancellationRequested:
                if (wait.Length >= PatienceOfCallers) Learn(call, target, CallOutcome.NoAnswer);
                return Failed(fault);
            case OperationCanceledException when wait.IsOver && wait.IsShortened:
                if (!call.IsDeadlineInherited || wait.Length >= PatienceOfDeadlines)
                    Learn(call, target, CallOutcome.NoAnswer);
                return Failed(Late(fault, target.Id));
            case OperationCanceledException when wait.IsOver:
                Learn(call, target, CallOutcome.NoAnswer);
                return Failed(new CallFailedException(
                    ErrorCodes.UpstreamTimeout, "no answer in time", fault, target.Id));
            case OperationCanceledException { InnerException: TimeoutException }:
                // The inner handler's own limit for connecting.
                Learn(call, target, CallOutcome.ConnectFailed);
                return Failed(new CallFailedException(
                    ErrorCodes.UpstreamConnect, "no connection in time", fault, target.Id));
            default:
                return Failed(fault);
        }
    }

    private void Learn(ServiceCall call, ServiceTarget target, CallOutcome outcome)
    {
        var service = ClientMeters.Service(call.Service.Name);
        meters.Calls.Add(1, service, ClientMeters.Outcome(outcome switch
        {
            CallOutcome.Answered => "answered",
            CallOutcome.ConnectFailed => "connect-failed",
            _ => "no-answer",
        }));
        if (target.Learn(outcome)) meters.Ejections.Add(1, service);
    }

    private TimeSpan HeadTimeout(ServiceCall call)
    {
        if (call.Request.Options.TryGetValue(GroundworkRequest.ResponseHeadTimeout, out var own)) return own;
        var length = call.Request.Content is null ? 0 : call.Request.Content.Headers.ContentLength;
        return length is <= MaxTimedContentBytes
            ? call.Plan.Policy.TryTimeout ?? options.ResponseHeadTimeout
            : Timeout.InfiniteTimeSpan;
    }

    private static bool IsOfConnecting(HttpRequestError error) => error
        is HttpRequestError.ConnectionError
        or HttpRequestError.NameResolutionError
        or HttpRequestError.SecureConnectionError
        or HttpRequestError.ProxyTunnelError;

    // A fault with a status is an answer that someone's handler did not like.
    private static bool IsTransport(HttpRequestException fault) => fault.StatusCode is null
        && fault.HttpRequestError is not (
            HttpRequestError.UserAuthenticationError or HttpRequestError.ConfigurationLimitExceeded);

    private static Tried Failed(Exception fault) => Outcome.FromException<HttpResponseMessage>(fault);

    /// <summary>How long a try has waited, and what ended it.</summary>
    /// <param name="Length">Since the try began.</param>
    /// <param name="IsShortened">True when the call's deadline came before the try's own.</param>
    /// <param name="IsOver">True when its time was over, or the caller gave up.</param>
    /// <param name="Caller">The caller's, or that of the step that lets a try go whose sibling was faster.</param>
    private readonly record struct Wait(TimeSpan Length, bool IsShortened, bool IsOver, CancellationToken Caller);
}
