using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Flags;

/// <summary>
/// How often each flag answered with each variant, since the process began and since it was last reported. Thread-safe.
/// </summary>
internal sealed class FlagExposures
{
    /// <summary>Flags and variants counted; what a process has beyond is evaluated and not counted.</summary>
    private const int MaxCounts = 4096;

    private readonly ConcurrentDictionary<(string Flag, string Variant), Count> counts = new();

    /// <summary>The count of one variant, the same object for all publications.</summary>
    public Count Of(string flag, string variant) =>
        counts.TryGetValue((flag, variant), out var known) ? known
        : counts.Count >= MaxCounts ? new Count(flag, variant)
        : counts.GetOrAdd((flag, variant), static key => new Count(key.Flag, key.Variant));

    /// <summary>What was counted since the last time, at most so many lines. Of the reporter alone.</summary>
    public IReadOnlyList<FlagExposure> TakeUnreported(int most)
    {
        var taken = new List<FlagExposure>();
        foreach (var count in counts.Values)
        {
            if (taken.Count >= most) break;
            if (count.TakeUnreported() is { } exposure) taken.Add(exposure);
        }
        return taken;
    }

    /// <summary>What was taken did not arrive.</summary>
    public void GiveBack(IEnumerable<FlagExposure> exposures)
    {
        foreach (var exposure in exposures)
            if (counts.TryGetValue((exposure.Flag, exposure.Variant), out var count)) count.GiveBack(exposure.Count);
    }

    /// <summary>For the meter.</summary>
    public IEnumerable<Measurement<long>> Measure() => counts.Values.Select(count => count.Measure());

    /// <summary>One flag's variant.</summary>
    internal sealed class Count(string flag, string variant)
    {
        private long total; // Interlocked.
        private long reported; // Of the reporter.

        public void Add() => Interlocked.Increment(ref total);

        public FlagExposure? TakeUnreported()
        {
            var now = Volatile.Read(ref total);
            if (now == reported) return null;
            var exposure = new FlagExposure(flag, variant, now - reported);
            reported = now;
            return exposure;
        }

        public void GiveBack(long count) => reported -= count;

        public Measurement<long> Measure() => new(
            Volatile.Read(ref total),
            new KeyValuePair<string, object?>("flag", flag), new KeyValuePair<string, object?>("variant", variant));
    }
}
