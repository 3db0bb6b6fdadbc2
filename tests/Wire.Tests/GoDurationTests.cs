namespace Groundwork.Wire.Tests;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("10s", 10_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("250ms", 250)]
    [InlineData("2us", 0.002)]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    [InlineData("100ns", 0.0001)]
    [InlineData("1s.5s", 1_500)]
    [InlineData("1000µs", 1)]
    public void Spans_are_read_as_go_reads_them(string text, double milliseconds) =>
        Assert.Equal(milliseconds, GoDuration.Parse(text)?.TotalMilliseconds);

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1s ")]
    [InlineData("1x")]
    [InlineData("1.2.3s")]
    [InlineData("1..5s")]
    [InlineData("1d")]
    [InlineData("99999999999999999999999999h")]
    [InlineData("1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s1s")]
    [InlineData(null)]
    public void What_is_no_span_is_none(string? text) => Assert.Null(GoDuration.Parse(text));

    [Theory]
    [InlineData(90_000, "1m30s")]
    [InlineData(1_500, "1.5s")]
    [InlineData(3_600_000, "1h0m0s")]
    [InlineData(250, "250ms")]
    [InlineData(0, "0s")]
    [InlineData(86_400_000, "24h0m0s")]
    public void Spans_are_written_as_go_writes_them(double milliseconds, string text)
    {
        Assert.Equal(text, GoDuration.Write(TimeSpan.FromMilliseconds(milliseconds)));
        Assert.Equal(milliseconds, GoDuration.Parse(text)?.TotalMilliseconds);
    }
}
