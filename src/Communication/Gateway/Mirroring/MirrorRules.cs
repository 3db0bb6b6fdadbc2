using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Mirroring;

/// <summary>What a mirror must be.</summary>
internal static class MirrorRules
{
    /// <summary>The largest body that is copied; copies are held in memory.</summary>
    public const int MaxBodyKilobytes = 1_024;

    public static void Check(MirrorSpec? spec, bool hasTarget, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (!hasTarget)
            faults.Add(new FieldFault("spec.mirror", "has no use where the gateway answers itself"));
        if ((spec.Service is null) == (spec.Upstream is null))
            faults.Add(new FieldFault("spec.mirror", "must have exactly one of service and upstream"));
        if (spec.Service is { } service && !ServiceKey.TryParse(service, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault("spec.mirror.service", "must be a service, such as catalog or shop/catalog"));
        if (spec.Upstream is { } upstream
            && !DeliveryRules.TryReadUpstream(upstream, Names.DefaultNamespace, out _))
            faults.Add(new FieldFault("spec.mirror.upstream", "must be an upstream, such as legacy or shop/legacy"));
        if (spec.Percent is not (>= 0 and <= 100))
            faults.Add(new FieldFault("spec.mirror.percent", "must be 0 to 100"));
        if (spec.MaxBodyKilobytes is < 0 or > MaxBodyKilobytes)
            faults.Add(new FieldFault("spec.mirror.maxBodyKilobytes", $"must be 0 to {MaxBodyKilobytes}"));
    }
}
