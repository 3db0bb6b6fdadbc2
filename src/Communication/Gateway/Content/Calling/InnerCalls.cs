using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Calling;

/// <summary>
/// Requests that the gateway makes itself, on routes that it has: to fetch anew what it keeps, or to put several
/// answers together. They pass the same forwarding as those of clients.
/// </summary>
internal sealed class InnerCalls
{
    private ExchangePool? exchanges; // All set once, before the first request is served.
    private GatewayRequests? requests;
    private Arrival? inside;

    /// <param name="arrival">Of requests that came over no listener.</param>
    public void Serve(ExchangePool pool, GatewayRequests handler, Arrival arrival) =>
        (exchanges, requests, inside) = (pool, handler, arrival);

    /// <summary>Has a request answered. The answer is in the client then; nothing is thrown.</summary>
    /// <param name="head">A whole head of HTTP/1.1.</param>
    /// <param name="behind">What it has passed already: only steps behind this are run.</param>
    /// <param name="prepare">Sets what is known of it besides its route; false: it is not sent.</param>
    /// <param name="deadline">Ends it, wherever it is.</param>
    public async Task CallAsync(
        ReadOnlyMemory<byte> head, Route route, InnerClient client, Stage behind, Func<Exchange, bool> prepare,
        CancellationToken deadline = default)
    {
        if (exchanges is not { } pool || requests is not { } handler || inside is null) return;
        var exchange = pool.Rent();
        try
        {
            exchange.Request.Append(head.Span);
            if (exchange.Request.Parse() != HeadProgress.Complete) return;
            exchange.Begin(client);
            exchange.Arrival = inside;
            exchange.Route = route;
            if (!prepare(exchange)) return;
            await using var ending = deadline.UnsafeRegister(
                static state =>
                {
                    var (asking, asked) = ((InnerClient, Exchange))state!;
                    asking.Leave();
                    asked.Interrupt();
                },
                (client, exchange));
            await handler.ContinueAsync(exchange, behind);
        }
        finally
        {
            pool.Return(exchange);
        }
    }

    /// <summary>
    /// The head of a request for the same as another, without what is between that and its client: conditions, ranges,
    /// and fields of the connection.
    /// </summary>
    public static byte[] HeadLike(Exchange exchange, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query)
    {
        var request = exchange.Request;
        var fields = request.Fields;
        var head = new byte[fields.Filled + path.Length + query.Length + 64];
        var writer = new HeadWriter(head);
        writer.Write("GET "u8);
        writer.Write(path);
        writer.Write(query);
        writer.Write(" HTTP/1.1\r\n"u8);
        if (!fields.Has(KnownField.Host)) writer.Field("Host"u8, request.Authority);
        foreach (ref readonly var field in fields.Fields)
            if (IsPassed(request, field)) writer.Field(fields, field);
        writer.EndLine();
        return head[..writer.Length];
    }

    private static bool IsPassed(RequestHead request, in HeadField field) =>
        !KnownFields.IsHopByHop(field.Known) && !request.IsNamed(field)
        && field.Known is not (KnownField.ContentLength or KnownField.ContentType or KnownField.Expect
            or KnownField.IfNoneMatch or KnownField.Range)
        && !IsCondition(request.Fields.NameOf(field));

    private static bool IsCondition(ReadOnlySpan<byte> name) =>
        name.Length > 3 && Ascii.EqualsIgnoreCase(name[..3], "if-"u8);
}
