using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>Writes the answers that are the gateway's own, and what it adds to those of instances.</summary>
internal sealed class OwnAnswers(ISnapshotSource snapshots, GatewayCounters counters)
{
    /// <summary>Refuses a request.</summary>
    /// <param name="allowed">For <c>Allow</c>, where the method was wrong.</param>
    public async ValueTask RefuseAsync(Exchange exchange, Fault fault, string? allowed = null)
    {
        var head = exchange.Head;
        var route = exchange.Route;
        counters.Refused(route, fault.Error);
        exchange.Code = fault.Error.Code;
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
        Stamp(exchange);
        var client = exchange.Client;
        client.Begin(head);
        if (!bare) client.Write(body);
        client.End(null);
        await client.FlushAsync();
    }

    /// <summary>Answers a request that takes too long, or too much.</summary>
    public ValueTask RefuseBodyAsync(Exchange exchange, int status)
    {
        exchange.Head.Closes = true;
        return RefuseAsync(exchange, OfBody(status));
    }

    /// <summary>What is wrong with a body, by the status of <see cref="Serving.ClientBodyException"/>.</summary>
    public static Fault OfBody(int status) => status switch
    {
        408 => new Fault(ErrorCodes.RequestTimeout, "The request did not come in time."),
        413 => new Fault(ErrorCodes.BodyTooLarge, "The body is larger than this listener passes on."),
        _ => new Fault(ErrorCodes.BadRequest, "The body is malformed."),
    };

    /// <summary>Adds what every answer gets: the fields of steps, and the revision where it is wanted.</summary>
    public void Stamp(Exchange exchange)
    {
        exchange.Head.Added.AddRange(exchange.AnswerFields);
        exchange.Head.Dropped.AddRange(exchange.DroppedFields);
        if (exchange.Route is null) return;
        if (exchange.Route.ExposeRevision
            || (exchange.Trusted && exchange.Request.Fields.Has(KnownField.GroundworkRevision)))
            exchange.Head.Added.Add(new(
                HeaderNames.Revision, snapshots.Current.Revision.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Gives a redirect, or what stands in the route.</summary>
    public ValueTask AnswerAsync(Exchange exchange, OwnAnswer answer)
    {
        foreach (var field in answer.Fields(exchange.View(), exchange.Parameters))
            exchange.Head.Added.Add(
                new(Encoding.Latin1.GetString(field.Name), Encoding.Latin1.GetString(field.Value)));
        return GiveAsync(exchange, answer.Status, answer.Body);
    }

    /// <summary>Gives an answer whose fields are in the head already.</summary>
    public async ValueTask GiveAsync(Exchange exchange, int status, ReadOnlyMemory<byte> body)
    {
        var (head, client) = (exchange.Head, exchange.Client);
        var bare = exchange.Request.Method == KnownMethod.Head || status is 204 or 205 or 304;
        head.Status = status;
        head.Body = bare ? BodyKind.None : BodyKind.Length;
        head.ContentLength = body.Length;
        Stamp(exchange);
        counters.Answered(exchange.Route, status);
        client.Begin(head);
        if (!bare) client.Write(body.Span);
        client.End(null);
        await client.FlushAsync();
    }
}
