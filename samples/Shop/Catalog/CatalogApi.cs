using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Shop.Catalog;

/// <summary>What the shop sells and at what price now.</summary>
public static class CatalogApi
{
    public static void MapCatalog(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/catalog");
        api.MapGet("/products", List);
        api.MapGet("/products/{id}", Find);
        api.MapGet("/products/{id}/recommendations", RecommendAsync);
    }

    private static Ok<Storefront> List(ProductStore products, IOptionsMonitor<StorefrontOptions> storefront)
    {
        var front = storefront.CurrentValue; // One object, so that banner and discount are of one publication.
        return TypedResults.Ok(new Storefront(
            front.Banner, front.DiscountPercent, [.. products.All().Select(product => Offer(product, front))]));
    }

    private static Results<Ok<ProductOffer>, NotFound> Find(
        string id, ProductStore products, IOptionsMonitor<StorefrontOptions> storefront) =>
        products.Find(id) is { } product
            ? TypedResults.Ok(Offer(product, storefront.CurrentValue))
            : TypedResults.NotFound();

    // A page without recommendations is better than none: whatever keeps the service from answering, the shop sells.
    private static async Task<Results<Ok<Recommended>, NotFound>> RecommendAsync(
        string id, ProductStore products, IRecommendations recommendations,
        IOptionsMonitor<StorefrontOptions> storefront, CancellationToken cancellationToken)
    {
        if (products.Find(id) is null) return TypedResults.NotFound();
        try
        {
            var suggestions = await recommendations.ForAsync(id, cancellationToken);
            var front = storefront.CurrentValue;
            return TypedResults.Ok(new Recommended(
                Available: true,
                [.. (suggestions?.ProductIds ?? []).Select(products.Find).OfType<Product>()
                    .Select(product => Offer(product, front))]));
        }
        catch (HttpRequestException)
        {
            return TypedResults.Ok(new Recommended(Available: false, []));
        }
    }

    private static ProductOffer Offer(Product product, StorefrontOptions front) => new(
        product.Id, product.Name, product.Description, front.Discounted(product.ListPriceMinor), product.ListPriceMinor,
        product.Currency);
}

/// <summary>The shop front.</summary>
public sealed record Storefront(string Banner, int DiscountPercent, IReadOnlyList<ProductOffer> Products);

/// <summary>What goes with a product.</summary>
/// <param name="Available">False: nobody could be asked.</param>
public sealed record Recommended(bool Available, IReadOnlyList<ProductOffer> Products);

/// <summary>A product as offered now. Prices are whole minor units (cents) of the currency.</summary>
public sealed record ProductOffer(
    string Id, string Name, string Description, long PriceMinor, long ListPriceMinor, string Currency);
