using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Policies;

/// <summary>
/// What an operator says of one instance, over what the instance says of itself. It holds while the resource is there:
/// through renewals, registrations, restarts of the instance and of the platform.
/// </summary>
public sealed record InstanceOverrideSpec(
    [Description("0 to 10,000 instead of the registered weight; 0 takes no traffic.")]
    [Range(0, 10_000)]
    int? Weight = null,
    [Description(
        "up, draining, out-of-service or down instead of the registered status. An instance that drains by "
        + "itself stays so, whatever stands here.")]
    [AllowedValues("up", "draining", "out-of-service", "down")]
    string? Status = null,
    [Description("True: it is listed as out-of-service and not called. Not together with status.")]
    bool Disabled = false,
    [Description("Why, for everybody who looks at the instance; at most 512 characters.")]
    string? Reason = null);

/// <summary>
/// The kind <c>instance-override</c>, named <c>group/service/id</c>. It may be there before its instance is.
/// </summary>
public static class InstanceOverrideKind
{
    /// <summary>The kind's name.</summary>
    public const string Name = "instance-override";

    public static Kind<InstanceOverrideSpec> Kind { get; } =
        new(Name, PolicyJson.Default.InstanceOverrideSpec)
        {
            Module = RegistryModule.ModuleName,
            Summary = "An operator's weight or status for an instance, over what it says of itself.",
            Validate = Validate,
            ValidateAgainst = ValidateName,
        };

    /// <summary>The instance that a resource of this kind is about; null for a name that is of no instance.</summary>
    internal static InstanceKey? KeyOf(ResourceKey key) =>
        key.Name.Split('/') is [var group, var service, var id]
        && ServiceKey.IsPart(group) && ServiceKey.IsPart(service)
            ? new InstanceKey(new ServiceKey(key.Namespace, group, service), id)
            : null;

    private static void Validate(InstanceOverrideSpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Weight is null && spec.Status is null && !spec.Disabled)
            faults.Add(new FieldFault("spec", "must override something: weight, status or disabled"));
        if (spec.Weight is < 0 or > RegistryLimits.MaxWeight)
            faults.Add(new FieldFault("spec.weight", $"must be 0 to {RegistryLimits.MaxWeight}"));
        if (spec.Status is not (null or "up" or "draining" or "out-of-service" or "down"))
            faults.Add(new FieldFault("spec.status", "must be up, draining, out-of-service or down"));
        if (spec is { Disabled: true, Status: not null })
            faults.Add(new FieldFault("spec.disabled", "says out-of-service; leave the status out"));
        PolicyRules.CheckReason(spec.Reason, faults);
    }

    private static void ValidateName(
        Snapshot head, ResourceKey key, InstanceOverrideSpec? spec, ICollection<FieldFault> faults)
    {
        if (KeyOf(key) is null)
            faults.Add(new FieldFault("name", "must be group/service/id, such as default/orders/10.0.0.7:8080"));
    }
}

/// <summary>Rules that the kinds of this folder share.</summary>
internal static class PolicyRules
{
    public static void CheckReason(string? reason, ICollection<FieldFault> faults)
    {
        if (reason is null) return;
        // It goes into the history of the service, and the store keeps no NUL.
        if (reason.Length is 0 or > RegistryLimits.MaxReasonLength || !InstanceRules.IsText(reason))
            faults.Add(
                new FieldFault("spec.reason", $"must be text of 1 to {RegistryLimits.MaxReasonLength} characters"));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(InstanceOverrideSpec))]
[JsonSerializable(typeof(ServicePolicySpec))]
internal sealed partial class PolicyJson : JsonSerializerContext;
