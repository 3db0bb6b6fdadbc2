using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Shop.Orders;

/// <summary>
/// Places orders. The header <c>Idempotency-Key</c> is the client's id of the order: whatever breaks, the client sends
/// the same request again and gets the same order, charged once.
/// </summary>
public static class OrdersApi
{
    private const int MaxClientOrderIdLength = 64;

    public static void MapOrders(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/orders");
        api.MapPost("/", PlaceAsync);
        api.MapGet("/", List);
        api.MapGet("/{id:guid}", Find);
    }

    private static async Task<Results<Created<Order>, Ok<Order>, Accepted<Order>, ProblemHttpResult>> PlaceAsync(
        [FromHeader(Name = "Idempotency-Key")] string? clientOrderId,
        PlaceOrderRequest request,
        Checkout checkout,
        CancellationToken cancellationToken)
    {
        if (clientOrderId is not { Length: > 0 and <= MaxClientOrderIdLength })
            return Problem(400, $"The header Idempotency-Key is missing or over {MaxClientOrderIdLength} characters.");
        if (request.Fault() is { } fault) return Problem(400, fault);
        var placed = await checkout.PlaceAsync(clientOrderId, request, cancellationToken);
        if (placed.Order is not { } order) return Problem(placed.Status, placed.Fault);
        var location = $"/api/orders/{order.Id}";
        return order.State switch
        {
            // Payments is away; the order is charged when it is back.
            Order.Pending => TypedResults.Accepted(location, order),
            Order.Declined => Problem(402, $"The payment of order {order.Id} was declined."),
            _ when placed.IsNew => TypedResults.Created(location, order),
            _ => TypedResults.Ok(order),
        };
    }

    private static Ok<IReadOnlyList<Order>> List(OrderStore orders) => TypedResults.Ok(orders.Newest(limit: 100));

    private static Results<Ok<Order>, NotFound> Find(Guid id, OrderStore orders) =>
        orders.Find(id) is { } order ? TypedResults.Ok(order) : TypedResults.NotFound();

    private static ProblemHttpResult Problem(int status, string detail) =>
        TypedResults.Problem(detail, statusCode: status);
}
