using System.Net;
using System.Text.Json;

namespace Shop.Orders;

/// <summary>A payment, as far as orders cares.</summary>
public sealed record Payment(Guid Id, long AmountMinor, string Currency);

/// <summary>Charges orders at payments, by name. Charging one again gives the first payment.</summary>
public sealed class PaymentsClient(HttpClient http)
{
    public async Task<Answer<Payment>> ChargeAsync(Order order, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.PostAsJsonAsync(
                "api/payments", new { OrderId = order.Id, AmountMinor = order.TotalMinor, order.Currency },
                cancellationToken);
            if (response.StatusCode == HttpStatusCode.PaymentRequired)
                return new Answer<Payment>(null, 402, "The payment was declined.");
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync<Payment>(cancellationToken) is { } payment
                ? new Answer<Payment>(payment)
                : new Answer<Payment>(null, 502, "Payments answered nothing.");
        }
        catch (Exception fault) when (fault is HttpRequestException or JsonException)
        {
            // Perhaps charged, perhaps not: the order stays pending, and charging it again tells.
            return new Answer<Payment>(null, 503, fault.Message);
        }
    }
}
