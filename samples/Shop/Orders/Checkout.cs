using System.Net;

namespace Shop.Orders;

/// <summary>
/// Makes an order and its payment one, across two services and any crash: the order is on disk as pending before money
/// is asked for, the payment is keyed by the order, and only then is the order confirmed. A crash between any two steps
/// leaves a pending order, and charging that again is harmless.
/// </summary>
public sealed partial class Checkout(
    OrderStore orders, ICatalog catalog, IPayments payments, TimeProvider time, ILogger<Checkout> log)
{
    public async Task<Placed> PlaceAsync(
        string clientOrderId, PlaceOrderRequest request, CancellationToken cancellationToken)
    {
        if (orders.FindByClientOrderId(clientOrderId) is { } earlier)
            return await RepeatAsync(earlier, request, cancellationToken);
        var lines = new List<OrderLine>();
        var currency = "";
        foreach (var line in request.Lines)
        {
            ProductOffer? offer;
            try
            {
                offer = await catalog.FindProductAsync(line.ProductId, cancellationToken);
            }
            catch (HttpRequestException fault)
            {
                LogNoCatalog(line.ProductId, fault.Message);
                return new Placed(null, 503, "The catalog cannot be asked now; send the order again.");
            }
            if (offer is null) return new Placed(null, 422, $"There is no product '{line.ProductId}'.");
            if (currency.Length > 0 && offer.Currency != currency)
                return new Placed(null, 422, "The products are priced in different currencies.");
            currency = offer.Currency;
            lines.Add(new OrderLine(line.ProductId, offer.Name, line.Quantity, offer.PriceMinor));
        }
        var now = time.GetUtcNow();
        var total = lines.Sum(line => line.PriceMinor * line.Quantity);
        var order = new Order(Guid.CreateVersion7(now), clientOrderId, Order.Pending, lines, total, currency, now);
        // Two requests with one id at the same time: one of them makes the order, both go on with it.
        if (!orders.TryAdd(order))
            return await RepeatAsync(orders.FindByClientOrderId(clientOrderId)!, request, cancellationToken);
        return new Placed(await SettleAsync(order, cancellationToken), IsNew: true);
    }

    /// <summary>
    /// Charges a pending order and confirms it. Gives it back still pending when payments cannot be asked now.
    /// </summary>
    public async Task<Order> SettleAsync(Order order, CancellationToken cancellationToken)
    {
        try
        {
            var payment = await payments.ChargeAsync(
                new Charge(order.Id, order.TotalMinor, order.Currency), cancellationToken);
            if (payment.AmountMinor != order.TotalMinor || payment.Currency != order.Currency)
            {
                LogMismatch(order.Id, order.TotalMinor, payment.AmountMinor);
                return order;
            }
            orders.Confirm(order.Id, payment.Id);
        }
        catch (HttpRequestException fault) when (fault.StatusCode == HttpStatusCode.PaymentRequired)
        {
            orders.Decline(order.Id);
        }
        catch (HttpRequestException fault)
        {
            // Perhaps charged, perhaps not: the order stays pending, and charging it again tells.
            LogPending(order.Id, fault.Message);
        }
        return orders.Find(order.Id)!; // Orders are never deleted.
    }

    private async Task<Placed> RepeatAsync(Order order, PlaceOrderRequest request, CancellationToken cancellationToken)
    {
        if (!request.Matches(order))
            return new Placed(null, 422, "The Idempotency-Key was used for another order.");
        return new Placed(
            order.State == Order.Pending ? await SettleAsync(order, cancellationToken) : order);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The catalog cannot be asked for {Product}: {Reason}")]
    private partial void LogNoCatalog(string product, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Order {Id} stays pending: {Reason}")]
    private partial void LogPending(Guid id, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Order {Id} of {Total} was charged {Amount}")]
    private partial void LogMismatch(Guid id, long total, long amount);
}

/// <summary>What became of a request: an order, or a status and the fault.</summary>
public sealed record Placed(Order? Order, int Status = 200, string Fault = "", bool IsNew = false);
