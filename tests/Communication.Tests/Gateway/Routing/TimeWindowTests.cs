using System.Globalization;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Tests.Gateway.Routing;

public sealed class TimeWindowTests
{
    // In 2026 Berlin turns its clocks on 29 March (02:00 to 03:00) and on 25 October (03:00 to 02:00).
    [Theory]
    [InlineData(null, "09:00", "17:00", "2026-11-20T08:00:00Z", true)] // 09:00 there in winter.
    [InlineData(null, "09:00", "17:00", "2026-07-20T08:00:00Z", true)] // 10:00 in summer.
    [InlineData(null, "09:00", "17:00", "2026-07-20T06:59:59Z", false)]
    [InlineData(null, "09:00", "17:00", "2026-11-20T16:00:00Z", false)]
    [InlineData("fri", null, null, "2026-11-20T12:00:00Z", true)]
    [InlineData("fri", null, null, "2026-11-19T23:30:00Z", true)] // Friday there already.
    [InlineData("fri", null, null, "2026-11-20T23:30:00Z", false)]
    [InlineData("fri", "22:00", "06:00", "2026-11-20T23:30:00Z", true)] // Saturday, and it began on Friday.
    [InlineData("fri", "22:00", "06:00", "2026-11-20T04:30:00Z", false)]
    [InlineData("fri", "22:00", "06:00", "2026-11-21T21:30:00Z", false)]
    [InlineData(null, "02:30", "02:45", "2026-03-29T00:59:00Z", false)] // 01:59, then 03:00: the time does not come.
    [InlineData(null, "02:30", "02:45", "2026-03-29T01:00:00Z", false)]
    [InlineData(null, "02:30", "02:45", "2026-10-25T00:35:00Z", true)] // It comes twice.
    [InlineData(null, "02:30", "02:45", "2026-10-25T01:35:00Z", true)]
    public void A_window_follows_the_clocks_of_its_place(
        string? days, string? from, string? to, string at, bool holds) =>
        Assert.Equal(holds, Holds(new TimeMatch("Europe/Berlin", days?.Split(','), from, to), at));

    [Theory]
    [InlineData("2026-12-24T16:59:59Z", false)]
    [InlineData("2026-12-24T17:00:00Z", true)]
    [InlineData("2026-12-26T22:59:59Z", true)]
    [InlineData("2026-12-26T23:00:00Z", false)]
    public void A_window_begins_and_ends(string at, bool holds) =>
        Assert.Equal(holds, Holds(
            new TimeMatch("Europe/Berlin", Begins: "2026-12-24T18:00", Ends: "2026-12-27T00:00"), at));

    private static bool Holds(TimeMatch spec, string at)
    {
        Assert.True(TimeWindow.TryCompile(spec, out var window));
        return window.Holds(DateTimeOffset.Parse(at, CultureInfo.InvariantCulture));
    }
}
