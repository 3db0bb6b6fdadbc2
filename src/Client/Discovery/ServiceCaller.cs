using System.Net;
using Groundwork.Wire;

namespace Groundwork.Client.Discovery;

/// <summary>Calls a service by name: choose, try, learn, and at most once more. Thread-safe.</summary>
internal sealed class ServiceCaller(
    GroundworkOptions options, ServiceDirectory directory, ClientMeters meters, CallerName self)
{
    /// <summary>Tries of one call, the first included.</summary>
    private const int MaxTries = 2;

    /// <summary>
    /// A body up to this is on its way at once, so the wait for the answer's head can be timed; a longer upload takes
    /// as long as it takes.
    /// </summary>
    private const long MaxTimedContentBytes = 1024 * 1024;

    /// <summary>
    /// A caller that gave up after this long was waiting for a dead instance more likely than it changed its mind.
    /// </summary>
    private static readonly TimeSpan PatienceOfCallers = TimeSpan.FromSeconds(3);

    public bool MayBeService(Uri uri) => directory.MayBeService(uri);

    public async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send,
        CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } asked || !directory.MayBeService(asked))
            return await send(request, cancellationToken);
        var list = await directory.FindAsync(asked.Host, cancellationToken);
        if (list is null)
        {
            if (directory.IsDeclared(asked.Host)) throw NoInstance(asked);
            return await send(request, cancellationToken);
        }
        request.Headers.Remove(HeaderNames.Caller);
        request.Headers.TryAddWithoutValidation(HeaderNames.Caller, self.Text);
        try
        {
            return await CallAsync(request, asked, list, send, cancellationToken);
        }
        finally
        {
            request.RequestUri = asked;
        }
    }

    private async Task<HttpResponseMessage> CallAsync(
        HttpRequestMessage request,
        Uri asked,
        CallableList list,
        Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send,
        CancellationToken cancellationToken)
    {
        var repeatable = IsRepeatable(request);
        var place = list.Take(excluded: null, asked.Scheme, repeatable) ?? throw NoInstance(asked);
        for (var tries = 1; ; tries++)
        {
            var target = place.Target;
            request.RequestUri = target.Rewrite(asked);
            try
            {
                return await TryAsync(request, place, asked.Host, send, cancellationToken);
            }
            catch (CallFailedException fault)
            {
                var next = tries < MaxTries && (!fault.Sent || repeatable) && !cancellationToken.IsCancellationRequested
                    ? list.Take(target, asked.Scheme, repeatable)
                    : null;
                if (next is null) throw fault.AsRequestException(asked.Host, target);
                meters.Retries.Add(1, Tag(asked.Host));
                place = next;
            }
        }
    }

    private async Task<HttpResponseMessage> TryAsync(
        HttpRequestMessage request,
        CallPlace place,
        string service,
        Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send,
        CancellationToken cancellationToken)
    {
        var target = place.Target;
        using var late = new CancellationTokenSource(HeadTimeout(request), options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        var began = options.Time.GetTimestamp();
        var answered = false;
        place.Asked();
        try
        {
            var response = await send(request, either.Token);
            answered = true;
            Learn(target, service, CallOutcome.Answered);
            // What becomes of a connection that switches protocols is not a call, and its stream is written to.
            if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
                response.Content = new CountedContent(response.Content, place);
            else place.Dispose();
            return response;
        }
        catch (HttpRequestException fault) when (IsTransport(fault))
        {
            var sent = !IsOfConnecting(fault.HttpRequestError);
            Learn(target, service, sent ? CallOutcome.NoAnswer : CallOutcome.ConnectFailed);
            throw new CallFailedException(fault, sent);
        }
        catch (OperationCanceledException fault) when (cancellationToken.IsCancellationRequested)
        {
            if (options.Time.GetElapsedTime(began) >= PatienceOfCallers) Learn(target, service, CallOutcome.NoAnswer);
            throw new OperationCanceledException(fault.Message, fault, cancellationToken);
        }
        catch (OperationCanceledException fault) when (late.IsCancellationRequested)
        {
            Learn(target, service, CallOutcome.NoAnswer);
            throw new CallFailedException(fault, sent: true);
        }
        catch (OperationCanceledException fault) when (fault.InnerException is TimeoutException)
        {
            // The inner handler's own limit for connecting.
            Learn(target, service, CallOutcome.ConnectFailed);
            throw new CallFailedException(fault, sent: false);
        }
        finally
        {
            place.Heard(answered);
            if (!answered) place.Dispose();
        }
    }

    private void Learn(ServiceTarget target, string service, CallOutcome outcome)
    {
        meters.Calls.Add(1, Tag(service), new KeyValuePair<string, object?>("outcome", outcome switch
        {
            CallOutcome.Answered => "answered",
            CallOutcome.ConnectFailed => "connect-failed",
            _ => "no-answer",
        }));
        if (target.Learn(outcome)) meters.Ejections.Add(1, Tag(service));
    }

    private TimeSpan HeadTimeout(HttpRequestMessage request)
    {
        if (request.Options.TryGetValue(GroundworkRequest.ResponseHeadTimeout, out var own)) return own;
        var length = request.Content is null ? 0 : request.Content.Headers.ContentLength;
        return length is <= MaxTimedContentBytes ? options.ResponseHeadTimeout : Timeout.InfiniteTimeSpan;
    }

    // A body that was begun may be gone, so a safe method with a body can be repeated only while nothing was sent.
    private static bool IsRepeatable(HttpRequestMessage request) => request.Content is null
        && (request.Method == HttpMethod.Get || request.Method == HttpMethod.Head
            || request.Method == HttpMethod.Options || request.Method == HttpMethod.Trace);

    private static bool IsOfConnecting(HttpRequestError error) => error
        is HttpRequestError.ConnectionError
        or HttpRequestError.NameResolutionError
        or HttpRequestError.SecureConnectionError
        or HttpRequestError.ProxyTunnelError;

    // A fault with a status is an answer that someone's handler did not like.
    private static bool IsTransport(HttpRequestException fault) => fault.StatusCode is null
        && fault.HttpRequestError is not (
            HttpRequestError.UserAuthenticationError or HttpRequestError.ConfigurationLimitExceeded);

    private static HttpRequestException NoInstance(Uri asked) => new(
        HttpRequestError.ConnectionError, $"{ErrorCodes.NoInstance}: service '{asked.Host}' has no instance to call");

    private static KeyValuePair<string, object?> Tag(string service) => new("service", service);

    // Carries a failed try to the loop that decides on the next; never leaves this class.
    private sealed class CallFailedException(Exception cause, bool sent) : Exception(cause.Message, cause)
    {
        public bool Sent { get; } = sent;

        public HttpRequestException AsRequestException(string service, ServiceTarget target)
        {
            var error = (InnerException as HttpRequestException)?.HttpRequestError
                ?? (Sent ? HttpRequestError.Unknown : HttpRequestError.ConnectionError);
            var what = InnerException is OperationCanceledException
                ? Sent ? $"{ErrorCodes.UpstreamTimeout}: no answer in time"
                    : $"{ErrorCodes.UpstreamConnect}: no connection in time"
                : Message;
            return new HttpRequestException(
                error, $"{what} (service '{service}', instance {target.Id})", InnerException);
        }
    }
}

/// <summary>
/// What this instance calls itself towards those it calls; known when it has registered. Thread-safe.
/// </summary>
internal sealed class CallerName(GroundworkOptions options)
{
    private string text = $"{options.Namespace}/{options.ServiceName}/{options.InstanceId ?? "-"}";

    public string Text => Volatile.Read(ref text);

    public void SetId(string id) => Volatile.Write(ref text, $"{options.Namespace}/{options.ServiceName}/{id}");
}
