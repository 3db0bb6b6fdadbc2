namespace Groundwork.Communication.Gateway.Recording;

/// <summary>
/// The buckets of every histogram of times: fixed, so that those of all nodes and versions can be added up. From a
/// millisecond, below which the network hides the gateway, to half a minute, which no caller waits out.
/// </summary>
internal static class LatencyBuckets
{
    private static readonly long[] Micros =
    [
        1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000, 30_000_000,
    ];

    /// <summary>Upper bounds; one bucket more has none.</summary>
    public static double[] Seconds { get; } = Array.ConvertAll(Micros, micros => micros / 1_000_000.0);

    public static int Count => Micros.Length + 1;

    public static int IndexOf(long micros)
    {
        var index = 0;
        while (index < Micros.Length && micros > Micros[index]) index++;
        return index;
    }

    /// <summary>
    /// The time, in milliseconds, that a share of the observations stayed below, taken to be spread evenly inside their
    /// bucket; null when there are none.
    /// </summary>
    public static double? Quantile(ReadOnlySpan<long> counts, double share)
    {
        var total = 0L;
        foreach (var count in counts) total += count;
        if (total == 0) return null;
        var (rank, below) = (share * total, 0L);
        for (var index = 0; index < counts.Length; index++)
        {
            if (below + counts[index] < rank || counts[index] == 0)
            {
                below += counts[index];
                continue;
            }
            if (index == Micros.Length) break;
            var from = index == 0 ? 0 : Micros[index - 1];
            return (from + ((Micros[index] - from) * (rank - below) / counts[index])) / 1_000.0;
        }
        return Micros[^1] / 1_000.0;
    }
}
