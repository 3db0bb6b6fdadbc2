using Groundwork.Client;

namespace Shop.Orders;

/// <summary>Asks the catalog, by name, what products cost now.</summary>
[ServiceClient("catalog")]
public partial interface ICatalog
{
    /// <summary>The product's offer; null when there is no such product.</summary>
    [Get("/api/catalog/products/{id}")]
    Task<ProductOffer?> FindProductAsync(string id, CancellationToken cancellationToken);
}

/// <summary>A product's offer, as far as orders cares.</summary>
public sealed record ProductOffer(string Id, string Name, long PriceMinor, string Currency);
