namespace Groundwork.Communication.Gateway.Balancing;

/// <summary>
/// How long an instance took of late to begin its answers: a mean in which older ones count less, and at once the
/// latest when that is worse, so that an instance in trouble is seen by its first slow answer.
/// </summary>
internal sealed class Latency(TimeProvider time)
{
    /// <summary>In this time the weight of what was measured falls to a third.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private double ticks; // Under the gate, read without it; 0 before the first.
    private long measured; // Timestamp of the last. Under the gate, read without it.

    /// <summary>In ticks of <see cref="TimeSpan"/>; falls towards 0 while nothing is measured, so that one that was
    /// slow is tried again.</summary>
    public double At(long now)
    {
        var last = Volatile.Read(ref ticks);
        return last == 0 ? 0 : last * Weight(time.GetElapsedTime(Volatile.Read(ref measured), now));
    }

    public void Took(TimeSpan length, long now)
    {
        lock (gate)
        {
            var weight = ticks == 0 ? 0 : Weight(time.GetElapsedTime(measured, now));
            var mean = ticks * weight + length.Ticks * (1 - weight);
            Volatile.Write(ref ticks, Math.Max(1, length.Ticks > ticks ? length.Ticks : mean));
            Volatile.Write(ref measured, now);
        }
    }

    private static double Weight(TimeSpan age) => Math.Exp(-age / Memory);
}
