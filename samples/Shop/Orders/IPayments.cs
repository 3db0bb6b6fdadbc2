using Groundwork.Client;

namespace Shop.Orders;

/// <summary>Charges orders at payments, by name.</summary>
[ServiceClient("payments")]
public partial interface IPayments
{
    /// <summary>Charges an order. Charging one again gives the first payment; 402 is a refusal for good.</summary>
    [Post("/api/payments")]
    Task<Payment> ChargeAsync([Body] Charge charge, CancellationToken cancellationToken);
}

/// <summary>Asks for the payment of an order.</summary>
public sealed record Charge(Guid OrderId, long AmountMinor, string Currency);

/// <summary>A payment, as far as orders cares.</summary>
public sealed record Payment(Guid Id, long AmountMinor, string Currency);
