namespace Shop.Catalog;

/// <summary>What the shop front says and the discount it gives: the setting <c>catalog/storefront</c>, live.</summary>
public sealed class StorefrontOptions
{
    public const string SectionName = "Storefront";

    public const string Rule =
        "Storefront:DiscountPercent must be 0 to 90, and Storefront:Banner at most 200 characters.";

    public string Banner { get; set; } = "";

    public int DiscountPercent { get; set; }

    public static bool IsValid(StorefrontOptions options) =>
        options is { DiscountPercent: >= 0 and <= 90, Banner.Length: <= 200 };

    /// <summary>The price after the discount, in minor units, halves rounded up.</summary>
    public long Discounted(long priceMinor) => ((priceMinor * (100 - DiscountPercent)) + 50) / 100;
}
