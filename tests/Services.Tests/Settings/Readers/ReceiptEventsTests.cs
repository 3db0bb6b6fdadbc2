using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Readers;

public sealed class ReceiptEventsTests
{
    private const string Events = "/groundwork/v1/events?source=access&source=receipts";
    private const string OfA = """{"namespace":"default","group":"g","dataId":"a"}""";

    [Fact]
    public async Task Whoever_follows_hears_that_a_setting_was_sent_and_what_readers_say_of_it()
    {
        await using var open = await OpenSettings.StartAsync();
        var revision = await open.MustPublishAsync("g/a", "1");
        await using var stream = await SettingsStream.OpenAsync(open.Local, Events);
        Assert.Equal("access", (await stream.NextAsync()).Event);
        await open.SnapshotAsync("?group=g&instance=s/one&receipts=true");
        Assert.Equal(("receipt", OfA), await stream.NextAsync());
        // What the event tells of can be asked for by then.
        Assert.Equal(1, (await open.ReceiptsAsync("g/a")).Old);
        await open.MustReportAsync("one", new ReceiptDocument("g", "a", revision, "applied"));
        Assert.Equal(("receipt", OfA), await stream.NextAsync());
        Assert.Equal(1, (await open.ReceiptsAsync("g/a")).Applied);
    }

    [Fact]
    public async Task Nobody_hears_of_settings_that_it_may_not_read()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("h/hidden", "1");
        await open.MustPublishAsync("g/a", "1");
        using var client = open.Running.Client(await open.Running.MintAsync(
            "some", [], [new Grant(["read"], [SettingKind.Name], ["default"], ["g/*"])]));
        await using var stream = await SettingsStream.OpenAsync(client, Events);
        Assert.Equal("access", (await stream.NextAsync()).Event);
        await open.SnapshotAsync("?group=h&instance=s/one&receipts=true");
        await open.SnapshotAsync("?group=g&instance=s/one&receipts=true");
        Assert.Equal(("receipt", OfA), await stream.NextAsync());
    }
}
