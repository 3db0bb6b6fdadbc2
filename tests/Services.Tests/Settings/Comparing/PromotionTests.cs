using System.Net;
using System.Net.Http.Json;
using System.Text;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Comparing;

public sealed class PromotionTests : IAsyncLifetime
{
    private OpenSettings? open;

    private OpenSettings Open => open ?? throw new InvalidOperationException("The test has not begun.");

    public async ValueTask InitializeAsync()
    {
        open = await OpenSettings.StartAsync();
        foreach (var name in new[] { "dev", "prod" })
            await Open.CommitAsync(Change.Put(Namespaces.Kind, "", name, new NamespaceSpec()));
    }

    public ValueTask DisposeAsync() => Open.DisposeAsync();

    [Fact]
    public async Task A_setting_travels_whole_then_key_by_key_and_own_changes_stay()
    {
        await PublishAsync("dev", "g/app.yaml", "# mine\na: 1\nb: 1\nc: 1\n");
        var first = await CompareAsync();
        Assert.Equal(("only-in-from", 0L), (Assert.Single(first.Settings).State, first.Settings[0].ToRevision));
        Assert.Null(first.Settings[0].Base);

        var copied = await PromoteAsync(Whole(first));
        Assert.True(Assert.Single(copied.Settings).Verbatim);
        Assert.Equal("# mine\na: 1\nb: 1\nc: 1\n", await TextAsync("prod", "g/app.yaml"));
        Assert.Equal("same", (await CompareAsync()).Settings[0].State);

        await PublishAsync("prod", "g/app.yaml", "# prod's\na: 1\nb: own\nc: 1 # keep\n");
        await PublishAsync("dev", "g/app.yaml", "# mine\na: 2\nb: 1\nc: 2\nd: new\n");
        var second = Assert.Single((await CompareAsync()).Settings);
        Assert.Equal(
            ["a changed-in-from", "b changed-in-to", "c changed-in-from", "d only-in-from"],
            second.Keys!.Select(key => $"{key.Key} {key.State}")); // No secret, so there are keys.
        Assert.Equal(("2", "1", "1"), (second.Keys![0].From, second.Keys[0].To, second.Keys[0].Base));

        var one = await PromoteAsync(Keys(second, "c"));
        Assert.Equal("# prod's\na: 1\nb: own\nc: 2 # keep\n", await TextAsync("prod", "g/app.yaml"));
        Assert.False(one.Settings[0].CommentsLost);
        var third = Assert.Single((await CompareAsync()).Settings);
        Assert.Equal(
            ["a changed-in-from", "b changed-in-to", "d only-in-from"],
            third.Keys!.Select(key => $"{key.Key} {key.State}"));

        await PromoteAsync(Request(third, null));
        Assert.Equal("# prod's\na: 2\nb: own\nc: 2 # keep\nd: new\n", await TextAsync("prod", "g/app.yaml"));
        var last = Assert.Single((await CompareAsync()).Settings);
        Assert.Equal(["b changed-in-to"], last.Keys!.Select(key => $"{key.Key} {key.State}"));
        var again = await PromoteAsync(Request(last, null));
        Assert.Equal("unchanged", again.Changeset.Changes[0].Result);
    }

    [Fact]
    public async Task A_conflict_is_refused_until_its_key_is_decided()
    {
        await PublishAsync("dev", "g/app.yaml", "a: 1\nb: 1\n");
        await PromoteAsync(Whole(await CompareAsync()));
        await PublishAsync("dev", "g/app.yaml", "a: 2\nb: 2\n");
        await PublishAsync("prod", "g/app.yaml", "a: 3\nb: 3\n");
        var setting = Assert.Single((await CompareAsync()).Settings);

        using var refused = await SendAsync(Request(setting, null));
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        var problem = await Open.ProblemAsync(refused);
        Assert.Equal("promotion_conflict", problem.Code);
        Assert.Equal(2, problem.Fields?.Count);
        using var named = await SendAsync(Keys(setting, "a"));
        Assert.Equal("promotion_conflict", (await Open.ProblemAsync(named)).Code);

        await PromoteAsync(Request(setting, [new PromotedKey("a", "from"), new PromotedKey("b", "to")]));
        Assert.Equal("a: 2\nb: 3\n", await TextAsync("prod", "g/app.yaml"));
        var after = Assert.Single((await CompareAsync()).Settings);
        Assert.Equal(["b changed-in-to"], after.Keys!.Select(key => $"{key.Key} {key.State}"));
    }

    [Fact]
    public async Task What_the_comparison_saw_must_still_be_so()
    {
        await PublishAsync("dev", "g/app.yaml", "a: 1\n");
        await PublishAsync("prod", "g/app.yaml", "b: 1\n");
        var seen = Assert.Single((await CompareAsync()).Settings);
        await PublishAsync("prod", "g/app.yaml", "b: 2\n");
        using var target = await SendAsync(Keys(seen, "a"));
        Assert.Equal("revision_conflict", (await Open.ProblemAsync(target)).Code);
        await PublishAsync("dev", "g/app.yaml", "a: 2\n");
        using var source = await SendAsync(Keys(Assert.Single((await CompareAsync()).Settings) with
        {
            FromRevision = seen.FromRevision,
        }, "a"));
        Assert.Equal("revision_conflict", (await Open.ProblemAsync(source)).Code);
        Assert.Equal("b: 2\n", await TextAsync("prod", "g/app.yaml"));
    }

    [Fact]
    public async Task A_dry_run_shows_the_text_and_changes_nothing()
    {
        await PublishAsync("dev", "g/app.json", """{"a": 1, "b": {"c": 2}}""");
        await PublishAsync("prod", "g/app.json", """{"z": 0}""");
        var setting = Assert.Single((await CompareAsync()).Settings);
        var shown = await PromoteAsync(Request(setting, [new PromotedKey("b:c")]) with { DryRun = true });
        Assert.Equal("""{"z": 0, "b": {"c": 2}}""", shown.Settings[0].Content);
        var line = Assert.Single(shown.Settings[0].Lines!);
        Assert.Equal(("b:c", null, "2"), (line.Path, line.Before?.GetString(), line.After?.GetString()));
        Assert.Equal("""{"z": 0}""", await TextAsync("prod", "g/app.json"));
    }

    [Fact]
    public async Task Several_settings_are_one_changeset_and_a_repeat_gets_the_first_answer()
    {
        await PublishAsync("dev", "g/a.txt", "one");
        await PublishAsync("dev", "h/b.properties", "x=1\n");
        var request = Whole(await CompareAsync()) with { Id = Guid.Parse("0197a000-0000-7000-8000-0000000000aa") };
        var first = await PromoteAsync(request);
        Assert.Equal(2, first.Changeset.Changes.Count);
        var second = await PromoteAsync(request);
        Assert.Equal(first.Changeset.Revision, second.Changeset.Revision);
        Assert.Equal("one", await TextAsync("prod", "g/a.txt"));
    }

    [Fact]
    public async Task What_is_gone_from_the_source_is_taken_away_and_what_is_the_targets_own_is_not()
    {
        await PublishAsync("dev", "g/gone.yaml", "a: 1\n");
        await PublishAsync("prod", "g/own.yaml", "a: 1\n");
        await PromoteAsync(Request((await CompareAsync()).Settings[0], null));
        await Open.DeleteAsync("setting", "dev", "g/gone.yaml");
        var compared = await CompareAsync();
        var answer = await PromoteAsync(Whole(compared));
        Assert.Equal(["deleted", "unchanged"], answer.Changeset.Changes.Select(change => change.Result));
    }

    [Fact]
    public async Task Publishing_the_text_alone_keeps_where_it_was_promoted_from()
    {
        await PublishAsync("dev", "g/app.yaml", "a: 1\n");
        await PromoteAsync(Whole(await CompareAsync()));
        await PublishAsync("prod", "g/app.yaml", "a: 2\n");
        Assert.Equal("changed-in-to", Assert.Single(Assert.Single((await CompareAsync()).Settings).Keys!).State);
    }

    [Fact]
    public async Task Compacted_history_leaves_no_base()
    {
        await PublishAsync("dev", "g/app.yaml", "a: 1\n");
        await PromoteAsync(Whole(await CompareAsync()));
        await PublishAsync("dev", "g/app.yaml", "a: 2\n");
        var head = Open.Running.Node.Snapshots.Current.Revision;
        using var compacted = await Open.Local.PostAsync($"/groundwork/v1/compact?floor={head}", null);
        Assert.True(compacted.IsSuccessStatusCode);
        var setting = Assert.Single((await CompareAsync()).Settings);
        Assert.Null(setting.Base);
        Assert.Equal("conflict", Assert.Single(setting.Keys!).State);
    }

    [Fact]
    public async Task Secrets_are_compared_and_promoted_without_being_shown()
    {
        await PutSecretAsync("dev", "hunter2: a\n");
        await PutSecretAsync("prod", "hunter2: b\n");
        var blind = Open.Running.Client(await Open.Running.MintAsync("blind", [], [
            new Grant(["read", "write"], ["setting"], ["dev", "prod"])]));
        var compared = await CompareAsync(blind);
        Assert.Equal(("different", true), (Assert.Single(compared.Settings).State, compared.Settings[0].Secret));
        Assert.Null(compared.Settings[0].Keys);
        using var refused = await SendAsync(
            Request(compared.Settings[0], [new PromotedKey("hunter2", "from")]), blind);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        var half = Open.Running.Client(await Open.Running.MintAsync("half", [], [
            new Grant(["read", "write"], ["setting"], ["dev", "prod"]),
            new Grant(["read-secret"], ["setting"], ["dev"])]));
        using var promoted = await SendAsync(
            Request(compared.Settings[0], [new PromotedKey("hunter2", "from")]), half);
        var answer = await promoted.Content.ReadAsStringAsync();
        Assert.True(promoted.IsSuccessStatusCode, answer);
        Assert.DoesNotContain("hunter2", answer, StringComparison.Ordinal);
        Assert.Equal("hunter2: a\n", await TextAsync("prod", "g/secret.yaml"));
    }

    [Fact]
    public async Task A_promoted_secret_stays_one()
    {
        await PutSecretAsync("dev", "a: 1\n");
        await PublishAsync("prod", "g/secret.yaml", "a: 0\n");
        var setting = Assert.Single((await CompareAsync()).Settings);
        await PromoteAsync(Request(setting, [new PromotedKey("a", "from")]));
        var raw = await Open.Local.GetStringAsync("/groundwork/v1/resources/setting/prod/g/secret.yaml");
        Assert.Contains("\"secret\":\"sha256:", raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_and_bodies_with_faults_are_refused()
    {
        foreach (var (query, code) in new[]
        {
            ("from=dev&to=dev", "bad_request"), ("from=Dev&to=prod", "namespace_invalid"), ("from=dev", "bad_request"),
        })
        {
            using var answer = await Open.Local.GetAsync($"/groundwork/v1/settings-comparison?{query}");
            Assert.Equal(code, (await Open.ProblemAsync(answer)).Code);
        }
        var some = new PromotedSetting("g", "d", 0, 0);
        foreach (var (request, code) in new[]
        {
            (new PromotionRequest("dev", "prod", []), "bad_request"),
            (new PromotionRequest("dev", "prod", [some, some]), "changeset_duplicate_key"),
            (new PromotionRequest("dev", "prod", [some]), "setting_not_found"),
            (new PromotionRequest("dev", "prod", [some with { DataId = "no good" }]), "name_invalid"),
        })
        {
            using var answer = await SendAsync(request);
            Assert.Equal(code, (await Open.ProblemAsync(answer)).Code);
        }
    }

    private Task<long> PutSecretAsync(string @namespace, string text) => Open.CommitAsync(Change.Put(
        SettingKind.Kind, @namespace, "g/secret.yaml", new SettingSpec("yaml", text, Secret: true)));

    private async Task PublishAsync(string @namespace, string name, string text)
    {
        using var answer = await Open.Local.PutAsync(
            $"/groundwork/v1/settings/{@namespace}/{name}", new StringContent(text, Encoding.UTF8));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private Task<string> TextAsync(string @namespace, string name) =>
        Open.Local.GetStringAsync($"/groundwork/v1/settings/{@namespace}/{name}");

    private async Task<SettingComparison> CompareAsync(HttpClient? client = null) =>
        await (client ?? Open.Local).GetFromJsonAsync(
            "/groundwork/v1/settings-comparison?from=dev&to=prod", WireJson.Strict.SettingComparison)
        ?? throw new InvalidDataException("The comparison is null.");

    private static PromotionRequest Whole(SettingComparison comparison) => new(
        "dev", "prod", [.. comparison.Settings.Select(setting => Request(setting, null).Settings[0])]);

    private static PromotionRequest Keys(SettingDifference setting, params string[] keys) =>
        Request(setting, [.. keys.Select(key => new PromotedKey(key))]);

    private static PromotionRequest Request(SettingDifference setting, IReadOnlyList<PromotedKey>? keys) => new(
        "dev", "prod",
        [new PromotedSetting(setting.Group, setting.DataId, setting.FromRevision, setting.ToRevision, keys)]);

    private async Task<PromotionAnswer> PromoteAsync(PromotionRequest request)
    {
        using var answer = await SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync(WireJson.Strict.PromotionAnswer)
            ?? throw new InvalidDataException("The answer is null.");
    }

    private Task<HttpResponseMessage> SendAsync(PromotionRequest request, HttpClient? client = null) =>
        (client ?? Open.Local).PostAsJsonAsync(
            "/groundwork/v1/settings-promotions", request, WireJson.Strict.PromotionRequest);
}
