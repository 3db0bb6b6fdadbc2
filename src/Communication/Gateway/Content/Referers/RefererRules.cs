using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Content.Referers;

/// <summary>What the referers of a route must be.</summary>
internal static class RefererRules
{
    /// <summary>Hosts of one route: they are gone through one by one.</summary>
    public const int MaxHosts = 64;

    public static void Check(RefererSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (spec.Hosts.Count > MaxHosts)
            faults.Add(new FieldFault("spec.referers.hosts", $"must have up to {MaxHosts} hosts"));
        for (var index = 0; index < spec.Hosts.Count; index++)
            if (spec.Hosts[index] == HostPattern.Any || HostPattern.Explain(spec.Hosts[index]) is not null)
                faults.Add(new FieldFault(
                    $"spec.referers.hosts[{index}]", "must be a host in lower case, or *. before one"));
    }
}
