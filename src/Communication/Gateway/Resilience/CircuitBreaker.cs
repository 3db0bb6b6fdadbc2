namespace Groundwork.Communication.Gateway.Resilience;

/// <summary>What a breaker does with calls.</summary>
internal enum BreakerState { Closed, Open, HalfOpen }

/// <summary>A permit to call; told of once, by <see cref="CircuitBreaker.Report"/> or by
/// <see cref="CircuitBreaker.Forget"/>.</summary>
internal readonly record struct BreakerPermit(long Generation);

/// <summary>What a breaker has seen and does.</summary>
/// <param name="For">How long it has been in its state.</param>
/// <param name="Calls">Of its window; none while it is not closed.</param>
/// <param name="Probing">Calls under way that find out.</param>
/// <param name="Proved">Calls that found out that all is well.</param>
/// <param name="Opened">How often it opened.</param>
/// <param name="Refused">Requests that were refused because of it.</param>
internal readonly record struct BreakerReading(
    BreakerState State, TimeSpan For, long Calls, long Failures, long Slow, int Probing, int Proved, long Opened,
    long Refused)
{
    /// <summary>Until calls find out; null unless it is open.</summary>
    public TimeSpan? OpenFor { get; init; }
}

/// <summary>
/// Opens when too many calls of an upstream fail or are slow, lets none pass for a while, then a few that find out, and
/// closes when all of those are well. Calls that began in one state say nothing in another. Thread-safe.
/// </summary>
internal sealed class CircuitBreaker(BreakerSpec spec, TimeProvider time)
{
    /// <summary>Parts of the window: as a part ends its calls are forgotten.</summary>
    private const int Slices = 10;

    private readonly Lock gate = new();
    private readonly Slice[] slices = new Slice[Slices]; // Under the gate; by number, modulo.
    private readonly long origin = time.GetTimestamp();
    private long slice; // The newest. Under the gate.
    private int state; // Of BreakerState; under the gate, read without it.
    private long generation; // Changes with the state. Under the gate, read without it.
    private long openedAt; // Timestamp. Under the gate.
    private int probing; // Calls under way that find out. Under the gate.
    private int proved; // Of them those that were well. Under the gate.
    private long changed = time.GetTimestamp(); // When the state did. Under the gate.
    private long opened; // How often. Under the gate.
    private long refused; // Interlocked.

    public BreakerSpec Spec => spec;

    public BreakerState State => (BreakerState)Volatile.Read(ref state);

    /// <summary>Told of each change, one at a time.</summary>
    public Action<BreakerState>? Changed { get; init; }

    /// <summary>How long it lets nobody pass.</summary>
    public TimeSpan OpenFor
    {
        get
        {
            lock (gate)
            {
                if (state != (int)BreakerState.Open) return TimeSpan.Zero;
                var left = TimeSpan.FromSeconds(spec.OpenSeconds) - time.GetElapsedTime(openedAt);
                return left > TimeSpan.Zero ? left : TimeSpan.Zero;
            }
        }
    }

    /// <summary>A request is refused because of it.</summary>
    public void Refused() => Interlocked.Increment(ref refused);

    public BreakerReading Read()
    {
        lock (gate)
        {
            if (state == (int)BreakerState.Closed) Turn();
            var (calls, failures, slow) = Sum();
            return new BreakerReading(
                (BreakerState)state, time.GetElapsedTime(changed), calls, failures, slow, probing, proved, opened,
                Interlocked.Read(ref refused))
            {
                OpenFor = state == (int)BreakerState.Open ? OpenFor : null,
            };
        }
    }

    /// <summary>Asks for a permit. With false nothing is called.</summary>
    public bool TryEnter(out BreakerPermit permit)
    {
        // In this order: a permit of a generation that is over says nothing, while one of the next would say too much.
        permit = new BreakerPermit(Volatile.Read(ref generation));
        if (Volatile.Read(ref state) == (int)BreakerState.Closed) return true;
        lock (gate)
        {
            if (state == (int)BreakerState.Open && time.GetElapsedTime(openedAt).TotalSeconds >= spec.OpenSeconds)
                Become(BreakerState.HalfOpen);
            permit = new BreakerPermit(generation);
            if (state != (int)BreakerState.HalfOpen) return state == (int)BreakerState.Closed;
            if (probing + proved >= spec.Probes) return false;
            probing++;
            return true;
        }
    }

    /// <summary>A call has ended.</summary>
    /// <param name="length">Until its answer began.</param>
    public void Report(BreakerPermit permit, bool failed, TimeSpan length)
    {
        var slow = spec.SlowMs is { } limit && length.TotalMilliseconds > limit;
        lock (gate)
        {
            if (permit.Generation != generation) return;
            if (state == (int)BreakerState.HalfOpen)
            {
                probing--;
                if (failed || slow) Become(BreakerState.Open);
                else if (++proved >= spec.Probes) Become(BreakerState.Closed);
                return;
            }
            Turn();
            ref var now = ref slices[slice % Slices];
            now.Calls++;
            if (failed) now.Failures++;
            if (slow) now.Slow++;
            if (IsBad()) Become(BreakerState.Open);
        }
    }

    /// <summary>A call has ended without saying anything about the upstream.</summary>
    public void Forget(BreakerPermit permit)
    {
        lock (gate)
            if (permit.Generation == generation && state == (int)BreakerState.HalfOpen) probing--;
    }

    private bool IsBad()
    {
        var (calls, failures, slow) = Sum();
        return calls >= spec.MinimumCalls
            && (failures * 100 >= spec.ErrorPercent * calls
                || (spec.SlowMs is not null && slow * 100 >= spec.SlowPercent * calls));
    }

    private (long Calls, long Failures, long Slow) Sum()
    {
        var (calls, failures, slow) = (0L, 0L, 0L);
        foreach (var one in slices)
        {
            calls += one.Calls;
            failures += one.Failures;
            slow += one.Slow;
        }
        return (calls, failures, slow);
    }

    private void Turn()
    {
        var current = time.GetElapsedTime(origin).Ticks / (TimeSpan.FromSeconds(spec.WindowSeconds).Ticks / Slices);
        if (current - slice >= Slices)
        {
            Array.Clear(slices);
            slice = current;
        }
        while (slice < current) slices[++slice % Slices] = default;
    }

    private void Become(BreakerState next)
    {
        Volatile.Write(ref generation, generation + 1);
        changed = time.GetTimestamp();
        if (next == BreakerState.Open)
        {
            openedAt = changed;
            opened++;
        }
        (probing, proved) = (0, 0);
        Array.Clear(slices);
        Volatile.Write(ref state, (int)next);
        Changed?.Invoke(next);
    }

    private struct Slice
    {
        public int Calls;
        public int Failures;
        public int Slow;
    }
}
