namespace Groundwork.Tests.Support;

/// <summary>
/// A clock that stands still until a test moves it. Timers fire inside <see cref="Advance"/>, on its thread, in the
/// order they are due, and see the time they were due at. The wall clock can be shifted alone: monotonic time never
/// jumps.
/// </summary>
/// <remarks>
/// A continuation of an awaited delay may run on another thread after <see cref="Advance"/> has returned, and code
/// under test may not have reached its delay before it: <see cref="TimersAsync"/> waits for the second,
/// <see cref="Eventually"/>
/// for the first.
/// </remarks>
public sealed class ManualTimeProvider(DateTimeOffset start) : TimeProvider
{
    /// <summary>Where the clock starts unless told: an instant that is easy to recognise in a log.</summary>
    public static readonly DateTimeOffset DefaultStart = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const long Never = long.MaxValue;

    // Guards every field below and the timers' own; never held while a callback runs.
    private readonly Lock gate = new();
    private readonly Lock advancing = new(); // Taken before gate.
    private readonly HashSet<ManualTimer> timers = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> awaited = [];
    private readonly DateTimeOffset start = start.ToUniversalTime();
    private long elapsedTicks;
    private long shiftTicks;
    private long order;

    public ManualTimeProvider() : this(DefaultStart)
    {
    }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How many timers will fire if time goes on.</summary>
    public int ActiveTimers
    {
        get
        {
            lock (gate) return timers.Count;
        }
    }

    /// <summary>How long until the next timer fires; null when none will.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (gate)
            {
                return timers.Count == 0
                    ? null
                    : TimeSpan.FromTicks(Math.Max(0, timers.Min(timer => timer.DueTicks) - elapsedTicks));
            }
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate) return start.AddTicks(elapsedTicks + shiftTicks);
    }

    public override long GetTimestamp()
    {
        lock (gate) return elapsedTicks;
    }

    /// <summary>Moves both clocks forward and fires what falls due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        lock (advancing)
        {
            long target;
            lock (gate) target = elapsedTicks + by.Ticks;
            FireUpTo(target);
            lock (gate) elapsedTicks = Math.Max(elapsedTicks, target);
        }
    }

    /// <summary>
    /// Moves time forward in steps until the condition holds, each step after the code under test waits on a timer
    /// again.
    /// </summary>
    /// <param name="limit">Manual time after which the wait fails.</param>
    public async Task AdvanceUntilAsync(Func<bool> condition, TimeSpan step, TimeSpan limit, string what)
    {
        for (var moved = TimeSpan.Zero; !condition(); moved += step)
        {
            if (moved >= limit) Assert.Fail($"After {limit} of manual time still not: {what}");
            await TimersAsync();
            if (!condition()) Advance(step);
        }
    }

    /// <summary>
    /// Sets the wall clock off by this much, as an operator or NTP would. Timers and timestamps do not notice.
    /// </summary>
    public void ShiftWallClock(TimeSpan by)
    {
        lock (gate) shiftTicks += by.Ticks;
    }

    /// <summary>Completes when at least so many timers are active: the code under test has come to its wait.</summary>
    public Task TimersAsync(int atLeast = 1)
    {
        lock (gate)
        {
            if (timers.Count >= atLeast) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            awaited.Add((atLeast, reached));
            return reached.Task.WaitAsync(Eventually.Patience, System);
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void FireUpTo(long target)
    {
        while (TakeNext(target) is { } timer) timer.Fire();
    }

    private ManualTimer? TakeNext(long target)
    {
        lock (gate)
        {
            var next = timers.Where(timer => timer.DueTicks <= target)
                .OrderBy(timer => timer.DueTicks).ThenBy(timer => timer.Order).FirstOrDefault();
            if (next is null) return null;
            elapsedTicks = Math.Max(elapsedTicks, next.DueTicks);
            if (next.PeriodTicks == Never) timers.Remove(next);
            else next.DueTicks += next.PeriodTicks;
            return next;
        }
    }

    private bool Schedule(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        var dueTicks = Ticks(dueTime, nameof(dueTime));
        var periodTicks = Ticks(period, nameof(period));
        TaskCompletionSource[] reached;
        lock (gate)
        {
            if (timer.Disposed) return false;
            timer.DueTicks = dueTicks == Never ? Never : elapsedTicks + dueTicks;
            // As the system's timers: a zero period is none.
            timer.PeriodTicks = periodTicks == 0 ? Never : periodTicks;
            timer.Order = order++;
            if (dueTicks == Never) timers.Remove(timer);
            else timers.Add(timer);
            reached = [.. awaited.Where(entry => timers.Count >= entry.Count).Select(entry => entry.Reached)];
            awaited.RemoveAll(entry => timers.Count >= entry.Count);
        }
        foreach (var entry in reached) entry.SetResult();
        // Not here: the caller may hold a lock that the callback takes, and the system's timers would not run it here
        // either.
        if (dueTicks == 0) ThreadPool.UnsafeQueueUserWorkItem(static self => self.Advance(TimeSpan.Zero), this, false);
        return true;
    }

    private void Remove(ManualTimer timer)
    {
        lock (gate)
        {
            timer.Disposed = true;
            timers.Remove(timer);
        }
    }

    private static long Ticks(TimeSpan time, string name)
    {
        if (time == Timeout.InfiniteTimeSpan) return Never;
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
        return time.Ticks;
    }

    /// <summary>One timer; its fields belong to the provider's lock.</summary>
    private sealed class ManualTimer(ManualTimeProvider owner, TimerCallback callback, object? state) : ITimer
    {
        private readonly ExecutionContext? context = ExecutionContext.Capture();

        public long DueTicks { get; set; } = Never;

        public long PeriodTicks { get; set; } = Never;

        public long Order { get; set; }

        public bool Disposed { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period) => owner.Schedule(this, dueTime, period);

        public void Fire()
        {
            if (context is null) callback(state);
            // We pass ourselves.
            else ExecutionContext.Run(context, static timer => ((ManualTimer)timer!).Invoke(), this);
        }

        public void Dispose() => owner.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Invoke() => callback(state);
    }
}
