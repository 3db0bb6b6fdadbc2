using Groundwork.Wire;
using Microsoft.AspNetCore.Mvc;

namespace Groundwork.Services.Registry;

/// <summary>
/// What a list of instances is narrowed by: query parameters, each of which must match when it is given.
/// </summary>
internal sealed class InstanceFilter
{
    [FromQuery(Name = "namespace")]
    public string? Namespace { get; init; }

    [FromQuery(Name = "group")]
    public string? Group { get; init; }

    [FromQuery(Name = "service")]
    public string? Service { get; init; }

    [FromQuery(Name = "zone")]
    public string? Zone { get; init; }

    [FromQuery(Name = "version")]
    public string? Version { get; init; }

    [FromQuery(Name = "status")]
    public string? Status { get; init; }

    [FromQuery(Name = "health")]
    public string? Health { get; init; }

    [FromQuery(Name = "callable")]
    public bool? Callable { get; init; }

    /// <summary>The fault of a filter that would never find anything.</summary>
    public Fault? Check()
    {
        if (Status is not null && InstanceWords.Status(Status) is null)
            return new Fault(ErrorCodes.BadRequest, $"'status' is {InstanceWords.Statuses}, not '{Status}'.");
        if (Health is not (null or "healthy" or "suspect" or "unhealthy"))
            return new Fault(ErrorCodes.BadRequest, $"'health' is healthy, suspect or unhealthy, not '{Health}'.");
        return Service is null
            ? RegistryPaths.FindMisnamed(Namespace)
            : RegistryPaths.FindMisnamed(Namespace, RegistryPaths.Service(Namespace, Group, Service));
    }

    public bool Admits(ServiceKey key)
    {
        if (Namespace is not null && key.Namespace != Namespace) return false;
        var (group, service) = Service is null ? (null, null) : ServiceKey.Split(Service);
        return (service is null || key.Service == service) && ((group ?? Group) is not { } named || key.Group == named);
    }

    /// <summary>The instances of a service that match, with whether they are called.</summary>
    public IEnumerable<(Instance Instance, bool Callable)> Select(ServiceView view)
    {
        var next = 0; // Both lists are in order of id, and the callable one is a part of the other.
        foreach (var instance in view.Instances)
        {
            var callable = next < view.Callable.Length && ReferenceEquals(view.Callable[next], instance);
            if (callable) next++;
            if (Matches(instance, callable)) yield return (instance, callable);
        }
    }

    private bool Matches(Instance instance, bool callable) =>
        (Zone is null || instance.Zone == Zone)
        && (Version is null || instance.Version == Version)
        && (Status is null || InstanceWords.Of(instance.Status) == Status)
        && (Health is null || InstanceWords.Of(instance.Health.State) == Health)
        && (Callable is null || callable == Callable);
}
