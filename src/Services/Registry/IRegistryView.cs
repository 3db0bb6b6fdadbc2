using System.Collections.Immutable;

namespace Groundwork.Services.Registry;

/// <summary>
/// Where other modules read services from: the registry of this process, or a follower of another node's. Reads are of
/// immutable views in memory.
/// </summary>
public interface IRegistryView
{
    /// <summary>The service as known now; null when nothing by that name has ever registered.</summary>
    ServiceView? Find(ServiceKey key);

    /// <summary>
    /// Tells the registry how a call to an instance went. Cheap and never blocks; outcomes are gathered and lead to
    /// ejection, not to deregistration.
    /// </summary>
    void ReportOutcome(InstanceKey instance, CallOutcome outcome);
}

/// <summary>Names a service. A route's <c>ns/name</c> and <c>group@@name</c> forms are parsed into it.</summary>
public readonly record struct ServiceKey(string Namespace, string Group, string Service)
{
    public const string DefaultGroup = "default";

    public override string ToString() => Group == DefaultGroup
        ? $"{Namespace}/{Service}"
        : $"{Namespace}/{Group}@@{Service}";
}

/// <summary>Names an instance.</summary>
public readonly record struct InstanceKey(ServiceKey Service, string Id)
{
    public override string ToString() => $"{Service}/{Id}";
}

/// <summary>How a call to an instance ended.</summary>
public enum CallOutcome
{
    /// <summary>An answer came, whatever its status.</summary>
    Answered,

    /// <summary>No connection could be made.</summary>
    ConnectFailed,

    /// <summary>Connected, and no answer in time, or broken off.</summary>
    NoAnswer,
}

/// <summary>A service's instances at one index: immutable.</summary>
/// <param name="Index">Of the last change; never lower, the same on all nodes.</param>
/// <param name="Instances">All of them, in order of id.</param>
/// <param name="Callable">Those that traffic may go to now: up, not draining, weight above 0, healthy or protected.</param>
/// <param name="Protection">True while the protection threshold keeps unhealthy instances callable.</param>
public sealed record ServiceView(
    ServiceKey Key,
    long Index,
    ImmutableArray<Instance> Instances,
    ImmutableArray<Instance> Callable,
    bool Protection);
