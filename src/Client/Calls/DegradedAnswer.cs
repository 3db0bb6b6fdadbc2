using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Groundwork.Wire;
using Tried = Polly.Outcome<System.Net.Http.HttpResponseMessage>;

namespace Groundwork.Client.Calls;

/// <summary>An answer in place of a fault, marked as what it is.</summary>
/// <param name="Answer">What the caller gets.</param>
/// <param name="Kind"><c>fallback</c> or <c>failsafe</c>.</param>
internal sealed record DegradedAnswer(HttpResponseMessage Answer, string Kind)
{
    /// <summary>A fallback's call of another service; a fallback has none of its own, or two could go round.</summary>
    private static readonly HttpRequestOptionsKey<bool> IsFallback = new("groundwork.is-fallback");

    /// <summary>The answer that the policy has; null when it has none for this call.</summary>
    /// <param name="call">The call that failed.</param>
    /// <param name="outcome">How.</param>
    /// <param name="send">Calls another service.</param>
    public static async ValueTask<DegradedAnswer?> MakeAsync(
        ServiceCall call, Tried outcome, Func<HttpRequestMessage, Task<HttpResponseMessage>> send)
    {
        var policy = call.Plan.Policy;
        if (policy.Fallback is { } fallback && !call.Request.Options.TryGetValue(IsFallback, out _))
        {
            var answer = fallback.Service is { } service
                ? await AskAsync(service, call, outcome, send)
                : Fixed(fallback);
            if (answer is not null) return Mark(answer, "fallback", call);
        }
        return policy.Strategy == CallStrategy.Failsafe
            ? Mark(new HttpResponseMessage(HttpStatusCode.NoContent), "failsafe", call)
            : null;
    }

    private static HttpResponseMessage Fixed(FallbackPolicy fallback)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(fallback.Body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(fallback.ContentType);
        return new HttpResponseMessage((HttpStatusCode)fallback.Status) { Content = content };
    }

    // A body that was sent is gone, and a call that may have had its effect must not have it twice.
    private static async ValueTask<HttpResponseMessage?> AskAsync(
        string service, ServiceCall call, Tried outcome,
        Func<HttpRequestMessage, Task<HttpResponseMessage>> send)
    {
        if (!call.IsSafe && outcome.Exception is not CallFailedException { Sent: false }) return null;
        var request = CallTry.Copy(call.Request, new Uri($"{call.Asked.Scheme}://{service}{call.Asked.PathAndQuery}"));
        request.Content = call.Request.Content;
        request.Options.Set(IsFallback, true);
        try
        {
            return await send(request);
        }
        catch (HttpRequestException)
        {
            return null; // The first fault is the caller's: it is the one to look at.
        }
    }

    private static DegradedAnswer Mark(HttpResponseMessage answer, string kind, ServiceCall call)
    {
        answer.Headers.TryAddWithoutValidation(HeaderNames.Degraded, kind);
        answer.RequestMessage = call.Request;
        Activity.Current?.SetTag("groundwork.degraded", kind);
        return new DegradedAnswer(answer, kind);
    }
}
