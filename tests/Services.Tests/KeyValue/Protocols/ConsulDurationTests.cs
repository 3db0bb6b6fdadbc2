using System.Globalization;
using Groundwork.Services.KeyValue.Protocols.Consul;

namespace Groundwork.Services.Tests.KeyValue.Protocols;

public sealed class ConsulDurationTests
{
    [Theory]
    [InlineData("10s", 10_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("250ms", 250)]
    [InlineData("1000us", 1)]
    [InlineData("1000000ns", 1)]
    [InlineData("0", 0)]
    public void Go_durations_are_read(string text, double milliseconds)
    {
        Assert.True(ConsulDuration.TryParse(text, out var duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1d")]
    [InlineData("1..5s")]
    [InlineData("99999999999999999999999999h")]
    public void Others_are_not(string text) => Assert.False(ConsulDuration.TryParse(text, out _));

    [Theory]
    [InlineData(10, "10s")]
    [InlineData(90, "1m30s")]
    [InlineData(86_400, "24h0m0s")]
    [InlineData(0.25, "0.25s")]
    public void What_is_written_is_read_again(double seconds, string text)
    {
        Assert.Equal(text, ConsulDuration.Format(TimeSpan.FromSeconds(seconds)));
        Assert.True(ConsulDuration.TryParse(text, out var read));
        Assert.Equal(seconds.ToString(CultureInfo.InvariantCulture), read.TotalSeconds.ToString(
            CultureInfo.InvariantCulture));
    }
}
