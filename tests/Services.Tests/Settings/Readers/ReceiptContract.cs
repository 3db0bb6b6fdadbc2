using System.Net;
using System.Net.Http.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Releases;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Readers;

/// <summary>What becomes of publications at their readers, on both engines.</summary>
public abstract class ReceiptContract
{
    /// <summary>The database of this test, made with the first call.</summary>
    private protected abstract Task<Func<ProcessConfiguration, ProcessConfiguration>> ConfigureAsync();

    private async Task<OpenSettings> OpenAsync(string? directory = null) =>
        await OpenSettings.StartAsync(directory, await ConfigureAsync());

    [Fact]
    public async Task Every_reader_of_a_publication_is_told_with_what_became_of_it()
    {
        await using var open = await OpenAsync();
        var watches = new List<SettingsStream>();
        for (var id = 0; id < 50; id++)
            watches.Add(await open.WatchAsync($"?group=g&instance=s/i{id}&receipts=true"));
        await open.MustPublishAsync("g/a", "1");
        foreach (var watch in watches) await watch.NewsAsync();
        var revision = await open.MustPublishAsync("g/a", "2");
        foreach (var (id, watch) in watches.Index())
        {
            Assert.Equal(revision, Assert.Single((await watch.NewsAsync()).Settings).Revision);
            if (id < 3) continue; // Frozen: it was sent, and says nothing.
            var receipt = id == 7
                ? new ReceiptDocument("g", "a", revision, "rejected", Error: "no such colour")
                : new ReceiptDocument("g", "a", revision, "applied");
            await open.MustReportAsync($"i{id}", receipt);
        }

        var receipts = await open.ReceiptsAsync("g/a", revision);
        Assert.Equal((46, 1, 0, 3), (receipts.Applied, receipts.Rejected, receipts.Delivered, receipts.Old));
        Assert.Equal(50, receipts.Readers.Count);
        Assert.Equal(
            ["i0", "i1", "i2"], receipts.Readers.Where(one => one.State == "old").Select(one => one.Instance));
        Assert.All(receipts.Readers, line => Assert.NotNull(line.SentAt));
        var rejected = Assert.Single(receipts.Readers, line => line.State == "rejected");
        Assert.Equal(("s", "i7", "no such colour"), (rejected.Service, rejected.Instance, rejected.Error));

        await open.MustReportAsync("i0", new ReceiptDocument("g", "a", revision, "applied"));
        var later = await open.ReceiptsAsync("g/a");
        Assert.Equal((47, 2), (later.Applied, later.Old));
        foreach (var watch in watches) await watch.DisposeAsync();
    }

    [Fact]
    public async Task A_reader_that_sends_no_receipts_is_delivered_by_the_answer()
    {
        await using var open = await OpenAsync();
        var revision = await open.MustPublishAsync("g/a", "1");
        await open.SnapshotAsync("?group=g&instance=s/one");
        await open.SnapshotAsync("?group=other&instance=s/elsewhere");

        var line = Assert.Single((await open.ReceiptsAsync("g/a", revision)).Readers);
        Assert.Equal(("one", "delivered", revision), (line.Instance, line.State, line.HasRevision));
        var next = await open.MustPublishAsync("g/a", "2");
        line = Assert.Single((await open.ReceiptsAsync("g/a", next)).Readers);
        Assert.Equal(("old", revision, (DateTimeOffset?)null), (line.State, line.HasRevision, line.SentAt));
    }

    [Fact]
    public async Task Receipts_of_a_gray_release_are_those_of_its_receivers()
    {
        await using var open = await OpenAsync();
        await using var one = await open.WatchAsync("?group=g&instance=s/one&receipts=true");
        await using var two = await open.WatchAsync("?group=g&instance=s/two&receipts=true");
        var own = await open.MustPublishAsync("g/a", "1");
        await one.NewsAsync();
        await two.NewsAsync();
        var gray = await open.CommitAsync(Change.Put(
            GrayReleaseKind.Kind, "default", "r", new GrayReleaseSpec("g/a", "2", new GrayReceivers(["s/one"]))));
        Assert.Equal("r", Assert.Single((await one.NewsAsync()).Settings).Release);
        await open.MustReportAsync("one", new ReceiptDocument("g", "a", gray, "applied", "r"));
        await open.MustReportAsync("two", new ReceiptDocument("g", "a", own, "applied"));

        Assert.Equal(["one"], (await open.ReceiptsAsync("g/a", gray)).Readers.Select(line => line.Instance));
        Assert.Equal(["two"], (await open.ReceiptsAsync("g/a", own)).Readers.Select(line => line.Instance));
        var now = await open.ReceiptsAsync("g/a");
        Assert.Equal(2, now.Applied);
        Assert.Equal(["r", null], now.Readers.Select(line => line.Release));
    }

    [Fact]
    public async Task A_deleted_setting_has_receipts_under_the_change_that_took_it()
    {
        await using var open = await OpenAsync();
        await open.MustPublishAsync("g/a", "1");
        await using var watch = await open.WatchAsync("?group=g&instance=s/one&receipts=true");
        var gone = await open.DeleteAsync(SettingKind.Name, "default", "g/a");
        var news = await watch.NewsAsync();
        Assert.Equal(["g/a"], news.Removed);
        await open.MustPublishAsync("g/b", "1");
        await open.MustReportAsync("one", new ReceiptDocument("g", "a", news.Revision, "applied"));

        var line = Assert.Single((await open.ReceiptsAsync("g/a", gone)).Readers);
        Assert.Equal(("one", "applied"), (line.Instance, line.State));
    }

    [Fact]
    public async Task Receipts_are_kept_for_the_last_five_revisions()
    {
        await using var open = await OpenAsync();
        await using var watch = await open.WatchAsync("?group=g&instance=s/one&receipts=true");
        var revisions = new List<long>();
        for (var text = 0; text < 8; text++)
        {
            revisions.Add(await open.MustPublishAsync("g/a", $"{text}"));
            await watch.NewsAsync();
            await open.MustReportAsync("one", new ReceiptDocument("g", "a", revisions[^1], "applied"));
        }
        foreach (var kept in revisions.TakeLast(5)) Assert.Equal(1, (await open.ReceiptsAsync("g/a", kept)).Applied);
        using var old = await open.Local.GetAsync(
            $"/groundwork/v1/receipts/default/g/a?revision={revisions[2]}");
        Assert.Equal(HttpStatusCode.NotFound, old.StatusCode);
        Assert.Equal("revision_unknown", (await open.ProblemAsync(old)).Code);
    }

    [Fact]
    public async Task What_is_in_force_keeps_its_receipts_however_many_releases_come_after_it()
    {
        await using var open = await OpenAsync();
        var own = await open.MustPublishAsync("g/a", "own");
        await open.SnapshotAsync("?group=g&instance=s/stays");
        for (var text = 0; text < 7; text++)
        {
            await open.CommitAsync(Change.Put(
                GrayReleaseKind.Kind, "default", "r",
                new GrayReleaseSpec("g/a", $"{text}", new GrayReceivers(["s/one"]))));
            await open.SnapshotAsync("?group=g&instance=s/one");
        }
        var line = Assert.Single((await open.ReceiptsAsync("g/a", own)).Readers);
        Assert.Equal(("stays", "delivered"), (line.Instance, line.State));
    }

    [Fact]
    public async Task The_last_word_counts_and_a_late_delivery_takes_nothing_back()
    {
        await using var open = await OpenAsync();
        var revision = await open.MustPublishAsync("g/a", "1");
        await open.SnapshotAsync("?group=g&instance=s/one&receipts=true");
        await StatesAsync("delivered", "delivered");
        await StatesAsync("rejected", "rejected");
        await StatesAsync("applied", "applied");
        await StatesAsync("delivered", "applied");

        async Task StatesAsync(string said, string told)
        {
            await open.MustReportAsync("one", new ReceiptDocument("g", "a", revision, said));
            var line = Assert.Single((await open.ReceiptsAsync("g/a", revision)).Readers);
            Assert.Equal(told, line.State);
        }
    }

    [Fact]
    public async Task A_receipt_needs_renew_on_the_instance_that_it_names()
    {
        await using var open = await OpenAsync();
        var revision = await open.MustPublishAsync("g/a", "1");
        using var client = open.Running.Client(await open.Running.MintAsync(
            "program", [], [new Grant(["renew"], ["instance"], ["default"], ["default/s/*"])]));
        var receipt = new ReceiptDocument("g", "a", revision, "applied");
        using var own = await open.ReportAsync("one", [receipt], client: client);
        Assert.Equal(HttpStatusCode.NoContent, own.StatusCode);
        using var other = await open.ReportAsync("one", [receipt], service: "t", client: client);
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        using var grouped = await open.ReportAsync("one", [receipt], service: "x@@s", client: client);
        Assert.Equal(HttpStatusCode.Forbidden, grouped.StatusCode);
    }

    [Fact]
    public async Task A_receipt_for_a_version_that_was_never_sent_is_not_stored()
    {
        await using var open = await OpenAsync();
        var first = await open.MustPublishAsync("g/a", "1");
        var second = await open.MustPublishAsync("g/a", "2");
        await open.MustReportAsync("ghost", new ReceiptDocument("g", "a", first, "applied"));
        await open.MustReportAsync("ghost", new ReceiptDocument("g", "a", second, "applied", "no-release"));
        using var unknown = await open.Local.GetAsync($"/groundwork/v1/receipts/default/g/a?revision={first}");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Empty((await open.ReceiptsAsync("g/a", second)).Readers);
    }

    [Fact]
    public async Task Receipts_survive_a_restart()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.Combine("data");
        long revision;
        await using (var open = await OpenAsync(data))
        {
            revision = await open.MustPublishAsync("g/a", "1");
            await open.SnapshotAsync("?group=g&instance=s/one&receipts=true");
            await open.SnapshotAsync("?group=g&instance=s/two&receipts=true");
            await open.MustReportAsync("one", new ReceiptDocument("g", "a", revision, "applied"));
            await open.Running.StopAsync();
        }
        await using var again = await OpenAsync(data);
        var receipts = await again.ReceiptsAsync("g/a", revision);
        Assert.Equal((1, 1), (receipts.Applied, receipts.Old));
        Assert.All(receipts.Readers, line => Assert.NotNull(line.SentAt));
    }

    [Fact]
    public async Task Every_fault_of_a_report_is_named_and_nothing_of_it_is_stored()
    {
        await using var open = await OpenAsync();
        var revision = await open.MustPublishAsync("g/a", "1");
        await open.SnapshotAsync("?group=g&instance=s/one&receipts=true");
        ReceiptDocument[] receipts =
        [
            new("g", "a", revision, "applied"),
            new("g/", "a", revision, "applied"),
            new("g", "", revision, "applied"),
            new("g", "a", 0, "applied"),
            new("g", "a", revision + 1, "applied"),
            new("g", "a", revision, "used"),
            new("g", "a", revision, "applied", Error: "but"),
            new("g", "a", revision, "rejected", Error: new string('x', 1025)),
            new("g", "a", revision, "applied", Release: "a/b"),
        ];
        using var answer = await open.ReportAsync("one", receipts);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var problem = await open.ProblemAsync(answer);
        Assert.Equal("receipt_invalid", problem.Code);
        Assert.Equal(
            [
                "receipts[1].group", "receipts[2].dataId", "receipts[3].revision", "receipts[4].revision",
                "receipts[5].state", "receipts[6].error", "receipts[7].error", "receipts[8].release",
            ],
            problem.Fields?.Select(field => field.Path));
        Assert.Equal(1, (await open.ReceiptsAsync("g/a", revision)).Old);
    }

    [Fact]
    public async Task A_malformed_report_is_refused()
    {
        string[] bodies =
        [
            "{}",
            """{"service":"s","instance":"i"}""",
            """{"service":"s","instance":"i","receipts":[null]}""",
            """{"service":"s","instance":"i","receipts":[]}""",
            """{"service":"s","instance":"i/j","receipts":[],"flags":[{"flag":"f","variant":"v","count":1}]}""",
            """{"service":"s","instance":"i","receipts":[],"flags":[{"flag":"f","variant":"v","count":0}]}""",
            """{"service":"s","instance":"i","receipts":[],"flags":[{"flag":"","variant":"v","count":1}]}""",
            """{"service":"s","instance":"i","receipts":[],"flags":[{"flag":"\ud800","variant":"v","count":1}]}""",
            """{"service":"s","instance":"i","receipts":[],"flags":[null]}""",
            """{"service":"s","instance":"i","receipts":[],"keys":{"g/a":null}}""",
            """{"service":"s","instance":"i","receipts":[],"keys":{"g/a":[]}}""",
            """{"service":"s","instance":"i","receipts":[],"keys":{"g/a":[null]}}""",
            """{"service":"s","instance":"i","receipts":[],"keys":{"g":["k"]}}""",
            """{"service":"s","instance":"i","receipts":[],"keys":{"g/a":["\u0000"]}}""",
            """{"service":"a@@b@@c","instance":"i","receipts":[],"keys":{"g/a":["k"]}}""",
            """{"service":"s","instance":"i","receipts":[],"keys":{"g/a":["k"]},"more":1}""",
        ];
        await using var open = await OpenAsync();
        foreach (var body in bodies)
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var answer = await open.Local.PostAsync("/groundwork/v1/settings/default/receipts", content);
            Assert.InRange((int)answer.StatusCode, 400, 422);
            Assert.Contains((await open.ProblemAsync(answer)).Code, new[] { "bad_request", "receipt_invalid" });
        }
    }

    [Fact]
    public async Task A_reader_that_names_itself_wrongly_is_told()
    {
        string[] queries =
        [
            "instance=s",
            "instance=s/",
            "instance=/i",
            "instance=s/i/j",
            "instance=s%20s/i",
            "instance=s/i&instance=s/j",
            "receipts=true",
            "instance=s/i&receipts=yes",
            "label=zone",
            "label==a",
            "label=zone=a&label=zone=b",
            "label=zone=%00",
        ];
        await using var open = await OpenAsync();
        await open.MustPublishAsync("g/a", "1");
        foreach (var query in queries)
        {
            foreach (var path in new[] { $"?{query}", $"/watch?{query}", $"/g/a?{query}" })
            {
                using var answer = await open.GetAsync(path);
                Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
                Assert.Equal("reader_invalid", (await open.ProblemAsync(answer)).Code);
            }
        }
        var many = string.Concat(Enumerable.Range(0, 33).Select(n => $"&label=l{n}=1"));
        using var tooMany = await open.GetAsync($"?instance=s/i{many}");
        Assert.Equal("reader_invalid", (await open.ProblemAsync(tooMany)).Code);
    }
}

public sealed class ReceiptsOnSqliteTests : ReceiptContract
{
    private protected override Task<Func<ProcessConfiguration, ProcessConfiguration>> ConfigureAsync() =>
        Task.FromResult<Func<ProcessConfiguration, ProcessConfiguration>>(configuration => configuration);
}

public sealed class ReceiptsOnPostgresTests(PostgresServer server) : ReceiptContract
{
    private DatabaseOptions? database;

    private protected override async Task<Func<ProcessConfiguration, ProcessConfiguration>> ConfigureAsync()
    {
        database ??= new DatabaseOptions(await server.CreateDatabaseAsync());
        return configuration => configuration with { Database = database };
    }
}
