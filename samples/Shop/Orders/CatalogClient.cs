using System.Net;
using System.Text.Json;

namespace Shop.Orders;

/// <summary>What another service answered: a value, or a status and the fault.</summary>
public sealed record Answer<T>(T? Value, int Status = 200, string? Fault = null);

/// <summary>A product's offer, as far as orders cares.</summary>
public sealed record ProductOffer(string Id, string Name, long PriceMinor, string Currency);

/// <summary>Asks the catalog, by name, what products cost now.</summary>
public sealed class CatalogClient(HttpClient http)
{
    public async Task<Answer<ProductOffer>> FindAsync(string productId, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(
                $"api/catalog/products/{Uri.EscapeDataString(productId)}", cancellationToken);
            if (response.StatusCode == HttpStatusCode.NotFound)
                return new Answer<ProductOffer>(null, 422, $"There is no product '{productId}'.");
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync<ProductOffer>(cancellationToken) is { } offer
                ? new Answer<ProductOffer>(offer)
                : new Answer<ProductOffer>(null, 502, "The catalog answered nothing.");
        }
        catch (Exception fault) when (fault is HttpRequestException or JsonException)
        {
            return new Answer<ProductOffer>(null, 503, "The catalog cannot be asked now; send the order again.");
        }
    }
}
