using System.Globalization;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Protocols.Nacos;
using Groundwork.Services.Settings.Releases;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Protocols.Nacos;

public sealed class NacosListenerTests
{
    private const string Changed = "a.txt%02DEFAULT_GROUP%01";

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private static string[] Missing => ["a.txt", "DEFAULT_GROUP", ""];

    [Fact]
    public async Task A_poll_is_answered_at_once_when_the_client_has_another_text()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        await open.MustPublishAsync("a.txt", "one");
        Assert.Equal((200, Changed), await open.ListenAsync([Missing]).WaitAsync(Soon, TimeProvider.System));
        // The tenant as it was sent, and only what has changed.
        string[] same = ["a.txt", "DEFAULT_GROUP", NacosSettings.HashOf("one"), "public"];
        string[] none = ["b.txt", "DEFAULT_GROUP", "ffff", "public"];
        Assert.Equal(
            (200, "b.txt%02DEFAULT_GROUP%02public%01"),
            await open.ListenAsync([same, none]).WaitAsync(Soon, TimeProvider.System));
    }

    [Fact]
    public async Task A_poll_waits_until_what_it_names_changes_and_for_nothing_else()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        await open.MustPublishAsync("a.txt", "one");
        string[] has = ["a.txt", "DEFAULT_GROUP", NacosSettings.HashOf("one")];
        var poll = open.ListenAsync([has]);
        await ParkedAsync(open, 1);
        await open.MustPublishAsync("b.txt", "other");
        await open.Settings.PutAsync("shop/a.txt", new SettingSpec("text", "another group's"));
        Assert.False(poll.IsCompleted);
        await open.MustPublishAsync("a.txt", "two");
        Assert.Equal((200, Changed), await poll.WaitAsync(Soon, TimeProvider.System));
        // What is deleted is changed, too; and none is what the client has then.
        string[] two = ["a.txt", "DEFAULT_GROUP", NacosSettings.HashOf("two")];
        poll = open.ListenAsync([two]);
        await ParkedAsync(open, 1);
        await open.SendAsync("DELETE", "v1/cs/configs", "dataId=a.txt");
        Assert.Equal((200, Changed), await poll.WaitAsync(Soon, TimeProvider.System));
        poll = open.ListenAsync([Missing]);
        await ParkedAsync(open, 1);
        await open.MustPublishAsync("a.txt", "three");
        Assert.Equal((200, Changed), await poll.WaitAsync(Soon, TimeProvider.System));
    }

    [Fact]
    public async Task A_gray_release_wakes_whom_it_is_for_when_it_comes_changes_and_goes()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        await open.MustPublishAsync("a.txt", "own");
        await ChangesAsync(open, "own", "beta");
        await ChangesAsync(open, "beta", "two");
        await ChangesAsync(open, "two", null);
    }

    [Fact]
    public async Task A_poll_without_patience_and_one_whose_time_is_up_are_answered_with_nothing()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        const string Query = "Listening-Configs=a.txt%02DEFAULT_GROUP%02%01";
        Assert.Equal((200, ""), await open.SendAsync("POST", "v1/cs/configs/listener", Query)
            .WaitAsync(Soon, TimeProvider.System));
        Assert.Equal((200, ""), await open.SendAsync(
            "POST", "v1/cs/configs/listener", Query, headers:
            [("Long-Pulling-Timeout", "30000"), ("Long-Pulling-Timeout-No-Hangup", "true")])
            .WaitAsync(Soon, TimeProvider.System));
        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal((200, ""), await open.ListenAsync([Missing], seconds: 1));
        Assert.True(TimeProvider.System.GetElapsedTime(started) > NacosConfigLimits.MinHold - TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData("30000", 29.5)]
    [InlineData("1000", 10)]
    [InlineData("-1", 0)]
    [InlineData("soon", 0)]
    [InlineData("2147483647", 60)]
    public void A_poll_is_held_a_little_less_than_its_client_waits(string header, double seconds)
    {
        var request = new Microsoft.AspNetCore.Http.DefaultHttpContext().Request;
        request.Headers["Long-Pulling-Timeout"] = header;
        Assert.Equal(TimeSpan.FromSeconds(seconds), NacosListener.HoldOf(request));
    }

    [Fact]
    public void A_poll_names_at_most_ten_thousand_configurations()
    {
        static string Records(int count) => string.Concat(Enumerable.Range(0, count)
            .Select(at => FormattableString.Invariant($"d{at}\u0002g\u0002\u0001")));
        Assert.Equal(
            NacosConfigLimits.MaxKeysPerPoll,
            NacosListener.ReadKeys(Records(NacosConfigLimits.MaxKeysPerPoll)).Value.Length);
        Assert.False(NacosListener.ReadKeys(Records(NacosConfigLimits.MaxKeysPerPoll + 1)).Succeeded);
    }

    [Fact]
    public async Task Polls_that_wait_are_answered_when_the_node_drains()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        var poll = open.ListenAsync([Missing]);
        await ParkedAsync(open, 1);
        await open.Settings.Running.StopAsync();
        Assert.Equal((200, ""), await poll.WaitAsync(Soon, TimeProvider.System));
    }

    [Fact]
    public async Task Many_polls_hear_of_one_change_and_none_stays_behind()
    {
        var count = LongRun.Count(100, 2_000);
        await using var open = await OpenNacosConfigs.StartAsync();
        await open.MustPublishAsync("a.txt", "one");
        string[] has = ["a.txt", "DEFAULT_GROUP", NacosSettings.HashOf("one")];
        var polls = Enumerable.Range(0, count).Select(_ => open.ListenAsync([has])).ToArray();
        await ParkedAsync(open, count);
        await open.MustPublishAsync("a.txt", "two");
        var answers = await Task.WhenAll(polls).WaitAsync(Eventually.Patience, TimeProvider.System);
        Assert.All(answers, answer => Assert.Equal((200, Changed), answer));
        await ParkedAsync(open, 0);
    }

    [Fact]
    public async Task A_client_that_hangs_up_leaves_nothing_behind()
    {
        await using var open = await OpenNacosConfigs.StartAsync();
        using (var gone = open.Settings.Running.Client(
            await open.Settings.Running.MintAsync("gone", [BuiltInRoles.Administrator])))
        {
            var poll = open.ListenAsync([Missing], client: gone);
            await ParkedAsync(open, 1);
            gone.CancelPendingRequests();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => poll);
        }
        await ParkedAsync(open, 0);
    }

    private static async Task ChangesAsync(OpenNacosConfigs open, string before, string? after)
    {
        var poll = open.ListenAsync([["a.txt", "DEFAULT_GROUP", NacosSettings.HashOf(before)]]);
        await ParkedAsync(open, 1);
        // One of other readers wakes this one needlessly, and it goes on waiting.
        await open.Settings.CommitAsync(Kernel.Resources.Change.Put(
            GrayReleaseKind.Kind, "default", "others",
            new GrayReleaseSpec("default/a.txt", before + after, new GrayReceivers(["nacos/10.0.0.7"]))));
        Assert.False(poll.IsCompleted);
        if (after is not null) await open.PublishAsync("a.txt", after, headers: ("betaIps", "127.0.0.1"));
        else await open.SendAsync("DELETE", "v1/cs/configs", "dataId=a.txt&beta=true");
        Assert.Equal((200, Changed), await poll.WaitAsync(Soon, TimeProvider.System));
    }

    /// <summary>Waits until so many polls wait.</summary>
    private static Task ParkedAsync(OpenNacosConfigs open, int count)
    {
        var wanted = string.Create(CultureInfo.InvariantCulture, $"\ngroundwork_nacos_parked_polls {count}\n");
        return Eventually.TrueAsync(
            async () => (await open.Settings.Local.GetStringAsync("/metrics"))
                .Contains(wanted, StringComparison.Ordinal),
            string.Create(CultureInfo.InvariantCulture, $"{count} polls wait"));
    }
}
