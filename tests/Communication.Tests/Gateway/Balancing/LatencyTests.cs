using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Balancing;

public sealed class LatencyTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public void A_slow_answer_counts_at_once_and_quick_ones_bring_it_down_in_time()
    {
        var latency = new Latency(time);
        Assert.Equal(0, latency.At(time.GetTimestamp()));
        latency.Took(TimeSpan.FromMilliseconds(10), time.GetTimestamp());
        Assert.Equal(10, Milliseconds(latency));
        latency.Took(TimeSpan.FromMilliseconds(500), time.GetTimestamp());
        Assert.Equal(500, Milliseconds(latency));
        latency.Took(TimeSpan.FromMilliseconds(10), time.GetTimestamp());
        Assert.Equal(500, Milliseconds(latency)); // At the same moment nothing is older than anything.
        for (var second = 0; second < 30; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            latency.Took(TimeSpan.FromMilliseconds(10), time.GetTimestamp());
        }
        Assert.InRange(Milliseconds(latency), 10, 40);
    }

    [Fact]
    public void One_that_nobody_calls_is_forgiven()
    {
        var latency = new Latency(time);
        latency.Took(TimeSpan.FromSeconds(5), time.GetTimestamp());
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.InRange(Milliseconds(latency), 0, 20);
    }

    private double Milliseconds(Latency latency) =>
        Math.Round(latency.At(time.GetTimestamp()) / TimeSpan.TicksPerMillisecond);
}
