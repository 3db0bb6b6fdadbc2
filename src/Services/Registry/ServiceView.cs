using System.Collections.Immutable;
using System.Globalization;

namespace Groundwork.Services.Registry;

/// <summary>A service's instances at one index: immutable.</summary>
/// <param name="Index">Of the last change; never lower, the same on all nodes.</param>
/// <param name="Instances">All of them, in order of id.</param>
/// <param name="Callable">
/// Those that traffic may go to now: up, weight above 0, not unhealthy or else protected.
/// </param>
/// <param name="Protection">True while the protection threshold keeps unhealthy instances callable.</param>
public sealed record ServiceView(
    ServiceKey Key,
    long Index,
    ImmutableArray<Instance> Instances,
    ImmutableArray<Instance> Callable,
    bool Protection)
{
    /// <summary>Why protection is on; null while it is off.</summary>
    public string? ProtectionReason { get; init; }

    /// <summary>
    /// Why no instance is left; null while there are some. An empty list without a reason is not to be believed.
    /// </summary>
    public string? EmptyReason { get; init; }

    /// <summary>Why none of it is called, while an operator keeps it from its callers; else null.</summary>
    public Policies.Maintenance? Maintenance { get; init; }

    /// <summary>
    /// The view of these instances. When the healthy share of those that take traffic is below
    /// <paramref name="threshold"/> (0 to 1; 0 turns protection off), all of them stay callable: so many failing at
    /// once says more about the observer than about them, and the rest could not carry the load.
    /// </summary>
    internal static ServiceView Of(ServiceKey key, long index, ImmutableArray<Instance> instances, double threshold)
    {
        int candidates = 0, healthy = 0;
        foreach (var instance in instances)
        {
            if (!TakesTraffic(instance)) continue;
            candidates++;
            if (instance.Health.State != HealthState.Unhealthy) healthy++;
        }
        var protection = healthy < candidates && healthy < candidates * threshold;
        return new ServiceView(
            key, index, instances, Select(instances, protection, protection ? candidates : healthy), protection)
        {
            ProtectionReason = protection ? Explain(healthy, candidates, threshold) : null,
        };
    }

    private static ImmutableArray<Instance> Select(ImmutableArray<Instance> instances, bool protection, int count)
    {
        if (count == instances.Length) return instances;
        var callable = ImmutableArray.CreateBuilder<Instance>(count);
        foreach (var instance in instances)
            if (TakesTraffic(instance) && (protection || instance.Health.State != HealthState.Unhealthy))
                callable.Add(instance);
        return callable.MoveToImmutable();
    }

    private static bool TakesTraffic(Instance instance) => instance is { Status: InstanceStatus.Up, Weight: > 0 };

    private static string Explain(int healthy, int candidates, double threshold) => string.Create(
        CultureInfo.InvariantCulture,
        $"{healthy} of {candidates} instances are healthy, below the protection threshold of {threshold:P0}: "
        + $"all stay callable");
}
