using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Shop.Payments;

/// <summary>Charges an order once, however often it is asked to.</summary>
public static class PaymentsApi
{
    public static void MapPayments(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/payments");
        api.MapPost("/", Charge);
        api.MapGet("/{orderId:guid}", Find);
    }

    private static Results<Created<Payment>, Ok<Payment>, ProblemHttpResult> Charge(
        ChargeRequest request, PaymentStore payments, IOptionsMonitor<PaymentOptions> options, TimeProvider time)
    {
        if (request.OrderId == Guid.Empty || request.AmountMinor <= 0 || request.Currency is not { Length: 3 })
            return TypedResults.Problem("A payment needs an order, an amount above 0 and a currency.", statusCode: 400);
        // What is charged already stays charged, also when the limit was lowered since.
        if (payments.Find(request.OrderId) is null && request.AmountMinor > options.CurrentValue.LimitMinor)
            return TypedResults.Problem("The amount is over the limit of one payment.", statusCode: 402);
        var now = time.GetUtcNow();
        var (payment, isNew) = payments.Charge(
            new Payment(Guid.CreateVersion7(now), request.OrderId, request.AmountMinor, request.Currency, now));
        if (payment.AmountMinor != request.AmountMinor || payment.Currency != request.Currency)
            return TypedResults.Problem("The order was charged another amount.", statusCode: 409);
        return isNew
            ? TypedResults.Created($"/api/payments/{payment.OrderId}", payment)
            : TypedResults.Ok(payment);
    }

    private static Results<Ok<Payment>, NotFound> Find(Guid orderId, PaymentStore payments) =>
        payments.Find(orderId) is { } payment ? TypedResults.Ok(payment) : TypedResults.NotFound();
}

/// <summary>Asks for one payment of one order.</summary>
public sealed record ChargeRequest(Guid OrderId, long AmountMinor, string Currency);
