using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Resilience;

/// <summary>The budget, the limit that adapts, and the guard of the process.</summary>
public sealed class LoadTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public void Budget_is_a_share_of_the_last_ten_seconds_and_a_few_in_each_second()
    {
        var budget = new RetryBudget(new BudgetSpec(Percent: 20, MinPerSecond: 1), time);
        Assert.Equal(10, Taken(budget)); // The few alone.
        time.Advance(TimeSpan.FromSeconds(20));
        for (var request = 0; request < 500; request++) budget.Called(time.GetTimestamp());
        Assert.Equal(110, Taken(budget));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, Taken(budget));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(10, Taken(budget)); // All of it is forgotten.
        Assert.Equal(0, Taken(new RetryBudget(new BudgetSpec(0, 0), time)));
    }

    [Fact]
    public void Backoff_is_anything_up_to_a_bound_that_doubles()
    {
        var policy = RetryPolicy.Of(new RetrySpec(5, [503], BackoffMs: 100, MaxBackoffMs: 300))!; // Just given.
        var random = LongRun.Random();
        foreach (var (tried, most) in new[] { (1, 100), (2, 200), (3, 300), (4, 300) })
        {
            var waits = Enumerable.Range(0, 1_000)
                .Select(_ => policy.WaitAfter(tried, random).TotalMilliseconds).ToList();
            Assert.All(waits, wait => Assert.InRange(wait, 0, most));
            Assert.InRange(waits.Average(), most * 0.4, most * 0.6); // Full jitter.
        }
        Assert.True(policy.Retries(503));
        Assert.False(policy.Retries(502));
        Assert.False(policy.Retries(200));
        Assert.Equal(TimeSpan.Zero, RetryPolicy.Default.WaitAfter(1, random));
    }

    /// <summary>A service that works on ten at a time in 10 ms each; what comes beyond waits there.</summary>
    [Fact]
    public void Adaptive_limit_comes_close_to_what_a_service_bears_and_grows_again_with_it()
    {
        var limit = new AdaptiveLimit(new AdaptiveSpec(Initial: 100, Least: 2, Most: 500), time);
        Load(limit, 100, seconds: 5, bears: 200); // It answers in its usual time.
        var settled = Load(limit, 500, seconds: 60, bears: 10);
        Assert.InRange(settled, 8, 60);
        var grown = Load(limit, settled, seconds: 60, bears: 200);
        Assert.InRange(grown, 100, 500);
    }

    [Fact]
    public void Adaptive_limit_shrinks_where_calls_fail_and_stays_where_it_is_not_used()
    {
        var failing = new AdaptiveLimit(new AdaptiveSpec(Initial: 100, Least: 5), time);
        var now = 100;
        for (var call = 0; call < 200; call++)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            now = failing.Take(TimeSpan.FromSeconds(1), 50, overloaded: true) ?? now;
        }
        Assert.Equal(5, now);
        var idle = new AdaptiveLimit(new AdaptiveSpec(Initial: 100), time);
        for (var call = 0; call < 1_000; call++)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            Assert.Null(idle.Take(TimeSpan.FromMilliseconds(call), 3, overloaded: false));
        }
    }

    [Theory]
    [InlineData(700, 0, false, false, false)]
    [InlineData(701, 0, true, false, false)]
    [InlineData(901, 0, true, true, false)]
    [InlineData(1_001, 0, true, true, true)]
    [InlineData(1, 499, false, false, false)]
    [InlineData(1, 500, true, false, false)]
    [InlineData(1, 2_000, true, true, false)]
    public void Process_refuses_what_matters_least_first(
        int underWay, int waitMs, bool low, bool normal, bool critical)
    {
        Assert.Equal(
            (low, normal, critical),
            (Refuses(Importance.Low), Refuses(Importance.Normal), Refuses(Importance.Critical)));

        bool Refuses(Importance importance) => ProcessGuard.Refuses(
            importance, underWay, 1_000, TimeSpan.FromMilliseconds(waitMs), TimeSpan.FromMilliseconds(500));
    }

    private int Load(AdaptiveLimit limit, int from, int seconds, int bears)
    {
        var now = from;
        for (var tick = 0; tick < seconds * 100; tick++)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            // All of the limit is used; an answer takes 10 ms for itself and for those before it.
            var length = TimeSpan.FromMilliseconds(10 * Math.Max(1, (double)now / bears));
            for (var call = 0; call < 3; call++) now = limit.Take(length, now, overloaded: false) ?? now;
        }
        return now;
    }

    private static int Taken(RetryBudget budget)
    {
        var taken = 0;
        while (taken < 10_000 && budget.TryTake()) taken++;
        return taken;
    }
}
