using System.Collections.Immutable;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway.Delivery;

/// <summary>What targets share, whichever of its instances they mean: a service or an upstream.</summary>
internal readonly record struct TargetKey(ServiceKey? Service, ResourceKey? Upstream)
{
    /// <summary>As logs and figures have it.</summary>
    public string Name => Service?.ToString() ?? Upstream?.ToString() ?? "";

    public static ImmutableHashSet<TargetKey> Of(IEnumerable<Target> targets) =>
        [.. targets.Select(static target => target.Key)];
}
