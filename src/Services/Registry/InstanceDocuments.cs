using System.Collections.Immutable;
using System.Text.Json;
using Groundwork.Services.Registry.Policies;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry;

/// <summary>Writes what the registry knows as wire documents.</summary>
internal static class InstanceDocuments
{
    public static ServiceDocument Write(
        ServiceView view, string storeId, Func<Instance, DateTimeOffset?>? expiresAt = null)
    {
        var instances = new InstanceDocument[view.Instances.Length];
        for (var at = 0; at < instances.Length; at++)
            instances[at] = Write(view.Instances[at], expiresAt?.Invoke(view.Instances[at]));
        return new ServiceDocument(
            view.Key.Namespace,
            view.Key.Group,
            view.Key.Service,
            view.Index,
            storeId,
            view.Protection,
            instances,
            view.ProtectionReason,
            view.EmptyReason,
            view.Maintenance is { } kept ? new MaintenanceDocument(kept.By, kept.Since, kept.Reason) : null);
    }

    /// <summary>The service as a line of a list.</summary>
    public static ServiceSummary Summarize(ServiceView view) => new(
        view.Key.Namespace,
        view.Key.Group,
        view.Key.Service,
        view.Index,
        view.Instances.Length,
        view.Instances.Count(instance => instance.Health.State != HealthState.Unhealthy),
        view.Protection,
        view.Callable.Length,
        view.Maintenance is not null);

    public static InstanceDocument Write(
        Instance instance, DateTimeOffset? expiresAt = null, bool? callable = null) => new(
        instance.Key.Service.Service,
        instance.Host,
        instance.Port,
        instance.Key.Service.Namespace,
        instance.Key.Service.Group,
        instance.Key.Id,
        instance.Scheme,
        instance.Ports.IsEmpty ? null : instance.Ports,
        instance.Weight,
        instance.Version,
        instance.Zone,
        instance.Cluster,
        instance.Tags.IsEmpty ? null : instance.Tags,
        instance.Metadata.Count == 0 ? null : instance.Metadata,
        InstanceWords.Of(instance.Status),
        instance.Ephemeral,
        instance.Ephemeral ? instance.LeaseSeconds : null,
        instance.Incarnation,
        instance.Checks.IsEmpty ? null : [.. instance.Checks.Select(Write)],
        instance.Extensions.Count == 0
            ? null
            : instance.Extensions.ToDictionary(entry => entry.Key, entry => Parse(entry.Value)),
        instance.RegisteredBy,
        new InstanceHealth(InstanceWords.Of(instance.Health.State), instance.Health.Reason, instance.Health.Since),
        expiresAt,
        instance.Override is { } over
            ? new OverrideDocument(
                over.Source, over.By, over.Since, over.Reason, over.RegisteredWeight,
                over.RegisteredStatus is { } status ? InstanceWords.Of(status) : null)
            : null,
        callable,
        instance.RegisteredFrom);

    /// <param name="node">The node that it happened on.</param>
    public static RegistryEventDocument Write(RegistryEvent happened, string node) => new(
        new DateTimeOffset(happened.UtcTicks, TimeSpan.Zero),
        InstanceWords.Of(happened.Kind),
        happened.Index,
        happened.Reason,
        happened.Service.Namespace, // Null of the registry itself, whose service is none.
        happened.Service.Group,
        happened.Service.Service,
        happened.Id,
        happened.Principal,
        node);

    /// <summary>
    /// Reads what a registry has written: the store's row, or the answer of another node. Words that only a newer node
    /// knows are read as the nearest harmless ones.
    /// </summary>
    public static Instance Read(InstanceDocument document, HealthCause cause)
    {
        var service = new ServiceKey(
            document.Namespace ?? Names.DefaultNamespace, document.Group ?? ServiceKey.DefaultGroup, document.Service);
        var health = document.Health;
        return new Instance(new InstanceKey(service, document.Id ?? ""), document.Host, document.Port)
        {
            Scheme = document.Scheme ?? "http",
            Weight = document.Weight ?? 100,
            Status = InstanceWords.Status(document.Status) ?? InstanceStatus.Down,
            Health = health is null
                ? Health.Unknown
                : new Health(InstanceWords.Health(health.State), cause, health.Reason, health.Since),
            Version = document.Version,
            Zone = document.Zone,
            Cluster = document.Cluster,
            Ephemeral = document.Ephemeral ?? true,
            LeaseSeconds = document.LeaseSeconds ?? RegistryLimits.DefaultLeaseSeconds,
            Incarnation = document.Incarnation ?? 0,
            RegisteredBy = document.RegisteredBy ?? "",
            RegisteredFrom = document.RegisteredFrom,
            Tags = document.Tags is { } tags ? [.. tags] : [],
            Checks = document.Checks is { } checks ? [.. checks.Select(Read)] : [],
            Ports = document.Ports is { } ports
                ? ports.ToImmutableSortedDictionary(StringComparer.Ordinal)
                : ImmutableSortedDictionary<string, int>.Empty,
            Metadata = document.Metadata is { } metadata
                ? TextMap.Of(metadata)
                : TextMap.Empty,
            Extensions = document.Extensions is { } extensions
                ? TextMap.Of(extensions.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.GetRawText())))
                : TextMap.Empty,
            Override = document.Override is { } over
                ? new AppliedOverride(
                    over.Source, over.By, over.Since, over.Reason, over.RegisteredWeight,
                    InstanceWords.Status(over.RegisteredStatus))
                : null,
        };
    }

    /// <summary>
    /// Reads another node's list. What is callable is decided here as it is there: from status, weight, health and
    /// protection.
    /// </summary>
    public static ServiceView ReadView(ServiceDocument document)
    {
        var key = new ServiceKey(document.Namespace, document.Group, document.Service);
        ImmutableArray<Instance> instances =
            [.. document.Instances.Select(instance => Read(instance, HealthCause.Instance))];
        // A threshold of 1 keeps all callable when the other node says so, and 0 keeps none that is unhealthy.
        return ServiceView.Of(key, document.Index, instances, document.Protection ? 1 : 0) with
        {
            ProtectionReason = document.ProtectionReason,
            EmptyReason = document.EmptyReason,
            Maintenance = document.Maintenance is { } kept ? new Maintenance(kept.Reason, kept.By, kept.Since) : null,
        };
    }

    private static Check Read(InstanceCheck check) => new(
        check.Name, InstanceWords.Check(check.State) ?? CheckState.Warning, check.Reason, check.Since, check.Source);

    private static InstanceCheck Write(Check check) =>
        new(check.Name, InstanceWords.Of(check.State), check.Since, check.Source, check.Reason);

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
