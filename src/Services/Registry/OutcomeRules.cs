using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry;

/// <summary>Says everything that is wrong with a report of calls.</summary>
internal static class OutcomeRules
{
    /// <summary>Characters of a method's name in a breaker.</summary>
    private const int MaxMethodLength = 256;

    /// <summary>Null for a report that can be taken. It may have no outcomes when it has breakers.</summary>
    public static Fault? Check(OutcomeBatch batch)
    {
        var breakers = batch.Breakers ?? [];
        if (batch.Outcomes.Count + breakers.Count == 0 || batch.Outcomes.Count > RegistryLimits.MaxOutcomesPerBatch
            || breakers.Count > RegistryLimits.MaxOutcomesPerBatch)
            return new Fault(
                ErrorCodes.BadRequest,
                $"A batch has 1 to {RegistryLimits.MaxOutcomesPerBatch} outcomes or breakers, not "
                + $"{batch.Outcomes.Count} and {breakers.Count}.");
        if ((RegistryPaths.FindNull("outcomes", batch.Outcomes) ?? RegistryPaths.FindNull("breakers", breakers))
            is { } empty) return empty;
        var faults = new List<FieldFault>();
        for (var at = 0; at < batch.Outcomes.Count; at++)
        {
            if (InstanceWords.Outcome(batch.Outcomes[at].Outcome) is null)
                faults.Add(new FieldFault($"outcomes[{at}].outcome", $"must be {InstanceWords.Outcomes}"));
            if (batch.Outcomes[at].Count < 1) faults.Add(new FieldFault($"outcomes[{at}].count", "must be at least 1"));
        }
        for (var at = 0; at < breakers.Count; at++)
        {
            var breaker = breakers[at];
            if (breaker.State is not ("closed" or "open" or "half-open"))
                faults.Add(new FieldFault($"breakers[{at}].state", "must be closed, open or half-open"));
            CheckText($"breakers[{at}].method", breaker.Method, MaxMethodLength, faults);
            CheckText($"breakers[{at}].reason", breaker.Reason, RegistryLimits.MaxReasonLength, faults);
        }
        return faults.Count == 0
            ? null
            : new Fault(ErrorCodes.BadRequest, "Some outcomes have faults.") { Fields = [.. faults] };
    }

    private static void CheckText(string path, string? text, int most, List<FieldFault> faults)
    {
        if (text is not null && (text.Length > most || !InstanceRules.IsText(text)))
            faults.Add(new FieldFault(path, $"must be text of at most {most} characters"));
    }
}
