using Groundwork.Communication.Gateway.Limits;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Limits;

/// <summary>The ways to count, against what they promise, with random arrivals.</summary>
public sealed class LimiterTests
{
    private static readonly long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void Bucket_never_passes_more_than_burst_and_rate_and_refuses_only_then()
    {
        var random = LongRun.Random();
        for (var round = 0; round < LongRun.Count(200, 20_000); round++)
        {
            var shape = Shape(random.Next(1, 50), random.Next(1, 5), burst: random.Next(1, 40));
            var bucket = new TokenBucket();
            var passed = new List<long>();
            var now = random.NextInt64(1_000 * Second);
            for (var request = 0; request < 200; request++)
            {
                now += random.Next(4) == 0 ? random.NextInt64(2 * Second) : random.NextInt64(Second / 20);
                var verdict = bucket.Take(shape, now, 1);
                if (verdict.Passes)
                {
                    passed.Add(now);
                    // The oracle: between any two that passed there is never more than the burst and the rate.
                    for (var first = 0; first < passed.Count; first++)
                        Assert.True(
                            passed.Count - first
                            <= shape.Burst + ((double)(now - passed[first]) * shape.Requests / shape.Period) + 1e-4);
                    continue;
                }
                Assert.Equal(0, verdict.Remaining);
                Assert.InRange(verdict.Wait, 1, shape.Period);
                // One who waits as long as told passes; one who waits a little less does not.
                Assert.False(Copy(shape, passed).Take(shape, now + verdict.Wait - (verdict.Wait / 100) - 2, 1).Passes);
                Assert.True(Copy(shape, passed).Take(shape, now + verdict.Wait, 1).Passes);
            }
        }
    }

    [Fact]
    public void Window_never_has_more_than_the_limit_and_refuses_only_when_a_tenth_more_time_has()
    {
        var random = LongRun.Random();
        for (var round = 0; round < LongRun.Count(200, 20_000); round++)
        {
            var shape = Shape(random.Next(1, 30), random.Next(1, 5));
            var window = new SlidingWindow();
            var passed = new List<long>();
            var now = random.NextInt64(1_000 * Second);
            for (var request = 0; request < 200; request++)
            {
                now += random.Next(4) == 0 ? random.NextInt64(2 * Second) : random.NextInt64(Second / 10);
                var verdict = window.Take(shape, now, 1);
                if (verdict.Passes)
                {
                    passed.Add(now);
                    Assert.True(passed.Count(at => at > now - shape.Period) <= shape.Requests);
                    continue;
                }
                var longer = shape.Period + (shape.Period / SlidingWindow.Slices);
                Assert.True(passed.Count(at => at > now - longer) >= shape.Requests);
                Assert.InRange(verdict.Wait, 1, longer);
            }
        }
    }

    [Fact]
    public void Window_has_room_again_when_it_said()
    {
        var shape = Shape(3, 1);
        var window = new SlidingWindow();
        for (var request = 0; request < 3; request++) Assert.True(window.Take(shape, request * Second / 5, 1).Passes);
        var refused = window.Take(shape, Second / 2, 1);
        Assert.False(refused.Passes);
        Assert.False(window.Take(shape, (Second / 2) + refused.Wait - 1, 1).Passes);
        Assert.True(window.Take(shape, (Second / 2) + refused.Wait, 1).Passes);
        Assert.False(window.Take(shape, (Second / 2) + refused.Wait, 1).Passes);
    }

    [Fact]
    public void Pace_spaces_requests_evenly_and_refuses_those_whose_turn_is_too_far_off()
    {
        var shape = Shape(10, 1) with { MaxWait = Second / 4 };
        var pace = new EvenPace();
        var waits = Enumerable.Range(0, 5).Select(_ => pace.Take(shape, 0, 1)).ToList();
        Assert.Equal([0, Second / 10, Second / 5], waits.Where(one => one.Passes).Select(one => one.Wait));
        Assert.False(waits[3].Passes);
        Assert.Equal(Second / 20, waits[3].Wait); // Then its turn is as far off as may be.
        Assert.True(pace.Take(shape, Second / 20, 1).Passes);
        Assert.True(pace.IsIdle(shape, Second));
    }

    [Fact]
    public void Places_are_given_back()
    {
        var shape = Shape(2, 1);
        var places = new AtOnce();
        Assert.True(places.Take(shape, 0, 1).Passes);
        Assert.True(places.Take(shape, 0, 1).Passes);
        Assert.False(places.Take(shape, 0, 1).Passes);
        places.Return();
        Assert.True(places.Take(shape, 0, 1).Passes);
        Assert.False(places.IsIdle(shape, 0));
    }

    [Fact]
    public void One_who_comes_after_a_pause_gets_a_third_and_then_more()
    {
        var shape = Shape(90, 1, burst: 90) with { WarmUp = 10 * Second };
        var bucket = new TokenBucket();
        var early = Passed(bucket, shape, 0, 3 * Second);
        var late = Passed(bucket, shape, 12 * Second, 3 * Second);
        Assert.InRange(early, 90, 170); // 30 at once, and 30 to 48 in each second.
        Assert.InRange(late, 270, 361); // 90 at once at most, and 90 in each second.
        var cold = Passed(bucket, shape, 40 * Second, 3 * Second);
        Assert.InRange(cold, 90, 170);
    }

    [Fact]
    public void What_others_use_is_paid_back_before_anybody_passes()
    {
        var shape = Shape(10, 1, burst: 10);
        var bucket = new TokenBucket();
        Assert.True(bucket.Take(shape, 0, 1).Passes);
        bucket.Charge(shape, 0, 19); // 10 more than there were.
        Assert.False(bucket.Take(shape, Second, 1).Passes);
        Assert.True(bucket.Take(shape, Second * 11 / 10, 1).Passes);
        bucket.Charge(shape, Second * 2, 1_000_000); // For no longer than ten seconds.
        Assert.True(bucket.Take(shape, Second * 13, 1).Passes);
    }

    [Fact]
    public void Who_only_looks_sees_what_the_last_verdict_said_and_changes_nothing()
    {
        var random = LongRun.Random();
        Func<ILimiter>[] ways =
            [() => new TokenBucket(), () => new SlidingWindow(), () => new EvenPace(), () => new AtOnce()];
        foreach (var make in ways)
        {
            var shape = Shape(5, 1, burst: 5) with
            {
                MaxWait = Second / 2, WarmUp = random.Next(2) * 3 * Second,
            };
            var (looked, alone) = (make(), make());
            Assert.True(looked.Look(shape, 0).Remaining > 0);
            var now = 0L;
            for (var request = 0; request < 500; request++)
            {
                now += random.Next(8) == 0 ? 5 * Second : random.NextInt64(Second / 4);
                for (var look = 0; look < 3; look++) looked.Look(shape, now - (2 - look));
                var verdict = looked.Take(shape, now, 1);
                Assert.Equal(alone.Take(shape, now, 1), verdict);
                var room = looked.Look(shape, now);
                if (verdict.Passes) Assert.Equal(verdict.Remaining, room.Remaining);
                else Assert.Equal(0, room.Remaining);
            }
        }
    }

    private static int Passed(TokenBucket bucket, LimitShape shape, long from, long length)
    {
        var passed = 0;
        for (var now = from; now < from + length; now += Second / 1_000)
            if (bucket.Take(shape, now, 1).Passes) passed++;
        return passed;
    }

    private static TokenBucket Copy(LimitShape shape, List<long> passed)
    {
        var bucket = new TokenBucket();
        foreach (var at in passed) Assert.True(bucket.Take(shape, at, 1).Passes);
        return bucket;
    }

    private static LimitShape Shape(int requests, int seconds, int burst = 1) =>
        new(requests, seconds * Second, burst, 0, 0);
}
