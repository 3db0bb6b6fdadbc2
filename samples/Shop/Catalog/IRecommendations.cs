using Groundwork.Client;

namespace Shop.Catalog;

/// <summary>Asks, by name, what goes with a product. The service is written in JavaScript, and optional.</summary>
[ServiceClient("recommendations")]
public partial interface IRecommendations
{
    /// <summary>Ids of products; null when the product is not known there.</summary>
    [Get("/api/recommendations/{id}")]
    Task<Suggestions?> ForAsync(string id, CancellationToken cancellationToken);
}

/// <summary>What the service answers.</summary>
public sealed record Suggestions(IReadOnlyList<string> ProductIds);
