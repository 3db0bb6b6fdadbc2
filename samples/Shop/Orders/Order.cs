namespace Shop.Orders;

/// <summary>An order. All amounts are whole minor units of the currency.</summary>
/// <param name="ClientOrderId">The client's own id, unique: a repeat finds this order.</param>
/// <param name="State"><c>pending</c> until paid, then <c>confirmed</c>; <c>declined</c> when the payment was refused
/// for good.</param>
/// <param name="PaymentId">The payment of exactly <paramref name="TotalMinor"/>; null unless confirmed.</param>
public sealed record Order(
    Guid Id,
    string ClientOrderId,
    string State,
    IReadOnlyList<OrderLine> Lines,
    long TotalMinor,
    string Currency,
    DateTimeOffset PlacedAt,
    Guid? PaymentId = null)
{
    public const string Pending = "pending";
    public const string Confirmed = "confirmed";
    public const string Declined = "declined";
}

/// <summary>So many of one product at the price it had when the order was placed.</summary>
public sealed record OrderLine(string ProductId, string Name, int Quantity, long PriceMinor);

/// <summary>Asks for an order.</summary>
public sealed record PlaceOrderRequest(IReadOnlyList<PlaceOrderLine> Lines)
{
    public const int MaxLines = 50;

    public const int MaxQuantity = 1000;

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public string? Fault()
    {
        if (Lines is not { Count: > 0 and <= MaxLines }) return $"An order has 1 to {MaxLines} lines.";
        foreach (var line in Lines)
        {
            if (string.IsNullOrEmpty(line.ProductId) || line.ProductId.Length > 64) return "A line names a product.";
            if (line.Quantity is < 1 or > MaxQuantity)
                return $"The quantity of '{line.ProductId}' is not 1 to {MaxQuantity}.";
        }
        var products = Lines.DistinctBy(line => line.ProductId).Count();
        return products == Lines.Count ? null : "A product stands on one line only.";
    }

    /// <summary>True when the order was made of a request like this one.</summary>
    public bool Matches(Order order) => Lines.Count == order.Lines.Count && Lines.All(
        line => order.Lines.Any(other => other.ProductId == line.ProductId && other.Quantity == line.Quantity));
}

/// <summary>One line of a request; the price comes from the catalog.</summary>
public sealed record PlaceOrderLine(string ProductId, int Quantity);
