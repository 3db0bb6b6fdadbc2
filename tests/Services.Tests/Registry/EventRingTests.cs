using Groundwork.Services.Registry;

namespace Groundwork.Services.Tests.Registry;

public sealed class EventRingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(16)]
    [InlineData(100)]
    public void Keeps_the_newest_in_order(int events)
    {
        var one = new EventRing(8, LeasedRegistry.Orders);
        var all = new EventRing(8);
        for (var at = 1; at <= events; at++)
        {
            var happened = new RegistryEvent(
                at, at, RegistryEventKind.Updated, LeasedRegistry.Orders, $"i{at}", "changed", "test");
            one.Add(happened);
            all.Add(happened);
        }
        var expected = Enumerable.Range(0, Math.Min(8, events)).Select(back => (long)events - back);
        Assert.Equal(expected, one.Newest().Select(happened => happened.Index));
        Assert.Equal(one.Newest(), all.Newest());
    }
}
