using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Security;

/// <summary>What this part of the kernel brings to the store.</summary>
public static class SecuritySchema
{
    public static IReadOnlyList<Migration> Migrations { get; } =
        [.. SecurityStore.Migrations, SealingKeyStore.Migration];
}
