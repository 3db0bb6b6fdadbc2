namespace Shop.Payments;

/// <summary>Limits of payments: the setting <c>payments/limits</c>, live.</summary>
public sealed class PaymentOptions
{
    public const string SectionName = "Payments";

    /// <summary>The most a single payment may amount to, in minor units.</summary>
    public long LimitMinor { get; set; } = 1_000_000;
}
