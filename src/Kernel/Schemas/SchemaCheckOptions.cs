namespace Groundwork.Kernel.Schemas;

/// <summary>How a value is held to a schema.</summary>
/// <param name="IsUntyped">True where every value is text, and passes for what it reads as: <c>8080</c> is text, and a
/// number all the same.</param>
/// <param name="MaxFaults">Faults that are told; the check goes on.</param>
/// <param name="MaxSteps">
/// Looks at a schema with a value, and at characters of long texts. A schema whose branches multiply ends here.
/// </param>
public sealed record SchemaCheckOptions(
    bool IsUntyped = false, int MaxFaults = 50, int MaxSteps = SchemaCheckOptions.UsualSteps)
{
    /// <summary>Some tens of milliseconds.</summary>
    public const int UsualSteps = 1_000_000;

    public static SchemaCheckOptions Typed { get; } = new();

    public static SchemaCheckOptions Untyped { get; } = new(IsUntyped: true);
}
