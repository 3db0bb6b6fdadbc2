using Groundwork.Tests.Support;

namespace Groundwork.Support.Tests;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public void Time_stands_still_until_it_is_moved()
    {
        var started = time.GetTimestamp();
        Assert.Equal(ManualTimeProvider.DefaultStart, time.GetUtcNow());

        time.Advance(TimeSpan.FromSeconds(90));

        Assert.Equal(ManualTimeProvider.DefaultStart.AddSeconds(90), time.GetUtcNow());
        Assert.Equal(TimeSpan.FromSeconds(90), time.GetElapsedTime(started));
    }

    [Fact]
    public void Shifting_the_wall_clock_leaves_timestamps_and_timers_alone()
    {
        var fired = 0;
        using var timer = time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(10), Timeout.InfiniteTimeSpan);
        var started = time.GetTimestamp();

        time.ShiftWallClock(TimeSpan.FromHours(-1));

        Assert.Equal(ManualTimeProvider.DefaultStart.AddHours(-1), time.GetUtcNow());
        Assert.Equal(TimeSpan.Zero, time.GetElapsedTime(started));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, fired);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, fired);
    }

    [Fact]
    public void Timers_fire_in_the_order_they_are_due_and_see_that_time()
    {
        var seen = new List<(string Name, double Second)>();
        // Names are passed below.
        TimerCallback note = name => seen.Add(((string)name!, time.GetElapsedTime(0).TotalSeconds));
        using var late = time.CreateTimer(note, "late", TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        using var every = time.CreateTimer(note, "every", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var early = time.CreateTimer(note, "early", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        time.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal([("early", 1), ("every", 2), ("every", 4), ("late", 5), ("every", 6)], seen);
        Assert.Equal(1, time.ActiveTimers);
        Assert.Equal(TimeSpan.FromSeconds(2), time.UntilNextTimer);
    }

    [Fact]
    public void A_timer_may_set_another_that_falls_due_in_the_same_advance()
    {
        var second = 0.0;
        using var inner = time.CreateTimer(
            _ => second = time.GetElapsedTime(0).TotalSeconds,
            null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using var outer = time.CreateTimer(
            _ => inner.Change(TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan),
            null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(4, second);
    }

    [Fact]
    public void A_disposed_timer_neither_fires_nor_changes()
    {
        var fired = 0;
        var timer = time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        timer.Dispose();

        Assert.False(timer.Change(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(0, fired);
        Assert.Null(time.UntilNextTimer);
    }

    [Fact]
    public async Task A_timer_due_at_once_fires_without_an_advance_and_not_on_the_callers_stack()
    {
        var fired = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var caller = Environment.CurrentManagedThreadId;
        var inCall = true;
        using var timer = time.CreateTimer(
            _ => fired.SetResult(inCall && Environment.CurrentManagedThreadId == caller ? 1 : 0),
            null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        inCall = false;

        Assert.Equal(0, await fired.Task.WaitAsync(Eventually.Patience, TimeProvider.System));
    }

    [Fact]
    public async Task Delays_periodic_timers_and_cancellation_run_on_it()
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(3), time);
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        var delay = Task.Delay(TimeSpan.FromSeconds(2), time);
        var tick = ticks.WaitForNextTickAsync();

        time.Advance(TimeSpan.FromSeconds(2));
        await delay.WaitAsync(Eventually.Patience, TimeProvider.System);
        Assert.True(await tick);
        Assert.False(cancellation.IsCancellationRequested);

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(cancellation.IsCancellationRequested);
    }

    [Fact]
    public async Task Waiting_for_timers_ends_when_the_code_under_test_has_come_to_its_delay()
    {
        var waiting = time.TimersAsync(2);
        Assert.False(waiting.IsCompleted);

        using var one = time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        Assert.False(waiting.IsCompleted);
        using var two = time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        await waiting;
        Assert.Equal(2, time.ActiveTimers);
    }

    [Fact]
    public async Task Advancing_until_a_condition_follows_a_loop_that_delays_again_and_again()
    {
        var rounds = 0;
        using var stop = new CancellationTokenSource();
        var loop = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromSeconds(10), time, stop.Token);
                Interlocked.Increment(ref rounds);
            }
        });

        await time.AdvanceUntilAsync(
            () => Volatile.Read(ref rounds) >= 5, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(10), "five rounds");

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
    }

    [Fact]
    public void Time_does_not_go_back() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => time.Advance(TimeSpan.FromTicks(-1)));
}
