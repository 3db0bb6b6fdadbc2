namespace Groundwork.Host.Up;

/// <summary>How patiently <c>up</c> treats its children.</summary>
internal sealed record SupervisionOptions
{
    /// <summary>
    /// Before the first restart: long enough for a port to be given back, short enough not to be noticed.
    /// </summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Between restarts at most: somebody is at the terminal and has just mended the code.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A run this long was a good one; the next restart starts at <see cref="FirstDelay"/> again.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From SIGTERM to SIGKILL. Longer than the SDK needs to drain and deregister (5 s).</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between two looks at the health of an instance that is not healthy yet.</summary>
    public TimeSpan StartingProbeInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Between two looks at a healthy one.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For one look.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Looks that must fail in a row before a healthy instance is called unhealthy.</summary>
    public int UnhealthyAfter { get; init; } = 3;

    /// <summary>For the rest of a child's output after its end, which something it started may hold open.</summary>
    public TimeSpan OutputPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Doubles from <see cref="FirstDelay"/> up to <see cref="MaxDelay"/>.</summary>
    /// <param name="failures">Runs in a row that ended early, at least 1.</param>
    public TimeSpan Delay(int failures)
    {
        var doublings = Math.Clamp(failures - 1, 0, 30); // 2^30 is beyond any maximum and within range.
        var delay = FirstDelay * Math.Pow(2, doublings);
        return delay < MaxDelay ? delay : MaxDelay;
    }
}
