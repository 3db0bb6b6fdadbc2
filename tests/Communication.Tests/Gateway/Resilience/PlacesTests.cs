using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Resilience;

public sealed class PlacesTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public async Task Requests_wait_for_a_place_in_order_and_those_beyond_the_queue_are_refused()
    {
        var places = new Places(1, 2, TimeSpan.FromSeconds(1), time);
        Assert.True(await places.EnterAsync(Importance.Normal));
        var second = places.EnterAsync(Importance.Normal).AsTask();
        var third = places.EnterAsync(Importance.Normal).AsTask();
        Assert.False(await places.EnterAsync(Importance.Normal));
        Assert.False(second.IsCompleted);
        places.Leave();
        Assert.True(await second);
        Assert.False(third.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await third); // Its time is over.
        Assert.Equal((1, 0), (places.UnderWay, places.Waiting));
        places.Leave();
        Assert.True(await places.EnterAsync(Importance.Low));
    }

    [Fact]
    public async Task Who_matters_more_goes_first_and_takes_the_place_of_who_matters_less_in_a_full_queue()
    {
        var places = new Places(1, 2, TimeSpan.FromSeconds(1), time);
        Assert.True(await places.EnterAsync(Importance.Low));
        var low = places.EnterAsync(Importance.Low).AsTask();
        var normal = places.EnterAsync(Importance.Normal).AsTask();
        Assert.False(await places.EnterAsync(Importance.Low));
        var critical = places.EnterAsync(Importance.Critical).AsTask();
        Assert.False(await low);
        places.Leave();
        Assert.True(await critical);
        Assert.False(normal.IsCompleted);
        places.Leave();
        Assert.True(await normal);
    }

    [Fact]
    public async Task A_higher_limit_lets_those_in_who_wait_and_a_lower_one_lets_in_nobody_before_enough_have_left()
    {
        var places = new Places(1, 10, TimeSpan.FromSeconds(1), time);
        Assert.True(await places.EnterAsync(Importance.Normal));
        var waiting = Enumerable.Range(0, 3).Select(_ => places.EnterAsync(Importance.Normal).AsTask()).ToList();
        places.Limit = 3;
        Assert.True(await waiting[0]);
        Assert.True(await waiting[1]);
        Assert.False(waiting[2].IsCompleted);
        places.Limit = 1;
        places.Leave();
        places.Leave();
        Assert.False(waiting[2].IsCompleted);
        places.Leave();
        Assert.True(await waiting[2]);
    }

    [Fact]
    public async Task Never_more_are_under_way_than_may_be_and_none_is_lost()
    {
        var places = new Places(5, 1_000, TimeSpan.FromMinutes(1), TimeProvider.System);
        var (inside, most, done) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(number => Task.Run(async () =>
        {
            if (!await places.EnterAsync((Importance)(number % Importances.Count))) return;
            var now = Interlocked.Increment(ref inside);
            InterlockedMax(ref most, now);
            await Task.Yield();
            Interlocked.Decrement(ref inside);
            places.Leave();
            Interlocked.Increment(ref done);
        })));
        Assert.Equal(200, done);
        Assert.InRange(most, 1, 5);
        Assert.Equal((0, 0), (places.UnderWay, places.Waiting));
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); seen < value;)
        {
            var before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen) return;
            seen = before;
        }
    }
}
