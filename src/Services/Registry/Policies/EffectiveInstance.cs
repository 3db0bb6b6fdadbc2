namespace Groundwork.Services.Registry.Policies;

/// <summary>What an operator has put over an instance, as callers and people see it.</summary>
/// <param name="Source">The kind of resource that says it: <c>instance-override</c> or <c>service-policy</c>.</param>
/// <param name="By">The principal who wrote it.</param>
/// <param name="RegisteredWeight">What the instance says of itself, where the operator says otherwise.</param>
/// <param name="RegisteredStatus">The same of its status.</param>
public sealed record AppliedOverride(
    string Source,
    string By,
    DateTimeOffset Since,
    string? Reason,
    int? RegisteredWeight,
    InstanceStatus? RegisteredStatus);

/// <summary>
/// Puts what operators say and what the prober found over what an instance says. Done where views are made, and nowhere
/// else, so that what is registered stays as it is and nothing that an instance does can take it back.
/// </summary>
internal static class EffectiveInstance
{
    /// <summary>Name of the check that the prober keeps.</summary>
    public const string ProbeCheck = "probe";

    public static Instance Of(InstanceState state, ServicePolicy policy)
    {
        var instance = state.Instance;
        if (policy.LeavesAlone) return instance;
        if (policy.Probe is not null && !instance.Ephemeral && state.Service.ProbeOf(instance.Key.Id) is { } probe)
            instance = Probed(instance, probe);
        if (policy.Overrides.TryGetValue(instance.Key.Id, out var said)) instance = Overridden(instance, said);
        return policy.Maintenance is { } maintenance ? Maintained(instance, maintenance) : instance;
    }

    private static Instance Probed(Instance instance, Check probe)
    {
        var checks = instance.Checks.RemoveAll(check => check.Name == ProbeCheck).Add(probe);
        if (probe.State != CheckState.Critical || instance.Health.State == HealthState.Unhealthy)
            return instance with { Checks = checks };
        var reason = $"check {probe.Name} is critical: {probe.Reason ?? "no reason given"}";
        return instance with
        {
            Checks = checks,
            Health = new Health(HealthState.Unhealthy, HealthCause.Check, reason, probe.Since),
        };
    }

    private static Instance Overridden(Instance instance, OperatorOverride said)
    {
        // Who leaves knows best: traffic that is called back to it would be lost.
        var status = said.Status == InstanceStatus.Up && instance.Status == InstanceStatus.Draining
            ? null
            : said.Status;
        return instance with
        {
            Weight = said.Weight ?? instance.Weight,
            Status = status ?? instance.Status,
            Override = new AppliedOverride(
                InstanceOverrideKind.Name, said.By, said.Since, said.Reason,
                said.Weight is null ? null : instance.Weight, status is null ? null : instance.Status),
        };
    }

    private static Instance Maintained(Instance instance, Maintenance maintenance) => instance with
    {
        Status = InstanceStatus.OutOfService,
        Override = new AppliedOverride(
            ServicePolicyKind.Name, maintenance.By, maintenance.Since,
            $"maintenance: {maintenance.Reason ?? "no reason given"}",
            instance.Override?.RegisteredWeight, instance.Override?.RegisteredStatus ?? instance.Status),
    };
}
