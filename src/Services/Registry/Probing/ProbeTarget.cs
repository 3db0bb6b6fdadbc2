using Groundwork.Services.Registry.Policies;

namespace Groundwork.Services.Registry.Probing;

/// <summary>One instance that is probed, and what has been found in a row. Belongs to the prober's loop.</summary>
internal sealed class ProbeTarget(InstanceKey key, Check? known)
{
    private int failures;
    private int successes;

    public InstanceKey Key => key;

    public required ProbeSpec Spec { get; set; }

    public required Instance Instance { get; set; }

    /// <summary>No longer probed: deregistered, or its service's policy says nothing of a probe.</summary>
    public bool IsGone { get; set; }

    /// <summary>What stands; null until the first verdict.</summary>
    public Check? Standing { get; private set; } = known;

    /// <summary>Counts one probe.</summary>
    /// <param name="wrong">Null when the instance is well.</param>
    /// <returns>The verdict, when it is another than the one that stands.</returns>
    public ProbeResult? Judge(string? wrong, DateTimeOffset now)
    {
        (failures, successes) = wrong is null ? (0, successes + 1) : (failures + 1, 0);
        // Whoever was never seen well or ill is believed at its first good answer.
        var isWell = wrong is null && (Standing is null || successes >= Spec.HealthyAfter);
        if (isWell && Standing?.State != CheckState.Passing) return Decide(CheckState.Passing, reason: null, now);
        return wrong is not null && Standing?.State != CheckState.Critical && failures >= Spec.UnhealthyAfter
            ? Decide(CheckState.Critical, wrong, now)
            : null;
    }

    private ProbeResult Decide(CheckState state, string? reason, DateTimeOffset now)
    {
        // As the store keeps it, so that what comes back from there is the same.
        var since = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds());
        Standing = new Check(EffectiveInstance.ProbeCheck, state, Clean(reason), since, ProbeResult.Source);
        return new ProbeResult(key, Standing);
    }

    // The words may be those of a strange server, down to the bytes that it sent instead of HTTP: the store keeps no
    // NUL and no half of a surrogate pair, and a reason is a sentence.
    private static string? Clean(string? reason) => reason is null
        ? null
        : string.Concat(reason.Take(RegistryLimits.MaxReasonLength)
            .Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}
