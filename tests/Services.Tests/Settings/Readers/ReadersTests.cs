using System.Net;
using System.Net.Http.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Releases;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Readers;

public sealed class ReadersTests
{
    [Fact]
    public async Task Readers_are_listed_with_what_they_said_and_really_read()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a", "1");
        await open.MustPublishAsync("h/b", "1");
        await open.SnapshotAsync("?group=g&instance=s/one&label=zone=b&label=ring=1&receipts=true");
        await open.SnapshotAsync("?instance=x@@t/two");
        await open.SnapshotAsync("?group=h");
        await ReadAsync(open, "one", "g/a", "Price:Amount", "Price:Currency");
        await ReadAsync(open, "one", "g/a", "Price:Amount", "Mode");

        var all = await ListAsync(open, "");
        Assert.Equal(["s/one", "x@@t/two"], all.Select(reader => $"{reader.Service}/{reader.Instance}"));
        var one = all[0];
        Assert.Equal(["g"], one.Groups);
        Assert.Equal(("b", "1"), (one.Labels["zone"], one.Labels["ring"]));
        Assert.True(one is { SendsReceipts: true, Live: true, Node: "test" });
        Assert.Equal(["Price:Amount", "Price:Currency", "Mode"], one.Keys["g/a"]);
        Assert.Equal(["two"], (await ListAsync(open, "?setting=h/b")).Select(reader => reader.Instance));
        Assert.Equal(2, (await ListAsync(open, "?group=g")).Count);
        using var both = await open.Local.GetAsync("/groundwork/v1/readers/default?group=g&setting=g/a");
        Assert.Equal(HttpStatusCode.BadRequest, both.StatusCode);
    }

    [Fact]
    public async Task A_reader_that_may_read_nothing_here_is_not_a_reader()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a", "1");
        using var client = open.Running.Client(await open.Running.MintAsync(
            "program", [], [new Grant(["read"], [SettingKind.Name], ["other"])]));
        await open.SnapshotAsync("?instance=s/ghost", client);
        await using var watch = await open.WatchAsync("?instance=s/watching", client);
        Assert.Empty(await ListAsync(open, ""));
    }

    [Fact]
    public async Task A_setting_counts_only_readers_that_may_read_it()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/open", new SettingSpec("text", "1"));
        await open.PutAsync("g/secret", new SettingSpec("text", "1", Secret: true));
        using var plain = open.Running.Client(await open.Running.MintAsync("plain", [BuiltInRoles.Reader]));
        using var trusted = open.Running.Client(await open.Running.MintAsync("trusted", [BuiltInRoles.Administrator]));
        await open.SnapshotAsync("?group=g&instance=s/plain", plain);
        await open.SnapshotAsync("?group=g&instance=s/trusted", trusted);
        Assert.Equal(2, (await open.ReceiptsAsync("g/open")).Readers.Count);
        Assert.Equal(
            ["trusted"], (await open.ReceiptsAsync("g/secret")).Readers.Select(reader => reader.Instance));
        await open.DeleteAsync(SecurityKinds.AccessKey.Name, "", "trusted");
        Assert.Empty((await open.ReceiptsAsync("g/secret")).Readers);
    }

    [Fact]
    public async Task A_silent_reader_is_waited_for_ten_minutes_or_while_it_is_registered()
    {
        var time = new ManualTimeProvider();
        await using var open = await OpenSettings.StartAsync(
            time: time, isRegistered: (_, group, service, id) => (group, service, id) == ("x", "t", "two"));
        await open.MustPublishAsync("g/a", "1");
        await open.SnapshotAsync("?group=g&instance=s/one");
        await open.SnapshotAsync("?group=g&instance=x@@t/two");
        await using var watch = await open.WatchAsync("?group=g&instance=s/three");
        Assert.Equal(3, (await PassingAsync(open.ReceiptsAsync("g/a"))).Readers.Count);
        for (var half = 0; half < 2 * 11; half++)
        {
            time.Advance(TimeSpan.FromSeconds(30));
            await PassingAsync(open.ReceiptsAsync("g/a"));
        }
        var told = await PassingAsync(open.ReceiptsAsync("g/a"));
        Assert.Equal(["s/three", "x@@t/two"], told.Readers.Select(line => $"{line.Service}/{line.Instance}"));
        Assert.Equal([false, true, true], (await PassingAsync(ListAsync(open, ""))).Select(reader => reader.Live));

        // The loops wait on the manual clock, and on the real store.
        async Task<T> PassingAsync<T>(Task<T> call)
        {
            await Eventually.TrueAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromMilliseconds(20));
                    return call.IsCompleted;
                },
                "the answer comes");
            return await call;
        }
    }

    [Fact]
    public async Task Exposures_of_flags_are_summed_by_flag_variant_and_service()
    {
        await using var open = await OpenSettings.StartAsync();
        await ExposeAsync("one", "s", new FlagExposure("new", "on", 3), new FlagExposure("new", "off", 1));
        await ExposeAsync("two", "s", new FlagExposure("new", "on", 4));
        await ExposeAsync("one", "t", new FlagExposure("new", "on", 1_000_000_000));
        var list = await open.MustGetAsync("flags/default/exposures", WireJson.Strict.FlagExposureList);
        Assert.Equal(
            ["new off s 1", "new on s 7", "new on t 1000000000"],
            list.Items.Select(item => $"{item.Flag} {item.Variant} {item.Service} {item.Count}"));

        async Task ExposeAsync(string instance, string service, params FlagExposure[] flags)
        {
            using var answer = await open.ReportAsync(instance, [], service, flags: flags);
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        }
    }

    [Fact]
    public async Task The_blast_radius_is_who_reads_the_keys_and_who_would_get_it()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a", "1");
        await open.SnapshotAsync("?group=g&instance=s/one&label=zone=b");
        await open.SnapshotAsync("?group=g&instance=s/two");
        await open.SnapshotAsync("?group=g&instance=t/one");
        await open.SnapshotAsync("?group=h&instance=t/two");
        await ReadAsync(open, "one", "g/a", "Price:Amount", "Mode");

        var everybody = await BlastAsync(new BlastRadiusRequest("g/a", ["price"]));
        Assert.Equal((3, 3), (everybody.Receivers, everybody.Readers.Count));
        Assert.Equal(["s 2 2 Price:Amount", "t 1 1 "], everybody.Services.Select(service =>
            $"{service.Service} {service.Instances} {service.Receivers} {string.Join(',', service.Keys)}"));
        var zone = await BlastAsync(new BlastRadiusRequest(
            "g/a", To: new GrayReceivers(Labels: new Dictionary<string, string> { ["zone"] = "b" })));
        Assert.Equal(["one"], zone.Readers.Where(reader => reader.Receives).Select(reader => reader.Instance));
        Assert.Equal(["Mode", "Price:Amount"], zone.Readers[0].Keys);

        // Who is in a release does not get what is published for everybody.
        await open.CommitAsync(Change.Put(
            GrayReleaseKind.Kind, "default", "r", new GrayReleaseSpec("g/a", "2", new GrayReceivers(["s/*"]))));
        var others = await BlastAsync(new BlastRadiusRequest("g/a"));
        Assert.Equal(["r", "r", null], others.Readers.Select(reader => reader.Release));
        Assert.Equal(1, others.Receivers);

        // The planned release has the receivers that it will have.
        var planned = await BlastAsync(new BlastRadiusRequest(
            "g/a", To: new GrayReceivers(Percent: 50), Release: "half"));
        Assert.Equal(
            planned.Readers.Select(reader =>
                ReleaseReceivers.BucketOf("half", $"{reader.Service}/{reader.Instance}") < 5_000),
            planned.Readers.Select(reader => reader.Receives));

        Task<BlastRadius> BlastAsync(BlastRadiusRequest request) => ReadersTests.BlastAsync(open, request);
    }

    [Fact]
    public async Task Of_a_planned_text_those_keys_are_asked_for_that_it_changes()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a.yaml", "Price: {Amount: 1, Currency: EUR}\nMode: fast\nOld: 1\n");
        await open.SnapshotAsync("?group=g&instance=s/one");
        await ReadAsync(open, "one", "g/a.yaml", "Price:Amount", "Mode", "Old");

        // Comments and order change no key.
        var same = await BlastAsync(
            open, new("g/a.yaml", Content: "# tidied\nMode: fast\nOld: 1\nPrice: {Currency: EUR, Amount: 1}\n"));
        Assert.Equal((1, 0, 0), (same.Receivers, same.Changed?.Count, same.Readers[0].Keys.Count));
        var other = await BlastAsync(
            open, new("g/a.yaml", Content: "Price: {Amount: 2, Currency: EUR}\nMode: fast\nNew: 1\n"));
        Assert.Equal(["New", "Old", "Price:Amount"], other.Changed);
        Assert.Equal(["Old", "Price:Amount"], other.Readers[0].Keys);
        // What has no keys is one text.
        Assert.Null((await BlastAsync(open, new("g/a.yaml", Content: "- 1"))).Changed);
        Assert.Equal(["a"], (await BlastAsync(open, new("g/new.yaml", Content: "a: 1"))).Changed);
    }

    [Fact]
    public async Task A_guess_at_a_secret_is_not_told_where_it_is_right()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("yaml", "Password: right", Secret: true));
        using var reader = open.Running.Client(await open.Running.MintAsync("reader", [BuiltInRoles.Reader]));
        BlastRadiusRequest guess = new("g/a", Content: "Password: right");
        Assert.Null((await BlastAsync(open, guess, reader)).Changed);
        Assert.Equal([], (await BlastAsync(open, guess)).Changed);
    }

    [Fact]
    public async Task A_question_with_faults_is_refused_with_its_fields()
    {
        await using var open = await OpenSettings.StartAsync();
        (BlastRadiusRequest Request, string Field)[] cases =
        [
            (new("g"), "setting"),
            (new("g/a", []), "keys"),
            (new("g/a", [new string('k', 513)]), "keys"),
            (new("g/a", To: new GrayReceivers()), "to"),
            (new("g/a", To: new GrayReceivers(Percent: 101)), "to.percent"),
            (new("g/a", To: new GrayReceivers(["x"])), "to.instances[0]"),
            (new("g/a", Release: "r"), "release"),
            (new("g/a", ["k"], Content: "k: 1"), "content"),
        ];
        foreach (var (request, field) in cases)
        {
            using var answer = await open.Local.PostAsJsonAsync(
                "/groundwork/v1/settings/default/blast-radius", request, WireJson.Strict.BlastRadiusRequest);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Equal([field], (await open.ProblemAsync(answer)).Fields?.Select(fault => fault.Path));
        }
    }

    [Fact]
    public async Task A_key_of_one_namespace_learns_nothing_of_another()
    {
        await using var open = await OpenSettings.StartAsync();
        foreach (var name in new[] { "dev", "prod" })
        {
            using var made = await open.Local.PutAsJsonAsync(
                $"/groundwork/v1/resources/namespace/_/{name}", new { spec = new { } });
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
            await open.CommitAsync(Change.Put(SettingKind.Kind, name, "g/a", new SettingSpec("text", "canary")));
        }
        using var client = open.Running.Client(await open.Running.MintAsync(
            "dev", [], [new Grant([Grant.Any], [SettingKind.Name, GrayReleaseKind.Name, "instance"], ["dev"])]));
        using var mine = await open.Local.GetAsync("/groundwork/v1/settings/prod?instance=s/hidden-reader");
        Assert.Equal(HttpStatusCode.OK, mine.StatusCode);
        await open.CommitAsync(Change.Put(
            GrayReleaseKind.Kind, "prod", "r", new GrayReleaseSpec("g/a", "canary", new GrayReceivers(Percent: 1))));
        using var blast = await AsAsync(HttpMethod.Post, "settings/prod/blast-radius", """{"setting":"g/a"}""");
        using var report = await AsAsync(
            HttpMethod.Post, "settings/prod/receipts",
            """{"service":"s","instance":"i","receipts":[],"keys":{"g/a":["k"]}}""");
        using var promote = await AsAsync(HttpMethod.Post, "gray-releases/prod/r/promote");
        foreach (var path in new[]
        {
            "settings/prod/g/a", "receipts/prod/g/a", "readers/prod", "readers/prod?setting=g/a",
            "readers/prod?group=g", "flags/prod/exposures", "resources/gray-release/prod/r",
        })
        {
            using var answer = await AsAsync(HttpMethod.Get, path);
            Assert.Equal((HttpStatusCode.Forbidden, path), (answer.StatusCode, path));
        }
        Assert.All(new[] { blast, report, promote }, answer =>
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode));
        using var snapshot = await AsAsync(HttpMethod.Get, "settings/prod?group=g&instance=s/i");
        var seen = await snapshot.Content.ReadFromJsonAsync(WireJson.Strict.SettingSnapshot);
        Assert.Empty(seen!.Settings); // A snapshot is never null.
        Assert.Null(seen.Withheld);
        Assert.Single((await open.MustGetAsync("readers/prod", WireJson.Strict.ReaderList)).Items);
        using var own = await AsAsync(HttpMethod.Get, "readers/dev");
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);

        Task<HttpResponseMessage> AsAsync(HttpMethod method, string path, string? body = null) => client.SendAsync(
            new HttpRequestMessage(method, $"/groundwork/v1/{path}")
            {
                Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
            });
    }

    private static async Task<IReadOnlyList<ReaderDocument>> ListAsync(OpenSettings open, string query) =>
        (await open.MustGetAsync($"readers/default{query}", WireJson.Strict.ReaderList)).Items;

    private static async Task ReadAsync(OpenSettings open, string instance, string setting, params string[] keys)
    {
        using var answer = await open.ReportAsync(
            instance, [], keys: new Dictionary<string, IReadOnlyList<string>> { [setting] = keys });
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    private static async Task<BlastRadius> BlastAsync(
        OpenSettings open, BlastRadiusRequest request, HttpClient? client = null)
    {
        using var answer = await (client ?? open.Local).PostAsJsonAsync(
            "/groundwork/v1/settings/default/blast-radius", request, WireJson.Strict.BlastRadiusRequest);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync(WireJson.Strict.BlastRadius)
            ?? throw new InvalidDataException("The answer is null.");
    }
}
