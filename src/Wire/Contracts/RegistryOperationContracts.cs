namespace Groundwork.Wire.Contracts;

/// <summary>What an operator has put over an instance, by a resource that outlives the instance.</summary>
/// <param name="Source"><c>instance-override</c>, or <c>service-policy</c> for maintenance.</param>
/// <param name="By">The principal who wrote the resource.</param>
/// <param name="RegisteredWeight">The instance's own weight, where the operator says otherwise.</param>
/// <param name="RegisteredStatus">The instance's own status, where the operator says otherwise.</param>
public sealed record OverrideDocument(
    string Source,
    string By,
    DateTimeOffset Since,
    string? Reason = null,
    int? RegisteredWeight = null,
    string? RegisteredStatus = null);

/// <summary>A service that an operator keeps from its callers.</summary>
public sealed record MaintenanceDocument(string By, DateTimeOffset Since, string? Reason = null);

/// <summary>Who watches a service.</summary>
/// <param name="Name"><c>namespace/service/id</c> of an instance that named itself, else the principal.</param>
/// <param name="Node">The node that it is connected to.</param>
/// <param name="Seen">True when it was sent the index asked for.</param>
public sealed record WatcherDocument(string Name, string Node, bool Seen);

/// <summary>A page of instances over all services that the caller may discover.</summary>
public sealed record InstanceList(IReadOnlyList<InstanceDocument> Items, string? NextPage = null);

/// <summary>A service's versions side by side.</summary>
public sealed record VersionList(
    string Namespace, string Group, string Service, long Index, IReadOnlyList<VersionSummary> Items);

/// <summary>One version of a service's code, as its instances name it.</summary>
/// <param name="Version">Null: the instances that name none.</param>
/// <param name="Healthy">Those that are not unhealthy.</param>
/// <param name="Callable">Those that traffic goes to now.</param>
/// <param name="Zones">How many run where; <c>-</c> stands for no zone.</param>
public sealed record VersionSummary(
    string? Version, int Instances, int Healthy, int Callable, IReadOnlyDictionary<string, int> Zones);
