using Groundwork.Communication.Gateway.Balancing;

namespace Groundwork.Communication.Tests.Gateway.Balancing;

public sealed class SmoothScheduleTests
{
    [Fact]
    public void Three_two_one_gives_exactly_300_200_100_of_600()
    {
        var schedule = SmoothSchedule.Of([3, 2, 1]);
        Assert.Equal([300, 200, 100], Count(schedule, 3, 600));
    }

    [Fact]
    public void Turns_are_spread_and_not_in_a_row()
    {
        var schedule = SmoothSchedule.Of([500, 100, 100]);
        Assert.Equal("0010200", string.Concat(Enumerable.Range(0, 7).Select(_ => schedule.Next())));
    }

    [Theory]
    [InlineData(100, 100, 2)]
    [InlineData(10_000, 1, 10_001)]
    [InlineData(7, 3, 10)]
    public void A_round_is_as_short_as_the_weights_allow(int one, int other, int length) =>
        Assert.Equal(length, SmoothSchedule.Of([one, other]).Length);

    [Fact]
    public void Weights_that_would_make_a_long_round_are_made_coarser()
    {
        var weights = Enumerable.Range(0, 200).Select(index => 9_000 + index * 5 % 997).ToArray();
        var schedule = SmoothSchedule.Of(weights);
        Assert.InRange(schedule.Length, 1, SmoothSchedule.MaxTurns + weights.Length);
        var counts = Count(schedule, weights.Length, schedule.Length);
        for (var index = 0; index < weights.Length; index++)
            Assert.InRange(counts[index] * (double)weights.Sum() / weights[index] / schedule.Length, 0.98, 1.02);
    }

    [Fact]
    public void Turns_taken_at_once_are_each_taken_once()
    {
        var schedule = SmoothSchedule.Of([3, 2, 1]);
        var counts = new int[3];
        Parallel.For(0, 60_000, _ => Interlocked.Increment(ref counts[schedule.Next()]));
        Assert.Equal([30_000, 20_000, 10_000], counts);
    }

    private static int[] Count(SmoothSchedule schedule, int instances, int turns)
    {
        var counts = new int[instances];
        for (var turn = 0; turn < turns; turn++) counts[schedule.Next()]++;
        return counts;
    }
}
