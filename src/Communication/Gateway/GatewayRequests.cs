using System.Globalization;
using System.Net;
using System.Runtime.ExceptionServices;
using System.Text;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Forwarding;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// A request of the outside from its head to the end of its answer: route, instance, attempt, at most one more, answer.
/// </summary>
internal sealed partial class GatewayRequests(
    RouteTableView routes,
    ISnapshotSource snapshots,
    InstanceChooser chooser,
    Forwarder forwarder,
    IRegistryView registry,
    RequestsUnderWay underWay,
    GatewayCounters counters,
    GatewayOptions options,
    TimeProvider time,
    ILogger<GatewayRequests> logger)
{
    /// <summary>Attempts in all: one, and one more where that can do no harm.</summary>
    private const int MaxAttempts = 2;

    public async Task HandleAsync(HttpContext context)
    {
        using var place = underWay.Enter();
        if (underWay.Draining) context.Response.Headers.Connection = "close";
        var identity = RequestIdentity.Of(context.Request.Headers);
        context.TraceIdentifier = identity.TraceId;
        if (!FindRoute(context).TryGet(out var found, out var fault))
        {
            await AnswerAsync(context, null, fault);
            return;
        }
        using var exchange = new Exchange(
            context, found.Route, found.Path, found.Query, identity, IsTrusted(context), time);
        await ForwardAsync(exchange);
    }

    private Outcome<(Route Route, string Path, string Query)> FindRoute(HttpContext context)
    {
        var request = context.Request;
        if (request.Method is "CONNECT" or "TRACE")
            return new Fault(ErrorCodes.MethodNotAllowed, $"{request.Method} is never forwarded.");
        if (RequestHeaders.HasTwoLengths(request))
        {
            context.Response.Headers.Connection = "close"; // What follows on this connection may be anything.
            return new Fault(ErrorCodes.BadRequest, "The request has a Content-Length beside its Transfer-Encoding.");
        }
        if (RequestHeaders.Hops(request.Headers.Via) >= options.MaxHops)
            return new Fault(ErrorCodes.LoopDetected, $"The request has passed {options.MaxHops} gateways.");
        // Never null: the server sets it for every request.
        var (raw, query) = RequestPath.Split(context.Features.Get<IHttpRequestFeature>()!.RawTarget);
        if (raw is null || RequestPath.Normalize(raw) is not { } path)
            return new Fault(ErrorCodes.BadRequest, "The path is malformed, or can be read in two ways.");
        var match = routes.Current.Match(new RequestView
        {
            Host = Encoding.Latin1.GetBytes(HostPattern.Normalize(request.Host.Value) ?? ""),
            Path = Encoding.Latin1.GetBytes(path),
            Method = Encoding.Latin1.GetBytes(request.Method),
            Query = Encoding.Latin1.GetBytes(query).AsSpan()[Math.Min(1, query.Length)..],
            Fields = new HttpRequestFields(request.Headers),
            Client = context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped
                ? mapped.MapToIPv4()
                : context.Connection.RemoteIpAddress,
            Time = time.GetUtcNow(),
        });
        if (match.Route is { } route) return (route, path, query);
        if (!match.HostKnown) return new Fault(ErrorCodes.HostUnknown, "No route serves the host of this request.");
        if (match.Allowed is null) return new Fault(ErrorCodes.RouteNotFound, "No route of this host serves the path.");
        context.Response.Headers.Allow = string.Join(", ", match.Allowed);
        return new Fault(ErrorCodes.MethodNotAllowed, $"The routes of this path do not serve {request.Method}.");
    }

    private async Task ForwardAsync(Exchange exchange)
    {
        Upstream? failed = null;
        Fault? answer = null;
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            if (!chooser.Choose(exchange.Route.Service, exchange.IsSafe
                && exchange.BodyUntouched, failed).TryGet(out var call, out var none))
            {
                answer ??= none; // On the second attempt the first one's failure says more.
                break;
            }
            try
            {
                if (failed is not null) exchange.Again(time);
                var result = await AskAsync(exchange, call);
                if (result.Response is { } response)
                {
                    using (response) await PassAsync(exchange, response, call.Upstream);
                    return;
                }
                if (!TakeFailure(exchange, result, call.Upstream)) return;
                answer = ToFault(result);
                failed = call.Upstream;
                if (!(result.NothingSent || exchange.IsSafe) || !exchange.BodyUntouched) break;
            }
            finally
            {
                call.End();
            }
        }
        // Either choosing or sending has failed, and both leave a fault.
        await AnswerAsync(exchange.Context, exchange.Route, answer!, exchange.Trusted);
    }

    private async Task<UpstreamResult> AskAsync(Exchange exchange, UpstreamCall call)
    {
        var answered = false;
        call.Asked();
        try
        {
            var result = await forwarder.SendAsync(exchange, call.Upstream);
            answered = result.Response is not null;
            return result;
        }
        finally
        {
            call.Heard(answered);
        }
    }

    /// <summary>Passes the answer on, to its end or as far as it goes.</summary>
    private async Task PassAsync(Exchange exchange, HttpResponseMessage response, Upstream upstream)
    {
        var context = exchange.Context;
        var switched = response.StatusCode == HttpStatusCode.SwitchingProtocols;
        if (switched && !exchange.Upgrade)
        {
            Report(upstream, CallOutcome.NoAnswer, "it switched protocols unasked");
            await AnswerAsync(context, exchange.Route, BrokenOff(), exchange.Trusted);
            return;
        }
        try
        {
            ResponseHeaders.Copy(response, context.Response);
        }
        catch (InvalidOperationException fault)
        {
            context.Response.Clear();
            Report(upstream, CallOutcome.NoAnswer, fault.Message);
            await AnswerAsync(context, exchange.Route, BrokenOff(), exchange.Trusted);
            return;
        }
        StampRevision(context, exchange.Route, exchange.Trusted);
        counters.Answered(exchange.Route, context.Response.StatusCode);
        var end = switched
            ? await Upgrades.RunAsync(exchange, response)
            : await CopyBodyAsync(exchange, response);
        if (end == BodyEnd.Complete) ResponseHeaders.CopyTrailers(response, context.Response);
        if (end != BodyEnd.InstanceFailed) Report(upstream, CallOutcome.Answered, null);
        else await BreakOffAsync(exchange, upstream);
    }

    private static async Task<BodyEnd> CopyBodyAsync(Exchange exchange, HttpResponseMessage response)
    {
        var to = exchange.Context.Response;
        // These never have a body, whatever their length says (RFC 9112, 6.3).
        if (HttpMethods.IsHead(exchange.Context.Request.Method) || to.StatusCode is 204 or 205 or 304)
            return BodyEnd.Complete;
        await using var body = await response.Content.ReadAsStreamAsync(exchange.Deadline.Token);
        return await ResponseBody.CopyAsync(body, to, exchange.Deadline, exchange.Route.IdleTimeout);
    }

    // Half an answer must never look whole: what has begun is cut, and only what has not is answered.
    private async Task BreakOffAsync(Exchange exchange, Upstream upstream)
    {
        Report(upstream, CallOutcome.NoAnswer,
            exchange.Deadline.Expired ? "its answer stopped midway" : "it broke off its answer");
        var context = exchange.Context;
        if (context.Response.HasStarted)
        {
            counters.Refused(exchange.Route, ErrorCodes.UpstreamFailed);
            context.Abort();
            return;
        }
        context.Response.Clear();
        await AnswerAsync(context, exchange.Route, BrokenOff(), exchange.Trusted);
    }

    /// <summary>Takes note of a failed attempt. False when there is nobody to answer.</summary>
    private bool TakeFailure(Exchange exchange, UpstreamResult result, Upstream upstream)
    {
        if (result.InstanceFailed)
            Report(upstream, result.NothingSent ? CallOutcome.ConnectFailed : CallOutcome.NoAnswer, Explain(result));
        switch (result.Failure)
        {
            case UpstreamFailure.ClientGone:
                counters.ClientGone(exchange.Route);
                return false;
            case UpstreamFailure.ClientBody when exchange.Body?.ClientFault is BadHttpRequestException bad:
                // The listener says what is wrong with it: too large, too slow, malformed.
                ExceptionDispatchInfo.Throw(bad);
                return false;
            case UpstreamFailure.ClientBody:
                counters.ClientGone(exchange.Route);
                exchange.Context.Abort();
                return false;
            default:
                return true;
        }
    }

    private void Report(Upstream upstream, CallOutcome outcome, string? reason)
    {
        registry.ReportOutcome(upstream.Key, outcome);
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

    private static string? Explain(UpstreamResult result) => result.Failure switch
    {
        UpstreamFailure.Timeout => "no answer in time",
        _ => result.Cause?.InnerException?.Message ?? result.Cause?.Message,
    };

    private static Fault ToFault(UpstreamResult result) => result.Failure switch
    {
        UpstreamFailure.Connect =>
            new Fault(ErrorCodes.UpstreamConnect, "The service behind this route cannot be connected."),
        UpstreamFailure.Forbidden =>
            new Fault(ErrorCodes.UpstreamForbidden, "The service is registered at an address that is never called."),
        UpstreamFailure.Timeout =>
            new Fault(ErrorCodes.UpstreamTimeout, "The service behind this route did not answer in time."),
        _ => BrokenOff(),
    };

    private static Fault BrokenOff() =>
        new(ErrorCodes.UpstreamFailed, "The service behind this route broke off its answer.");

    private Task AnswerAsync(HttpContext context, Route? route, Fault fault, bool trusted = false)
    {
        counters.Refused(route, fault.Error);
        if (route is not null) StampRevision(context, route, trusted);
        return Problems.WriteAsync(context, fault);
    }

    private void StampRevision(HttpContext context, Route route, bool trusted)
    {
        if (route.ExposeRevision || (trusted && context.Request.Headers.ContainsKey(HeaderNames.Revision)))
            context.Response.Headers[HeaderNames.Revision] =
                snapshots.Current.Revision.ToString(CultureInfo.InvariantCulture);
    }

    private bool IsTrusted(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } peer || options.TrustedProxies.IsDefaultOrEmpty) return false;
        if (peer.IsIPv4MappedToIPv6) peer = peer.MapToIPv4();
        foreach (var network in options.TrustedProxies)
            if (network.Contains(peer)) return true;
        return false;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Instance} is left out for {Time}: {Reason}")]
    private partial void LogEjected(InstanceKey instance, TimeSpan time, string? reason);

    [LoggerMessage(2, LogLevel.Information, "{Instance} answers again")]
    private partial void LogTried(InstanceKey instance);
}
