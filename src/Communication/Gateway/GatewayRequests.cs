using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Groundwork.Wire.Http1;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// A request of the outside from its head to the end of its answer: route, instance, attempt, at most one more, answer.
/// </summary>
internal sealed partial class GatewayRequests(
    RouteTableView routes,
    ISnapshotSource snapshots,
    InstanceChooser chooser,
    IRegistryView registry,
    RequestsUnderWay underWay,
    GatewayCounters counters,
    GatewayOptions options,
    TimeProvider time,
    ILogger<GatewayRequests> logger)
{
    /// <summary>Attempts in all: one, and one more where that can do no harm.</summary>
    private const int MaxAttempts = 2;

    /// <summary>True once a stop is wanted: connections are told to close with their next answer.</summary>
    public bool IsDraining => underWay.Draining;

    /// <summary>Has a request answered; its head is read, and the exchange begun.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask HandleAsync(Exchange exchange)
    {
        using var place = underWay.Enter();
        exchange.Trusted = IsTrusted(exchange.Client.Address);
        try
        {
            if (FindRoute(exchange, out var allowed) is { } fault) await AnswerAsync(exchange, fault, allowed);
            else if (exchange.Route.OwnAnswer is { } answer) await AnswerItselfAsync(exchange, answer);
            else await ForwardAsync(exchange);
        }
        catch (Exception fault)
        {
            // The path is told without its query, which may hold a credential of somebody's protocol.
            LogFailure(
                fault, Encoding.ASCII.GetString(exchange.Request.MethodName),
                Encoding.ASCII.GetString(exchange.Request.Path));
            await FailAsync(exchange);
        }
    }

    /// <summary>Answers a request whose head is none.</summary>
    public ValueTask RefuseAsync(Exchange exchange, HeadFault fault)
    {
        var code = HeadFaults.StatusOf(fault) switch
        {
            414 => ErrorCodes.TargetTooLong,
            431 => ErrorCodes.HeadTooLarge,
            501 => ErrorCodes.CodingUnsupported,
            505 => ErrorCodes.VersionUnsupported,
            _ => ErrorCodes.BadRequest,
        };
        exchange.Head.Closes = true;
        return AnswerAsync(exchange, new Fault(code, HeadFaults.Explain(fault)));
    }

    /// <summary>Answers a request that takes too long, or too much.</summary>
    public ValueTask RefuseAsync(Exchange exchange, int status)
    {
        exchange.Head.Closes = true;
        return AnswerAsync(exchange, status switch
        {
            408 => new Fault(ErrorCodes.RequestTimeout, "The request did not come in time."),
            413 => new Fault(ErrorCodes.BodyTooLarge, "The body is larger than this listener passes on."),
            _ => new Fault(ErrorCodes.BadRequest, "The body is malformed."),
        });
    }

    private async ValueTask FailAsync(Exchange exchange)
    {
        await exchange.DropAsync();
        if (exchange.Client.HasBegun)
        {
            exchange.Client.Abort();
            return;
        }
        exchange.Head.Closes = true;
        await AnswerAsync(exchange, new Fault(ErrorCodes.Internal, "The request failed inside the platform."));
    }

    private Fault? FindRoute(Exchange exchange, out string? allowed)
    {
        allowed = null;
        var head = exchange.Request;
        if (head.Method is KnownMethod.Connect or KnownMethod.Trace)
            return new Fault(
                ErrorCodes.MethodNotAllowed, $"{KnownMethods.NameOf(head.Method)} is never forwarded.");
        if (RequestForm.Hops(head.Fields) >= options.MaxHops)
            return new Fault(ErrorCodes.LoopDetected, $"The request has passed {options.MaxHops} gateways.");
        if (head.Path.IsEmpty) return new Fault(ErrorCodes.BadRequest, "A request for no path is for no route.");
        var view = new RequestView
        {
            Host = head.Host,
            Path = head.Path,
            Method = head.MethodName,
            Query = head.Query.IsEmpty ? head.Query : head.Query[1..],
            Fields = exchange.Fields,
            Client = exchange.Client.Address,
            Time = time.GetUtcNow(),
        };
        var match = routes.Current.Match(view);
        if (match.Route is { } route)
        {
            exchange.Route = route;
            Take(exchange, route, view, match);
            return null;
        }
        if (!match.HostKnown) return new Fault(ErrorCodes.HostUnknown, "No route serves the host of this request.");
        if (match.Allowed is null) return new Fault(ErrorCodes.RouteNotFound, "No route of this host serves the path.");
        allowed = string.Join(", ", match.Allowed);
        return new Fault(ErrorCodes.MethodNotAllowed, "The routes of this path do not serve the method.");
    }


    // What can only be told while the head is looked at.
    private void Take(Exchange exchange, Route route, in RequestView view, in RouteMatch match)
    {
        exchange.Transformed = route.Transform?.Apply(view, match.Parameters);
        if (route.Deliveries is { } deliveries)
        {
            var target = deliveries.Only ?? deliveries.Choose(view, match.Parameters, Random.Shared);
            exchange.Destination = chooser.Decide(target, view, match);
        }
        else if (route.OwnAnswer is { } answer)
        {
            foreach (var field in answer.Fields(view, match.Parameters))
                exchange.Head.Added.Add(
                    new(Encoding.Latin1.GetString(field.Name), Encoding.Latin1.GetString(field.Value)));
        }
    }

    // A redirect, or what stands in the route.
    private async ValueTask AnswerItselfAsync(Exchange exchange, OwnAnswer answer)
    {
        var (head, client) = (exchange.Head, exchange.Client);
        var bare = exchange.Request.Method == KnownMethod.Head || answer.Status is 204 or 205 or 304;
        head.Status = answer.Status;
        head.Body = bare ? BodyKind.None : BodyKind.Length;
        head.ContentLength = answer.Body.Length;
        StampRevision(exchange);
        counters.Answered(exchange.Route, answer.Status);
        client.Begin(head);
        if (!bare) client.Write(answer.Body.Span);
        client.End(null);
        await client.FlushAsync();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ForwardAsync(Exchange exchange)
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
        await AnswerAsync(exchange, answer!);
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
        StampRevision(exchange);
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
        await AnswerAsync(exchange, ToFault(CallFailure.Broken));
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
                await RefuseAsync(exchange, exchange.ClientFault?.Status ?? 400);
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

    private async ValueTask AnswerAsync(Exchange exchange, Fault fault, string? allowed = null)
    {
        var head = exchange.Head;
        var route = exchange.Route;
        counters.Refused(route, fault.Error);
        var body = JsonSerializer.SerializeToUtf8Bytes(
            Problems.ToDocument(fault) with { TraceId = exchange.Trace.TraceId }, WireJson.Strict.ProblemDocument);
        var closes = head.Closes;
        head.Clear();
        head.Closes = closes;
        head.Status = fault.Error.Status;
        var bare = exchange.Request.Method == KnownMethod.Head;
        head.Body = bare ? BodyKind.None : BodyKind.Length;
        head.ContentLength = body.Length;
        head.Added.Add(new("Content-Type", Problems.MediaType));
        head.Added.Add(new("Cache-Control", "no-store"));
        if (allowed is not null) head.Added.Add(new("Allow", allowed));
        // Whole seconds, at least one: 0 would invite a busy loop.
        if (fault.RetryAfter is { } wait)
            head.Added.Add(new(
                "Retry-After",
                Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture)));
        if (route is not null) StampRevision(exchange);
        var client = exchange.Client;
        client.Begin(head);
        if (!bare) client.Write(body);
        client.End(null);
        await client.FlushAsync();
    }

    private void StampRevision(Exchange exchange)
    {
        if (exchange.Route.ExposeRevision
            || (exchange.Trusted && exchange.Request.Fields.Has(KnownField.GroundworkRevision)))
            exchange.Head.Added.Add(new(
                HeaderNames.Revision, snapshots.Current.Revision.ToString(CultureInfo.InvariantCulture)));
    }

    private bool IsTrusted(IPAddress? peer)
    {
        if (peer is null || options.TrustedProxies.IsDefaultOrEmpty) return false;
        foreach (var network in options.TrustedProxies)
            if (network.Contains(peer)) return true;
        return false;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Instance} is left out for {Time}: {Reason}")]
    private partial void LogEjected(InstanceKey instance, TimeSpan time, string? reason);

    [LoggerMessage(2, LogLevel.Information, "{Instance} answers again")]
    private partial void LogTried(InstanceKey instance);

    [LoggerMessage(3, LogLevel.Error, "{Method} {Path} failed inside the platform")]
    private partial void LogFailure(Exception fault, string method, string path);
}
