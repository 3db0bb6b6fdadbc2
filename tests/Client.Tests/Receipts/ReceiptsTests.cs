using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Groundwork.Client.Tests.Receipts;

/// <summary>Who a reader says it is, and what it says became of its settings, over a real connection.</summary>
public sealed class ReceiptsTests : IAsyncLifetime
{
    private PlatformStub platform = null!; // Set before every test.

    public async ValueTask InitializeAsync() => platform = await PlatformStub.StartAsync();

    public ValueTask DisposeAsync() => platform.DisposeAsync();

    [Fact]
    public async Task A_reader_with_an_id_names_itself_from_its_first_read()
    {
        await using var host = await ClientHost.StartAsync(platform.Address, configure: options =>
        {
            options.InstanceId = "o-1";
            options.Zone = "eu";
            options.Version = "1.2";
            options.Labels = new Dictionary<string, string> { ["plan"] = "gold & more" };
            options.Metadata = new Dictionary<string, string> { ["team"] = "a", ["plan"] = "b", ["not a name"] = "c" };
        });
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        const string Who = "&instance=orders%2Fo-1&label=plan%3Dgold%20%26%20more&label=team%3Da&label=version%3D1.2"
            + "&label=zone%3Deu&receipts=true";
        Assert.Equal(
            [
                "GET /settings/default?group=shared&group=orders" + Who,
                "GET /settings/default/watch?group=shared&group=orders&after=10" + Who,
            ],
            platform.Calls.Where(call => call.StartsWith("GET /settings/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_reader_without_an_id_has_the_registrys_once_its_server_listens()
    {
        await using var host = await ClientHost.StartAsync(
            platform.Address, configure: options => options.Group = "blue");
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        var reads = platform.Calls.Where(call => call.StartsWith("GET /settings/", StringComparison.Ordinal)).ToList();
        Assert.DoesNotContain("instance=", reads[0], StringComparison.Ordinal);
        Assert.Contains($"&instance=blue%40%40orders%2F127.0.0.1%3A{host.Port}&", reads[^1], StringComparison.Ordinal);
        Assert.Contains("/watch?", reads[^1], StringComparison.Ordinal);
        Assert.Equal(3, reads.Count);
    }

    [Fact]
    public async Task A_publication_that_is_taken_over_is_applied()
    {
        platform.Releases["main"] = "spring";
        platform.Publish(("orders", "main", "json", """{"Key":"1"}"""), ("orders", "old", "json", "{}"));
        await using var host = await ClientHost.StartAsync(platform.Address);

        await SaysAsync("main", 11, "applied", release: "spring");
        platform.Publish(("orders", "main", "json", """{"Key":"2"}"""), ("orders", "old", "json", null));
        await SaysAsync("main", 12, "applied", release: "spring");
        await SaysAsync("old", 12, "applied");
        Assert.All(platform.Receipts, batch => Assert.Equal(
            ("orders", $"127.0.0.1:{host.Port}"), (batch.Service, batch.Instance)));
    }

    [Fact]
    public async Task A_text_that_cannot_be_read_is_rejected_and_alone()
    {
        platform.Publish(("orders", "a", "json", "{}"), ("orders", "b", "json", "{}"));
        await using var host = await ClientHost.StartAsync(platform.Address);
        await SaysAsync("a", 11, "applied");

        platform.Publish(("orders", "a", "json", """{"A":1,"a":2}"""), ("orders", "b", "json", """{"B":1}"""));

        var rejected = await SaysAsync("a", 12, "rejected");
        Assert.Equal("orders/a: key 'a' stands twice (case does not count)", rejected.Error);
        await SaysAsync("b", 12, "applied");
        platform.Publish(("orders", "a", "json", """{"A":1}"""));
        await SaysAsync("a", 13, "applied");
    }

    [Fact]
    public async Task Options_that_do_not_validate_reject_the_settings_that_they_read_and_that_changed()
    {
        platform.Publish(
            ("orders", "other", "json", """{"Other":"1"}"""),
            ("orders", "front", "json", """{"Front":{"Percent":1}}"""),
            ("orders", "name", "json", """{"Front":{"Name":"a"}}"""));
        await using var host = await StartWithFrontAsync();
        var monitor = host.App.Services.GetRequiredService<IOptionsMonitor<Front>>();
        Assert.Equal(1, monitor.CurrentValue.Percent);

        platform.Publish(
            ("orders", "front", "json", """{"Front":{"Percent":99}}"""), ("orders", "other", "json", "{}"));
        var rejected = await SaysAsync("front", 12, "rejected");
        Assert.Equal("Front: 0 to 90", rejected.Error);
        await SaysAsync("other", 12, "applied");
        await SaysAsync("name", 11, "applied");

        // Another setting of the same options changes, and the complaint is still about the first.
        platform.Publish(("orders", "name", "json", """{"Front":{"Name":"b"}}"""));
        await SaysAsync("name", 13, "applied");
        Assert.Equal("rejected", Last("front")?.State);
        Assert.Equal(1, monitor.CurrentValue.Percent);

        platform.Publish(("orders", "front", "json", """{"Front":{"Percent":2}}"""));
        await SaysAsync("front", 14, "applied");
        Assert.Equal("b", monitor.CurrentValue.Name);
    }

    [Fact]
    public async Task A_setting_whose_removal_breaks_the_options_is_rejected_as_gone()
    {
        platform.Publish(("orders", "front", "json", """{"Front":{"Percent":1}}"""));
        await using var host = await StartWithFrontAsync(least: 1);
        Assert.Equal(1, host.App.Services.GetRequiredService<IOptionsMonitor<Front>>().CurrentValue.Percent);
        await SaysAsync("front", 11, "applied");

        platform.Publish(("orders", "front", "json", null));

        await SaysAsync("front", 12, "rejected");
    }

    [Fact]
    public async Task A_listener_that_throws_rejects_what_was_published()
    {
        platform.Publish(("orders", "front", "json", """{"Front":{"Percent":1}}"""));
        await using var host = await StartWithFrontAsync();
        var monitor = host.App.Services.GetRequiredService<IOptionsMonitor<Front>>();
        using var listening = monitor.OnChange(_ => throw new InvalidOperationException("no such theme"));

        platform.Publish(("orders", "front", "json", """{"Front":{"Percent":2}}"""));

        var rejected = await SaysAsync("front", 12, "rejected");
        Assert.Equal(
            "a listener of the configuration: InvalidOperationException: no such theme", rejected.Error);
    }

    [Fact]
    public async Task Policies_of_calls_with_a_fault_are_rejected_with_their_keys()
    {
        platform.Publish(("orders", "other", "json", """{"Other":1}"""));
        await using var host = await ClientHost.StartAsync(platform.Address);

        platform.Publish(
            ("orders", "calls", "json", """{"Groundwork":{"Calls":{"catalog":{"Retri":{"Max":1}}}}}"""),
            ("orders", "other", "json", """{"Other":2}"""));

        var rejected = await SaysAsync("calls", 12, "rejected");
        Assert.Contains("Groundwork:Calls:catalog:Retri:Max", rejected.Error, StringComparison.Ordinal);
        await SaysAsync("other", 12, "applied");
        platform.Publish(("orders", "calls", "json", """{"Groundwork":{"Calls":{"catalog":{"Retry":{"Max":1}}}}}"""));
        await SaysAsync("calls", 13, "applied");
    }

    [Fact]
    public async Task Errors_have_no_words_of_a_secret()
    {
        platform.Secrets.UnionWith(["secret", "broken"]);
        platform.Publish(
            ("orders", "secret", "json", """{"Front":{"Name":"a"}}"""),
            ("orders", "public", "json", """{"Front":{"Percent":1}}"""), ("orders", "broken", "json", "{}"));
        await using var host = await StartWithFrontAsync();
        Assert.Equal(1, host.App.Services.GetRequiredService<IOptionsMonitor<Front>>().CurrentValue.Percent);

        platform.Publish(
            ("orders", "secret", "json", """{"Front":{"Name":"x","Number":"hunter2"}}"""),
            ("orders", "broken", "yaml", "a: 1\nhunter2: [*hunter2]"));

        var rejected = await SaysAsync("secret", 12, "rejected");
        Assert.Equal("Front: what is wrong is left out, because a secret setting was read", rejected.Error);
        var broken = await SaysAsync("broken", 12, "rejected");
        Assert.Equal("orders/broken: its text cannot be read", broken.Error?[..38]);
        platform.Publish(("orders", "public", "json", """{"Front":{"Percent":"hunter2"}}"""));
        await SaysAsync("public", 13, "applied");
        Assert.DoesNotContain(platform.Bodies, body => body.Contains("hunter2", StringComparison.Ordinal));
        Assert.DoesNotContain(host.Log.Lines, line => line.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_long_error_is_cut_and_stands_in_one_line()
    {
        platform.Publish(("orders", "front", "json", """{"Front":{"Percent":1}}"""));
        await using var host = await StartWithFrontAsync();
        Assert.Equal(1, host.App.Services.GetRequiredService<IOptionsMonitor<Front>>().CurrentValue.Percent);
        var text = new string('x', 2000) + "\\n";

        platform.Publish(("orders", "front", "json", $$$"""{"Front":{"Number":"\n{{{text}}}"}}"""));

        var rejected = await SaysAsync("front", 12, "rejected");
        Assert.Equal(1024, rejected.Error?.Length);
        Assert.DoesNotContain('\n', rejected.Error!); // It is rejected, so it has an error.
    }

    [Fact]
    public async Task Everything_is_told_again_when_the_watch_is_opened_anew()
    {
        platform.Publish(("orders", "a", "json", "{}"), ("orders", "b", "json", "{"));
        await using var host = await ClientHost.StartAsync(platform.Address);
        await SaysAsync("a", 11, "applied");
        await SaysAsync("b", 11, "rejected");
        var before = platform.Receipts.Count;

        platform.BreakStreams();

        await Eventually.TrueAsync(
            () => platform.Receipts.Skip(before).SelectMany(batch => batch.Receipts)
                .Select(receipt => (receipt.DataId, receipt.State)).ToHashSet()
                .SetEquals([("a", "applied"), ("b", "rejected")]),
            "both are told again");
    }

    [Fact]
    public async Task Receipts_that_are_refused_are_sent_later()
    {
        platform.Failures["/settings/default/receipts"] = (403, "forbidden");
        platform.Publish(("orders", "a", "json", "{}"));
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(() => platform.Count("POST /settings/default/receipts") > 1, "it tries again");
        Assert.Single(host.Log.Lines, line => line.Contains(
            "does not take what became of its settings", StringComparison.Ordinal));

        platform.Failures.Clear();

        await SaysAsync("a", 11, "applied");
    }

    [Fact]
    public async Task A_platform_that_does_not_answer_receipts_does_not_hold_up_the_stop()
    {
        var hold = new TaskCompletionSource();
        platform.ReceiptsHeld = hold.Task;
        platform.Publish(("orders", "a", "json", "{}"));
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(
            () => platform.Count("POST /settings/default/receipts") == 1, "a receipt is on its way");

        var began = TimeProvider.System.GetTimestamp();
        await host.App.StopAsync();

        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(20));
        Assert.Equal(1, platform.Count("DELETE /registry/instances/"));
        hold.SetResult();
    }

    [Fact]
    public async Task A_reader_that_gets_its_name_while_the_platform_is_away_has_it_when_it_is_back()
    {
        platform.Failures["/settings/default"] = (503, "storage_unavailable");
        await using var host = await ClientHost.StartAsync(platform.Address);
        await Eventually.TrueAsync(
            () => platform.Calls.Any(call => call.Contains("instance=", StringComparison.Ordinal)), "it asks by name");

        platform.Failures.Clear();
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        Assert.All(
            platform.Calls.Where(call => call.Contains("/watch?", StringComparison.Ordinal)),
            call => Assert.Contains("instance=", call, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_that_were_really_read_are_reported_once()
    {
        var many = string.Join(',', Enumerable.Range(0, 300).Select(n => $"\"K{n}\":1"));
        platform.Publish(
            ("orders", "main", "json", """{"Read":"1","NotRead":"1","Front":{"Percent":1}}"""),
            ("orders", "many", "json", "{\"Many\":{" + many + "}}"));
        await using var host = await StartWithFrontAsync();
        Assert.Equal(1, host.App.Services.GetRequiredService<IOptionsMonitor<Front>>().CurrentValue.Percent);
        Assert.Equal("1", host.Configuration["read"]);
        Assert.Equal(300, host.Configuration.GetSection("Many").GetChildren().Count(child => child.Value == "1"));

        await Eventually.TrueAsync(() => platform.Receipts.Any(batch => batch.Keys is not null), "keys are reported");

        var batch = Assert.Single(platform.Receipts, batch => batch.Keys is not null);
        Assert.Equal(["Front:Percent", "Read"], batch.Keys!["orders/main"].Order()); // Filtered above.
        Assert.Equal(256, batch.Keys["orders/many"].Count);
    }

    [Fact]
    public async Task The_platforms_order_of_groups_decides_which_value_wins()
    {
        platform.Groups = ["shared", "base", "orders"];
        platform.Publish(
            ("base", "a", "json", """{"Key":"base","Base":"1"}"""), ("shared", "a", "json", """{"Key":"shared"}"""));
        await using var host = await ClientHost.StartAsync(platform.Address);
        Assert.Equal(("base", "1"), (host.Configuration["Key"], host.Configuration["Base"]));
        await Eventually.TrueAsync(() => platform.OpenStreams == 1, "the watch is open");

        platform.Groups = ["base", "shared", "orders"];
        platform.Publish(("orders", "b", "json", """{"Own":"1"}"""));

        await Eventually.TrueAsync(() => host.Configuration["Own"] == "1", "the change arrives");
        Assert.Equal("shared", host.Configuration["Key"]);
    }

    private ReceiptDocument? Last(string dataId) => platform.Receipts
        .SelectMany(batch => batch.Receipts).LastOrDefault(receipt => receipt.DataId == dataId);

    private async Task<ReceiptDocument> SaysAsync(
        string dataId, long revision, string state, string? release = null)
    {
        await Eventually.TrueAsync(
            () => Last(dataId) is { } last && last.Revision == revision && last.State == state,
            $"{dataId} of {revision} is {state}");
        var said = Last(dataId)!; // It was there a moment ago.
        Assert.Equal(release, said.Release);
        Assert.Equal(state == "rejected", said.Error is not null);
        return said;
    }

    private Task<ClientHost> StartWithFrontAsync(int least = 0) => ClientHost.StartAsync(
        platform.Address,
        before: builder => builder.Services.AddOptions<Front>()
            .BindConfiguration("Front").Validate(front => front.Percent >= least && front.Percent <= 90, "0 to 90"));

    public sealed class Front
    {
        public string Name { get; set; } = "";

        public int Percent { get; set; }

        public int Number { get; set; }
    }
}
