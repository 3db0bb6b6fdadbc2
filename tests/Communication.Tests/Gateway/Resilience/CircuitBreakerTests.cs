using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Resilience;

/// <summary>The breaker's states, under a clock that the test moves.</summary>
public sealed class CircuitBreakerTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public void It_opens_at_the_ratio_and_not_before_the_least_number_of_calls()
    {
        var breaker = new CircuitBreaker(new BreakerSpec(ErrorPercent: 50, MinimumCalls: 10), time);
        for (var call = 0; call < 4; call++) Call(breaker, failed: false);
        for (var call = 0; call < 5; call++) Call(breaker, failed: true);
        Assert.Equal(BreakerState.Closed, breaker.State); // 5 of 9, and 9 are too few.
        Call(breaker, failed: true);
        Assert.Equal(BreakerState.Open, breaker.State);
        Assert.False(breaker.TryEnter(out _));
        Assert.Equal(TimeSpan.FromSeconds(10), breaker.OpenFor);
    }

    [Fact]
    public void Fewer_failures_than_the_ratio_and_failures_of_long_ago_do_not_open_it()
    {
        var breaker = new CircuitBreaker(new BreakerSpec(ErrorPercent: 50, MinimumCalls: 10), time);
        for (var call = 0; call < 1_000; call++) Call(breaker, failed: call % 5 >= 3);
        Assert.Equal(BreakerState.Closed, breaker.State);
        time.Advance(TimeSpan.FromSeconds(11));
        for (var call = 0; call < 9; call++) Call(breaker, failed: true);
        time.Advance(TimeSpan.FromSeconds(11));
        Call(breaker, failed: true);
        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Fact]
    public void Slow_answers_open_it_where_it_says_what_is_slow()
    {
        var slow = new CircuitBreaker(new BreakerSpec(SlowMs: 100, SlowPercent: 80, MinimumCalls: 10), time);
        var blind = new CircuitBreaker(new BreakerSpec(MinimumCalls: 10), time);
        for (var call = 0; call < 10; call++)
        {
            Call(slow, failed: false, milliseconds: call < 2 ? 100 : 101);
            Call(blind, failed: false, milliseconds: 10_000);
        }
        Assert.Equal(BreakerState.Open, slow.State);
        Assert.Equal(BreakerState.Closed, blind.State);
    }

    [Fact]
    public void A_few_calls_find_out_and_all_of_them_have_to_be_well()
    {
        var breaker = Opened(new BreakerSpec(MinimumCalls: 1, Probes: 2));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(breaker.TryEnter(out var first));
        Assert.True(breaker.TryEnter(out var second));
        Assert.False(breaker.TryEnter(out _));
        breaker.Report(first, false, TimeSpan.Zero);
        Assert.False(breaker.TryEnter(out _)); // One proved, one under way.
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        breaker.Report(second, false, TimeSpan.Zero);
        Assert.Equal(BreakerState.Closed, breaker.State);

        breaker = Opened(new BreakerSpec(MinimumCalls: 1, Probes: 2));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(breaker.TryEnter(out first));
        breaker.Report(first, true, TimeSpan.Zero);
        Assert.Equal(BreakerState.Open, breaker.State);
        Assert.Equal(TimeSpan.FromSeconds(10), breaker.OpenFor);
    }

    [Fact]
    public void A_call_that_says_nothing_gives_its_permit_back_and_one_of_before_is_not_counted()
    {
        var breaker = new CircuitBreaker(new BreakerSpec(MinimumCalls: 1, Probes: 1), time);
        Assert.True(breaker.TryEnter(out var old));
        Call(breaker, failed: true);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(breaker.TryEnter(out var probe));
        breaker.Report(old, false, TimeSpan.Zero); // Began before it opened.
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        breaker.Forget(old);
        Assert.False(breaker.TryEnter(out _));
        breaker.Forget(probe);
        Assert.True(breaker.TryEnter(out probe));
        breaker.Report(probe, false, TimeSpan.Zero);
        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    /// <summary>
    /// Any sequence of calls, ends and times: never a permit while open, never more probes than there may be, open
    /// after the time it says, open exactly when a plain count of the same calls says so.
    /// </summary>
    [Fact]
    public void Whatever_happens_it_keeps_its_rules()
    {
        var random = LongRun.Random();
        for (var round = 0; round < LongRun.Count(300, 30_000); round++)
        {
            var spec = new BreakerSpec(
                ErrorPercent: random.Next(1, 101), MinimumCalls: random.Next(1, 30), OpenSeconds: random.Next(1, 5),
                WindowSeconds: 10, Probes: random.Next(1, 5));
            new Model(spec, time, random).Run(400);
        }
    }

    private CircuitBreaker Opened(BreakerSpec spec)
    {
        var breaker = new CircuitBreaker(spec, time);
        Call(breaker, failed: true);
        Assert.Equal(BreakerState.Open, breaker.State);
        return breaker;
    }

    private static void Call(CircuitBreaker breaker, bool failed, int milliseconds = 1)
    {
        Assert.True(breaker.TryEnter(out var permit));
        breaker.Report(permit, failed, TimeSpan.FromMilliseconds(milliseconds));
    }

    /// <summary>What the breaker should do, told in another way: by a list of what has happened.</summary>
    private sealed class Model(BreakerSpec spec, ManualTimeProvider time, Random random)
    {
        private readonly CircuitBreaker breaker = new(spec, time);
        private readonly long origin = time.GetTimestamp();
        private readonly List<(BreakerPermit Permit, int Epoch)> open = [];
        private readonly List<(long Slice, bool Failed)> counted = [];
        private BreakerState state = BreakerState.Closed;
        private int epoch;
        private long openedAt;
        private int probing;
        private int proved;

        public void Run(int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                switch (random.Next(10))
                {
                    case < 5: Enter(); break;
                    case < 9 when open.Count > 0: End(); break;
                    default: time.Advance(TimeSpan.FromMilliseconds(random.Next(2_000))); break;
                }
                Assert.Equal(state, breaker.State);
            }
        }

        private void Enter()
        {
            if (state == BreakerState.Open && time.GetElapsedTime(openedAt).TotalSeconds >= spec.OpenSeconds)
                Become(BreakerState.HalfOpen);
            var expected = state == BreakerState.Closed
                || (state == BreakerState.HalfOpen && probing + proved < spec.Probes);
            Assert.Equal(expected, breaker.TryEnter(out var permit));
            if (!expected) return;
            open.Add((permit, epoch));
            if (state == BreakerState.HalfOpen) probing++;
        }

        private void End()
        {
            var at = random.Next(open.Count);
            var (permit, of) = open[at];
            open.RemoveAt(at);
            var kind = random.Next(4);
            if (kind == 0) breaker.Forget(permit);
            else breaker.Report(permit, kind == 1, TimeSpan.Zero);
            if (of != epoch) return;
            if (state == BreakerState.HalfOpen)
            {
                probing--;
                if (kind == 1) Become(BreakerState.Open);
                else if (kind > 1 && ++proved >= spec.Probes) Become(BreakerState.Closed);
                return;
            }
            if (kind == 0) return;
            var slice = (long)time.GetElapsedTime(origin).TotalSeconds; // Ten of a window of ten seconds.
            counted.Add((slice, kind == 1));
            counted.RemoveAll(call => call.Slice <= slice - 10);
            if (counted.Count >= spec.MinimumCalls
                && counted.Count(call => call.Failed) * 100 >= spec.ErrorPercent * counted.Count)
                Become(BreakerState.Open);
        }

        private void Become(BreakerState next)
        {
            state = next;
            epoch++;
            (probing, proved) = (0, 0);
            counted.Clear();
            if (next == BreakerState.Open) openedAt = time.GetTimestamp();
        }
    }
}
