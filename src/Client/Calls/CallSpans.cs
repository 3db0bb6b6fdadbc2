using System.Diagnostics;
using System.Globalization;
using Groundwork.Client.Discovery;
using Polly;

namespace Groundwork.Client.Calls;

/// <summary>
/// A span for each try, of the source <c>Groundwork.Client</c>, below the caller's. Nobody who listens: nothing made.
/// </summary>
internal static class CallSpans
{
    public const string SourceName = "Groundwork.Client";

    private static readonly ActivitySource Source = new(SourceName);

    public static Activity? Start(string service, CallPlace place, int number, TryReason reason)
    {
        if (!Source.HasListeners()) return null;
        var span = Source.StartActivity($"call {service}", ActivityKind.Client);
        if (span is not { IsAllDataRequested: true }) return span;
        var target = place.Target;
        span.SetTag("groundwork.service", service);
        span.SetTag("groundwork.instance", target.Id);
        if (target.Zone is { } zone) span.SetTag("groundwork.zone", zone);
        span.SetTag("groundwork.attempt", number);
        span.SetTag("groundwork.choice", Word(place.Reason));
        span.SetTag("groundwork.reason", Word(reason));
        span.SetTag("server.address", target.Host);
        span.SetTag("server.port", target.Port);
        return span;
    }

    public static void End(Activity? span, Outcome<HttpResponseMessage> outcome)
    {
        if (span is not { IsAllDataRequested: true }) return;
        if (outcome.Result is { } answer)
        {
            span.SetTag("groundwork.outcome", "answered");
            span.SetTag("http.response.status_code", (int)answer.StatusCode);
            if ((int)answer.StatusCode >= 500) span.SetStatus(ActivityStatusCode.Error);
            return;
        }
        var word = outcome.Exception switch
        {
            CallFailedException fault => fault.Error.Code,
            OperationCanceledException => "cancelled",
            _ => "failed",
        };
        span.SetTag("groundwork.outcome", word);
        if (word != "cancelled") span.SetStatus(ActivityStatusCode.Error, outcome.Exception?.Message);
    }

    private static string Word(TryReason reason) => reason switch
    {
        TryReason.Retry => "retry",
        TryReason.Hedge => "hedge",
        _ => "first",
    };

    private static string Word(ChoiceReason reason) => reason switch
    {
        ChoiceReason.LessLoaded => "less-loaded",
        ChoiceReason.RoundRobin => "round-robin",
        ChoiceReason.Random => "random",
        ChoiceReason.Weighted => "weighted",
        ChoiceReason.Hash => "hash",
        ChoiceReason.Doubted => "doubted",
        ChoiceReason.LeftOut => "left-out",
        _ => "only",
    };
}
