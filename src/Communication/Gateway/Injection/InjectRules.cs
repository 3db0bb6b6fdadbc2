using Groundwork.Communication.Gateway.Routing;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Injection;

/// <summary>What faults put in on purpose must be.</summary>
internal static class InjectRules
{
    /// <summary>The longest delay: past it clients give up by themselves.</summary>
    public const int MaxDelayMs = 60_000;

    public static void Check(InjectSpec? spec, ICollection<FieldFault> faults)
    {
        if (spec is null) return;
        if (spec is { Delay: null, Abort: null })
            faults.Add(new FieldFault("spec.inject", "must have delay or abort"));
        if (spec.Delay is { } delay)
        {
            if (delay.Ms is < 1 or > MaxDelayMs)
                faults.Add(new FieldFault("spec.inject.delay.ms", $"must be 1 to {MaxDelayMs}"));
            CheckPercent("spec.inject.delay.percent", delay.Percent, faults);
        }
        if (spec.Abort is { } abort)
        {
            if (abort.Status is < 400 or > 599)
                faults.Add(new FieldFault("spec.inject.abort.status", "must be 400 to 599"));
            CheckPercent("spec.inject.abort.percent", abort.Percent, faults);
        }
        MatchRules.CheckFields("spec.inject.headers", FieldPlace.Header, spec.Headers, faults);
    }

    private static void CheckPercent(string field, double percent, ICollection<FieldFault> faults)
    {
        if (percent is not (>= 0 and <= 100)) faults.Add(new FieldFault(field, "must be 0 to 100"));
    }
}
