using Groundwork.Load;

namespace Groundwork.Support.Tests;

/// <summary>The arithmetic behind the figures of bench/load.</summary>
public sealed class LoadTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.99)]
    [InlineData(1)]
    public void A_percentile_is_within_a_bucket_of_the_exact_one(double part)
    {
        var random = Groundwork.Tests.Support.LongRun.Random();
        var exact = Enumerable.Range(0, 10_000).Select(_ => (long)Math.Exp(random.NextDouble() * 20)).Order().ToList();
        var histogram = new LatencyHistogram();
        foreach (var ticks in exact) histogram.Add(TimeSpan.FromTicks(ticks));

        double expected = exact[(int)Math.Ceiling(part * exact.Count) - 1];
        Assert.InRange(histogram.Percentile(part).Ticks, expected, expected * 1.033 + 1);
    }

    [Fact]
    public void Histograms_add_up()
    {
        var one = new LatencyHistogram();
        var other = new LatencyHistogram();
        one.Add(TimeSpan.FromTicks(10));
        other.Add(TimeSpan.FromTicks(30));
        one.Add(other);

        Assert.Equal(2, one.Count);
        Assert.Equal(10, one.Percentile(0.5).Ticks);
        Assert.Equal(30, one.Percentile(1).Ticks);
    }

    [Fact]
    public void The_median_of_an_even_number_lies_between_the_two_in_the_middle()
    {
        var samples = new[] { 40, 10, 20, 90 }.Select(seconds =>
            new Sample(TimeSpan.FromSeconds(seconds), null, TimeSpan.Zero, 0, new LatencyHistogram()));
        Assert.Equal(30, Report.Median(samples, sample => sample.Took.TotalSeconds));
    }

    [Theory]
    [InlineData("rounds", "rounds is not of the form name=number")]
    [InlineData("rounds=0", "rounds is between 1 and 100")]
    [InlineData("workers=10001", "workers is between 1 and 10000")]
    [InlineData("speed=1", "speed is not one of rounds, seconds, workers, warmup, only")]
    [InlineData("seconds=-1", "seconds=-1 is not of the form name=number")]
    public void A_wrong_option_is_named(string argument, string expected)
    {
        Assert.False(LoadOptions.TryParse([argument], out _, out var fault));
        Assert.Equal(expected, fault);
    }
}
