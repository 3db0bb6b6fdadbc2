using System.Collections.Immutable;
using Groundwork.Kernel.Resources;

namespace Groundwork.Services.Registry.Policies;

/// <summary>
/// What operators have said of all services, derived from the snapshots of resources. Written by the snapshots' thread
/// alone; read by any, with one volatile read.
/// </summary>
/// <param name="threshold">Of services that have none of their own.</param>
internal sealed class PolicyTable(double threshold)
{
    private readonly ServicePolicy none = new(threshold);
    private ImmutableDictionary<ServiceKey, ServicePolicy> policies =
        ImmutableDictionary<ServiceKey, ServicePolicy>.Empty;
    private KeyValuePair<ServiceKey, ServicePolicy>[] probed = [];

    public ServicePolicy Of(ServiceKey service) => Volatile.Read(ref policies).GetValueOrDefault(service, none);

    /// <summary>Services whose persistent instances are probed; looked at ten times a second.</summary>
    public IReadOnlyList<KeyValuePair<ServiceKey, ServicePolicy>> Probed => Volatile.Read(ref probed);

    /// <summary>Takes what a group of changesets did.</summary>
    /// <returns>What is different now, for those who show it.</returns>
    public IReadOnlyList<PolicyChange> Take(SnapshotChange change)
    {
        if (!change.Touches(InstanceOverrideKind.Name) && !change.Touches(ServicePolicyKind.Name)) return [];
        var before = policies;
        var next = change.Before is null ? Load(change.After) : Apply(before, change.Changes);
        Volatile.Write(ref policies, next);
        if (change.Touches(ServicePolicyKind.Name))
            Volatile.Write(ref probed, [.. next.Where(entry => entry.Value.Probe is not null)]);
        return change.Before is null
            ? [.. before.Keys.Union(next.Keys)
                .Select(key => new PolicyChange(key, Id: null, Resource: null, What: null))]
            : [.. change.Changes.Select(one => Describe(one, before, next)).OfType<PolicyChange>()];
    }

    private ImmutableDictionary<ServiceKey, ServicePolicy> Load(Snapshot snapshot)
    {
        var loaded = ImmutableDictionary.CreateBuilder<ServiceKey, ServicePolicy>();
        foreach (var (key, resource) in snapshot.Of(ServicePolicyKind.Name))
            if (ServicePolicyKind.KeyOf(key) is { } service) loaded[service] = With(none, resource);
        foreach (var group in snapshot.Of(InstanceOverrideKind.Name)
            .Select(entry => (Key: InstanceOverrideKind.KeyOf(entry.Key), entry.Value))
            .Where(entry => entry.Key is not null)
            .GroupBy(entry => entry.Key!.Value.Service)) // Not null, as filtered.
        {
            var overrides = group.ToImmutableDictionary(
                entry => entry.Key!.Value.Id, entry => OperatorOverride.Of(entry.Value), StringComparer.Ordinal);
            loaded[group.Key] = loaded.GetValueOrDefault(group.Key, none) with { Overrides = overrides };
        }
        return loaded.ToImmutable();
    }

    private ImmutableDictionary<ServiceKey, ServicePolicy> Apply(
        ImmutableDictionary<ServiceKey, ServicePolicy> known, IReadOnlyList<AppliedChange> changes)
    {
        foreach (var change in changes)
        {
            if (change.Key.Kind == ServicePolicyKind.Name && ServicePolicyKind.KeyOf(change.Key) is { } service)
            {
                var policy = known.GetValueOrDefault(service, none);
                known = Set(known, service, With(policy, change.After));
            }
            else if (change.Key.Kind == InstanceOverrideKind.Name
                && InstanceOverrideKind.KeyOf(change.Key) is { } instance)
            {
                var policy = known.GetValueOrDefault(instance.Service, none);
                var overrides = change.After is { } resource
                    ? policy.Overrides.SetItem(instance.Id, OperatorOverride.Of(resource))
                    : policy.Overrides.Remove(instance.Id);
                known = Set(known, instance.Service, policy with { Overrides = overrides });
            }
        }
        return known;
    }

    private ServicePolicy With(ServicePolicy policy, Resource? resource)
    {
        var spec = resource?.As<ServicePolicySpec>();
        return policy with
        {
            Threshold = spec?.ProtectionThreshold ?? threshold,
            Probe = spec?.Probe,
            Source = resource,
            Maintenance = resource is not null && spec is { Maintenance: true }
                ? new Maintenance(spec.Reason, resource.ChangedBy, resource.ChangedAt)
                : null,
        };
    }

    private static ImmutableDictionary<ServiceKey, ServicePolicy> Set(
        ImmutableDictionary<ServiceKey, ServicePolicy> known, ServiceKey service, ServicePolicy policy) =>
        policy.Source is null && policy.Overrides.IsEmpty ? known.Remove(service) : known.SetItem(service, policy);

    private PolicyChange? Describe(
        AppliedChange change,
        ImmutableDictionary<ServiceKey, ServicePolicy> before,
        ImmutableDictionary<ServiceKey, ServicePolicy> next)
    {
        if (change.Key.Kind == InstanceOverrideKind.Name && InstanceOverrideKind.KeyOf(change.Key) is { } instance)
            return new PolicyChange(instance.Service, instance.Id, change.After,
                change.After is { } resource ? OperatorOverride.Of(resource).Describe() : "the override was removed");
        if (change.Key.Kind != ServicePolicyKind.Name || ServicePolicyKind.KeyOf(change.Key) is not { } service)
            return null;
        var (was, now) = (before.GetValueOrDefault(service, none), next.GetValueOrDefault(service, none));
        var what = (was.Maintenance, now.Maintenance) switch
        {
            (null, { } begun) => begun.Reason is null ? "maintenance began" : $"maintenance began: {begun.Reason}",
            ({ }, null) => "maintenance ended",
            _ => "the service's policy changed",
        };
        return new PolicyChange(service, Id: null, change.After, what);
    }
}

/// <summary>Something that operators have changed about a service.</summary>
/// <param name="Id">The instance; null: all of them.</param>
/// <param name="Resource">What stands now; null when it was removed.</param>
/// <param name="What">For the history; null for what was there before this node started.</param>
internal sealed record PolicyChange(ServiceKey Service, string? Id, Resource? Resource, string? What);
