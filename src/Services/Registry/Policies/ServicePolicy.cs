using System.Collections.Immutable;
using Groundwork.Kernel.Resources;

namespace Groundwork.Services.Registry.Policies;

/// <summary>What operators have said of one service and its instances: immutable, derived from resources.</summary>
/// <param name="Threshold">The protection threshold in force.</param>
internal sealed record ServicePolicy(double Threshold)
{
    /// <summary>Who switched maintenance on, when and why; null while it is off.</summary>
    public Maintenance? Maintenance { get; init; }

    public ProbeSpec? Probe { get; init; }

    /// <summary>By instance id.</summary>
    public ImmutableDictionary<string, OperatorOverride> Overrides { get; init; } =
        ImmutableDictionary<string, OperatorOverride>.Empty;

    /// <summary>The resource that says it, for the history; null when none does.</summary>
    public Resource? Source { get; init; }

    /// <summary>True when it says nothing that changes what callers see.</summary>
    public bool LeavesAlone => Maintenance is null && Probe is null && Overrides.IsEmpty;
}

/// <summary>An override as its resource says it.</summary>
internal sealed record OperatorOverride(
    int? Weight, InstanceStatus? Status, string? Reason, string By, DateTimeOffset Since)
{
    public static OperatorOverride Of(Resource resource)
    {
        var spec = resource.As<InstanceOverrideSpec>();
        var status = spec.Disabled ? InstanceStatus.OutOfService : InstanceWords.Status(spec.Status);
        return new OperatorOverride(spec.Weight, status, spec.Reason, resource.ChangedBy, resource.ChangedAt);
    }

    /// <summary>For the history of the service.</summary>
    public string Describe()
    {
        var what = (Weight, Status) switch
        {
            ({ } weight, { } status) => $"weight {weight}, status {InstanceWords.Of(status)}",
            ({ } weight, null) => $"weight {weight}",
            (_, { } status) => $"status {InstanceWords.Of(status)}",
            _ => "nothing",
        };
        return Reason is null ? what : $"{what}: {Reason}";
    }
}

/// <summary>A service is kept from its callers on purpose.</summary>
public sealed record Maintenance(string? Reason, string By, DateTimeOffset Since);
