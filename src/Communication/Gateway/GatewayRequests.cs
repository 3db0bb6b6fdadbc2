using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Forwarding;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire;
using Groundwork.Wire.Http1;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway;

/// <summary>
/// A request of the outside from its head to the end of its answer: its route, the route's steps, and then an instance.
/// </summary>
internal sealed partial class GatewayRequests(
    RouteTableView routes,
    InstanceChooser chooser,
    Forwarder forwarder,
    OwnAnswers answers,
    RequestsUnderWay underWay,
    ProcessGuard guard,
    ExchangeRecorder recorder,
    GatewayOptions options,
    TimeProvider time,
    ILogger<GatewayRequests> logger)
{
    /// <summary>True once a stop is wanted: connections are told to close with their next answer.</summary>
    public bool IsDraining => underWay.Draining;

    /// <summary>Where connections are counted.</summary>
    public TrafficCounters Traffic => recorder.Traffic;

    /// <summary>Has a request answered; its head is read, and the exchange begun.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask HandleAsync(Exchange exchange)
    {
        using var place = underWay.Enter();
        exchange.Trusted = IsTrusted(exchange.Client.Address);
        try
        {
            if (FindRoute(exchange, out var allowed) is { } none)
            {
                await answers.RefuseAsync(exchange, none, allowed);
                return;
            }
            if (guard.Refuses(exchange.Route.Policy.Importance))
            {
                exchange.Note(Stage.Listener, "overloaded");
                await answers.RefuseAsync(exchange, new Fault(
                    ErrorCodes.Overloaded, "The gateway has more requests than it can serve.")
                {
                    RetryAfter = TimeSpan.FromSeconds(1),
                });
                return;
            }
            foreach (var step in exchange.Route.Steps)
            {
                var result = await step.RunAsync(exchange);
                if (result.Fault is { } refused) await answers.RefuseAsync(exchange, refused);
                if (result.IsAnswered || result.Fault is not null) return;
            }
            Take(exchange);
            if (exchange.Route.OwnAnswer is { } answer) await answers.AnswerAsync(exchange, answer);
            else await forwarder.ForwardAsync(exchange);
        }
        catch (Exception fault)
        {
            // The path is told without its query, which may hold a credential of somebody's protocol.
            LogFailure(
                fault, Encoding.ASCII.GetString(exchange.Request.MethodName),
                Encoding.ASCII.GetString(exchange.Request.Path));
            await FailAsync(exchange);
        }
        finally
        {
            exchange.Release();
            recorder.Ended(exchange);
        }
    }

    /// <summary>Answers a request whose head is none.</summary>
    public async ValueTask RefuseAsync(Exchange exchange, HeadFault fault)
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
        await answers.RefuseAsync(exchange, new Fault(code, HeadFaults.Explain(fault)));
        recorder.Ended(exchange);
    }

    /// <summary>Answers a request that takes too long, or too much.</summary>
    public async ValueTask RefuseAsync(Exchange exchange, int status)
    {
        await answers.RefuseBodyAsync(exchange, status);
        recorder.Ended(exchange);
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
        await answers.RefuseAsync(exchange, new Fault(ErrorCodes.Internal, "The request failed inside the platform."));
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
        var view = exchange.View(time.GetUtcNow());
        var table = routes.Current;
        recorder.Searched(exchange, table);
        var match = table.Match(view);
        if (match.Route is { } route)
        {
            exchange.Note(Stage.Match, "taken", route);
            exchange.Route = route;
            exchange.Parameters = match.Parameters;
            return null;
        }
        if (!match.HostKnown) return new Fault(ErrorCodes.HostUnknown, "No route serves the host of this request.");
        if (match.Allowed is null) return new Fault(ErrorCodes.RouteNotFound, "No route of this host serves the path.");
        allowed = string.Join(", ", match.Allowed);
        return new Fault(ErrorCodes.MethodNotAllowed, "The routes of this path do not serve the method.");
    }

    // Where the request goes, and what it is changed to; what steps were shown is what the client sent.
    private void Take(Exchange exchange)
    {
        var view = exchange.View(time.GetUtcNow());
        var (route, parameters) = (exchange.Route, exchange.Parameters);
        exchange.Transformed = route.Transform?.Apply(view, parameters);
        if (exchange.Transformed is { } transformed) exchange.Note(Stage.Transform, "changed", transformed);
        if (route.Deliveries is { } deliveries)
        {
            var target = deliveries.Only ?? deliveries.Choose(view, parameters, Random.Shared);
            exchange.Destination = chooser.Decide(target, view, parameters, route.Path);
            if (deliveries.Only is null) exchange.Note(Stage.Choice, "sent to", target);
        }
        else if (route.OwnAnswer is { } answer)
        {
            foreach (var field in answer.Fields(view, parameters))
                exchange.Head.Added.Add(
                    new(Encoding.Latin1.GetString(field.Name), Encoding.Latin1.GetString(field.Value)));
        }
    }

    private bool IsTrusted(IPAddress? peer)
    {
        if (peer is null || options.TrustedProxies.IsDefaultOrEmpty) return false;
        foreach (var network in options.TrustedProxies)
            if (network.Contains(peer)) return true;
        return false;
    }

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed inside the platform")]
    private partial void LogFailure(Exception fault, string method, string path);
}
