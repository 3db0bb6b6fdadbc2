namespace Groundwork.Services.Registry.Leases;

/// <summary>
/// Counts evictions over a sweep, so that at most a share of what there was at its beginning goes in it.
/// </summary>
internal sealed class EvictionPace
{
    private long sweepStartTicks = long.MinValue;
    private int allowed;

    /// <summary>How many may still be evicted in this sweep; a new one begins when the last is over.</summary>
    /// <param name="present">How many there are, which counts when a sweep begins.</param>
    public int Left(long leaseTicks, int present, RegistryOptions options)
    {
        if (sweepStartTicks == long.MinValue || leaseTicks - sweepStartTicks >= options.Sweep.Ticks)
        {
            sweepStartTicks = leaseTicks;
            allowed = Math.Max(1, (int)(present * options.EvictionShare));
        }
        return allowed;
    }

    public void Take() => allowed--;
}
