using System.Collections.Immutable;
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
        var listener = exchange.Arrival.Plan;
        listener.Caller.Resolve(exchange);
        try
        {
            // Proxies that are believed ask for names of their own, and for other hosts over one connection.
            if (!exchange.Trusted && exchange.Arrival.IsMisdirected(exchange.Request.Host))
            {
                await answers.RefuseAsync(exchange, new Fault(
                    ErrorCodes.MisdirectedRequest, "This connection was made for another host; connect anew."));
                return;
            }
            if (FindRoute(exchange, out var allowed) is { } none)
            {
                exchange.Note(Stage.Match, "refused", none.Error);
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
            if (!await PassAsync(exchange, listener.Steps) || !await PassAsync(exchange, exchange.Route.Steps)) return;
            await SendAsync(exchange);
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

    /// <summary>Has a request of the gateway's own answered by its route, from behind a stage on.</summary>
    public async ValueTask ContinueAsync(Exchange exchange, Stage behind)
    {
        using var place = underWay.Enter();
        try
        {
            if (await PassAsync(exchange, exchange.Route.Steps, behind)) await SendAsync(exchange);
        }
        catch (Exception fault)
        {
            LogFailure(
                fault, Encoding.ASCII.GetString(exchange.Request.MethodName),
                Encoding.ASCII.GetString(exchange.Request.Path));
            await FailAsync(exchange);
        }
        finally
        {
            exchange.Release();
        }
    }

    /// <summary>Has the request pass steps. False when that ended it.</summary>
    /// <param name="behind">Those up to this one it has passed already.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> PassAsync(
        Exchange exchange, ImmutableArray<IRequestStep> steps, Stage? behind = null)
    {
        foreach (var step in steps)
        {
            if (step.Stage <= behind) continue;
            var passing = step.RunAsync(exchange);
            var waits = !passing.IsCompleted;
            var result = await passing;
            if (waits) exchange.Resume();
            if (result.Fault is { } refused)
            {
                // Unless the step has said so itself, and more.
                if (exchange.Decisions is not [.., { What: "refused" }])
                    exchange.Note(step.Stage, "refused", refused.Error);
                await answers.RefuseAsync(exchange, refused);
            }
            if (result.IsAnswered || result.Fault is not null) return false;
        }
        return true;
    }

    private ValueTask SendAsync(Exchange exchange)
    {
        Take(exchange);
        return exchange.Route.OwnAnswer is { } answer
            ? answers.AnswerAsync(exchange, answer)
            : forwarder.ForwardAsync(exchange);
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
        if (Unroutable(head, options.MaxHops) is { } never) return never;
        var view = exchange.View();
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
        if (match.Allowed is not null) allowed = string.Join(", ", match.Allowed);
        return match.Refusal();
    }

    /// <summary>Why no route is looked for; null when one is.</summary>
    public static Fault? Unroutable(RequestHead head, int maxHops)
    {
        if (head.Method is KnownMethod.Connect or KnownMethod.Trace)
            return new Fault(
                ErrorCodes.MethodNotAllowed, $"{KnownMethods.NameOf(head.Method)} is never forwarded.");
        if (RequestForm.Hops(head.Fields) >= maxHops)
            return new Fault(ErrorCodes.LoopDetected, $"The request has passed {maxHops} gateways.");
        return head.Path.IsEmpty
            ? new Fault(ErrorCodes.BadRequest, "A request for no path is for no route.")
            : null;
    }

    // Where the request goes, and what it is changed to; what steps were shown is what the client sent.
    private void Take(Exchange exchange)
    {
        var view = exchange.View();
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

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed inside the platform")]
    private partial void LogFailure(Exception fault, string method, string path);
}
