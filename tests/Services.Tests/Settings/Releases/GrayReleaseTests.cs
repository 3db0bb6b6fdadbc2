using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Releases;

public sealed class GrayReleaseTests
{
    [Fact]
    public async Task A_watch_tells_when_a_release_begins_widens_narrows_and_ends()
    {
        await using var open = await OpenSettings.StartAsync();
        var own = await open.MustPublishAsync("g/a", "own");
        await using var one = await open.WatchAsync("?group=g&instance=s/one");
        await using var two = await open.WatchAsync("?group=g&instance=s/two&label=zone=b");

        await ReleaseAsync(open, "r", new GrayReceivers(["s/one"]));
        var begun = Assert.Single((await one.NewsAsync()).Settings);
        Assert.Equal(("gray", "r", "text"), (begun.Content, begun.Release, begun.Format));

        await ReleaseAsync(open, "r", new GrayReceivers(
            ["s/one"], new Dictionary<string, string> { ["zone"] = "b" }));
        Assert.Equal("gray", Assert.Single((await two.NewsAsync()).Settings).Content);

        await ReleaseAsync(open, "r", new GrayReceivers(["s/two"]));
        await one.NewsAsync(); // The widened one, with the same text.
        var narrowed = Assert.Single((await one.NewsAsync()).Settings);
        Assert.Equal(("own", null, own), (narrowed.Content, narrowed.Release, narrowed.Revision));

        await open.DeleteAsync(GrayReleaseKind.Name, "default", "r");
        await two.NewsAsync();
        Assert.Equal("own", Assert.Single((await two.NewsAsync()).Settings).Content);
    }

    [Fact]
    public async Task The_same_reader_gets_the_same_from_snapshot_content_and_watch()
    {
        await using var open = await OpenSettings.StartAsync();
        var first = await open.MustPublishAsync("g/a", "own");
        await ReleaseAsync(open, "r", new GrayReceivers(Percent: 50));
        var gray = 0;
        for (var id = 0; id < 40; id++)
        {
            var query = $"?instance=s/i{id}";
            var setting = Assert.Single((await open.SnapshotAsync(query)).Settings);
            using var content = await open.GetAsync($"/g/a{query}");
            Assert.Equal(setting.Content, await content.Content.ReadAsStringAsync());
            Assert.Equal(
                setting.Release, content.Headers.TryGetValues(HeaderNames.Release, out var names)
                    ? names.Single()
                    : null);
            await using var watch = await open.WatchAsync($"{query}&after={first}");
            Assert.Equal(setting, Assert.Single((await watch.NewsAsync()).Settings));
            if (setting.Release is not null) gray++;
        }
        Assert.InRange(gray, 8, 32);
        Assert.Equal("own", Assert.Single((await open.SnapshotAsync()).Settings).Content);
    }

    [Fact]
    public async Task The_release_with_the_highest_priority_then_the_first_by_name_is_the_readers()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a", "own");
        var everybody = new GrayReceivers(["s/*"]);
        await ReleaseAsync(open, "c", everybody, "c", priority: 1);
        await ReleaseAsync(open, "b", everybody, "b", priority: 2);
        await ReleaseAsync(open, "a", new GrayReceivers(["s/one"]), "a", priority: 2);
        Assert.Equal("a", await TextAsync("s/one"));
        Assert.Equal("b", await TextAsync("s/two"));
        await open.DeleteAsync(GrayReleaseKind.Name, "default", "b");
        Assert.Equal("c", await TextAsync("s/two"));
        Assert.Equal("own", await TextAsync("t/one"));

        async Task<string> TextAsync(string reader) =>
            Assert.Single((await open.SnapshotAsync($"?instance={reader}")).Settings).Content;
    }

    [Fact]
    public async Task Promotion_is_one_changeset_and_a_dry_run_changes_nothing()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("json", "1", Description: "kept"));
        await ReleaseAsync(open, "r", new GrayReceivers(Percent: 10), "2");
        await using var watch = await open.WatchAsync("?group=g");
        var before = open.Running.Node.Snapshots.Current.Revision;

        using var dry = await open.Local.PostAsync("/groundwork/v1/gray-releases/default/r/promote?dryRun=true", null);
        Assert.Equal(HttpStatusCode.OK, dry.StatusCode);
        Assert.Equal(before, open.Running.Node.Snapshots.Current.Revision);
        using var promoted = await open.Local.PostAsync("/groundwork/v1/gray-releases/default/r/promote", null);
        var answer = await promoted.Content.ReadFromJsonAsync(WireJson.Strict.ChangesetAnswer);
        Assert.Equal(before + 1, answer?.Revision);
        Assert.Equal(["updated", "deleted"], answer?.Changes.Select(change => change.Result));
        var news = Assert.Single((await watch.NewsAsync()).Settings);
        Assert.Equal(("2", null, before + 1), (news.Content, news.Release, news.Revision));
        Assert.Null(open.Running.Node.Snapshots.Current.Find(GrayReleaseKind.Name, "default", "r"));
        var resource = await open.MustGetAsync(
            "resources/setting/default/g/a", WireJson.Strict.ResourceDocument);
        Assert.Equal("kept", resource.Spec?.GetProperty("description").GetString());
        using var again = await open.Local.PostAsync("/groundwork/v1/gray-releases/default/r/promote", null);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task A_rollback_of_a_release_is_delivered_like_any_publication()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a", "own");
        var first = await ReleaseAsync(open, "r", new GrayReceivers(["s/one"]), "first");
        await ReleaseAsync(open, "r", new GrayReceivers(["s/one"]), "second");
        await using var watch = await open.WatchAsync("?instance=s/one");
        using var answer = await open.Local.PostAsync(
            $"/groundwork/v1/rollback/gray-release/default/r?to={first}", null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("first", Assert.Single((await watch.NewsAsync()).Settings).Content);
    }

    [Fact]
    public async Task A_release_with_a_fault_is_refused_with_its_field()
    {
        (string Spec, string Field)[] cases =
        [
            ("""{"setting":"g/none","content":"1","to":{"percent":1}}""", "spec.setting"),
            ("""{"setting":"none","content":"1","to":{"percent":1}}""", "spec.setting"),
            ("""{"setting":"g/json","content":"1","to":{}}""", "spec.to"),
            ("""{"setting":"g/json","content":"1","to":{"percent":100.01}}""", "spec.to.percent"),
            ("""{"setting":"g/json","content":"1","to":{"percent":-1}}""", "spec.to.percent"),
            ("""{"setting":"g/json","content":"1","to":{"percent":0.001}}""", "spec.to.percent"),
            ("""{"setting":"g/json","content":"1","to":{"instances":[]}}""", "spec.to.instances"),
            ("""{"setting":"g/json","content":"1","to":{"instances":["s"]}}""", "spec.to.instances[0]"),
            ("""{"setting":"g/json","content":"1","to":{"instances":["*/i"]}}""", "spec.to.instances[0]"),
            ("""{"setting":"g/json","content":"1","to":{"labels":{}}}""", "spec.to.labels"),
            ("""{"setting":"g/json","content":"1","to":{"labels":{"a b":"c"}}}""", "spec.to.labels"),
            ("""{"setting":"g/json","content":"1","to":{"percent":1},"format":"yaml"}""", "spec.format"),
            ("""{"setting":"g/json","content":"1","to":{"percent":1},"priority":1001}""", "spec.priority"),
            ("""{"setting":"g/json","content":"{1","to":{"percent":1}}""", "spec.content"),
            ("""{"setting":"g/secret","content":"1","to":{"percent":1}}""", "spec.secret"),
        ];
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/json", new SettingSpec("json", "1"));
        await open.PutAsync("g/secret", new SettingSpec("json", "1", Secret: true));
        foreach (var (spec, field) in cases)
        {
            using var answer = await PutAsync(open, "r", spec);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            var problem = await open.ProblemAsync(answer);
            Assert.Equal("resource_invalid", problem.Code);
            Assert.Equal([field], problem.Fields?.Select(fault => fault.Path));
        }
    }

    [Fact]
    public async Task What_a_release_takes_for_granted_of_its_setting_stays_true()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("json", "1"));
        using (var made = await PutAsync(
            open, "r", """{"setting":"g/a","content":"2","format":"json","to":{"percent":1}}"""))
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        using var secret = await PutSettingAsync(new SettingSpec("json", "1", Secret: true));
        Assert.Equal("spec.secret", Assert.Single((await open.ProblemAsync(secret)).Fields ?? []).Path);
        using var format = await PutSettingAsync(new SettingSpec("yaml", "1"));
        Assert.Equal("spec.format", Assert.Single((await open.ProblemAsync(format)).Fields ?? []).Path);
        using var gone = await open.Local.DeleteAsync("/groundwork/v1/resources/setting/default/g/a");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, gone.StatusCode);
        Assert.Contains("gray release r", Assert.Single((await open.ProblemAsync(gone)).Fields ?? []).Message);
        await open.CommitAsync(
            Change.Delete(new ResourceKey(SettingKind.Name, "default", "g/a")),
            Change.Delete(new ResourceKey(GrayReleaseKind.Name, "default", "r")));

        Task<HttpResponseMessage> PutSettingAsync(SettingSpec spec) => open.Local.PutAsJsonAsync(
            "/groundwork/v1/resources/setting/default/g/a", new { spec });
    }

    [Fact]
    public async Task A_secret_release_is_masked_and_given_only_to_who_may_read_secrets()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("text", "plain"));
        using (var made = await PutAsync(
            open, "r", """{"setting":"g/a","content":"canary-5521","secret":true,"to":{"instances":["s/one"]}}"""))
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        using var client = open.Running.Client(await open.Running.MintAsync("program", [BuiltInRoles.Reader]));
        var withheld = await open.SnapshotAsync("?instance=s/one", client);
        Assert.Equal(["g/a"], withheld.Withheld);
        Assert.Empty(withheld.Settings);
        Assert.Equal("plain", Assert.Single((await open.SnapshotAsync("?instance=s/two", client)).Settings).Content);
        var clear = Assert.Single((await open.SnapshotAsync("?instance=s/one")).Settings);
        Assert.Equal(("canary-5521", true), (clear.Content, clear.Secret));
        Assert.DoesNotContain(
            "canary", await open.Local.GetStringAsync("/groundwork/v1/resources/gray-release/default/r"));

        using var promoted = await open.Local.PostAsync("/groundwork/v1/gray-releases/default/r/promote", null);
        Assert.Equal(HttpStatusCode.OK, promoted.StatusCode);
        Assert.DoesNotContain("canary", await promoted.Content.ReadAsStringAsync());
        Assert.DoesNotContain(
            "canary", await open.Local.GetStringAsync("/groundwork/v1/resources/setting/default/g/a"));
        Assert.Equal("canary-5521", Assert.Single((await open.SnapshotAsync()).Settings).Content);
    }

    [Fact]
    public async Task Promotion_takes_the_right_to_delete_the_release_and_to_write_the_setting()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a", "own");
        await ReleaseAsync(open, "r", new GrayReceivers(Percent: 10));
        await RefusedAsync("writer", new Grant(["write"], [SettingKind.Name]));
        await RefusedAsync("ender", new Grant(["delete"], [GrayReleaseKind.Name]));
        Assert.Equal("own", Assert.Single((await open.SnapshotAsync()).Settings).Content);

        async Task RefusedAsync(string name, Grant grant)
        {
            using var client = open.Running.Client(await open.Running.MintAsync(name, [], [grant]));
            using var answer = await client.PostAsync("/groundwork/v1/gray-releases/default/r/promote", null);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }

    private static Task<long> ReleaseAsync(
        OpenSettings open, string name, GrayReceivers to, string text = "gray", int priority = 0) =>
        open.CommitAsync(Change.Put(
            GrayReleaseKind.Kind, "default", name, new GrayReleaseSpec("g/a", text, to, Priority: priority)));

    private static async Task<HttpResponseMessage> PutAsync(OpenSettings open, string name, string spec)
    {
        using var document = JsonDocument.Parse(spec);
        return await open.Local.PutAsJsonAsync(
            $"/groundwork/v1/resources/gray-release/default/{name}", new { spec = document.RootElement.Clone() });
    }
}
