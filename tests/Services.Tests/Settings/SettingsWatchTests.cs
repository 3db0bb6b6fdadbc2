using System.Net;
using System.Net.Http.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings;

public sealed class SettingsWatchTests
{
    private const string Role = "watcher";

    [Fact]
    public async Task A_publication_comes_once_and_of_the_groups_asked_for()
    {
        await using var open = await OpenSettings.StartAsync();
        await using var watch = await open.WatchAsync("?group=g");
        await open.MustPublishAsync("h/other", "0");
        var revision = await open.MustPublishAsync("g/a", "1");

        var news = await watch.NewsAsync();
        Assert.Equal(revision, news.Revision);
        Assert.Equal([("a", "1")], news.Settings.Select(setting => (setting.DataId, setting.Content)));
        Assert.Empty(news.Removed ?? []);

        await open.MustPublishAsync("g/a", "2");
        Assert.Equal("2", Assert.Single((await watch.NewsAsync()).Settings).Content);
        await open.DeleteAsync(SettingKind.Name, "default", "g/a");
        Assert.Equal(["g/a"], (await watch.NewsAsync()).Removed);
    }

    [Fact]
    public async Task A_changeset_is_never_half_seen()
    {
        await using var open = await OpenSettings.StartAsync();
        await using var watch = await open.WatchAsync();
        for (var round = 1; round <= 50; round++)
        {
            await open.CommitAsync(
                Change.Put(SettingKind.Kind, "default", "g/a", new SettingSpec("text", $"{round}")),
                Change.Put(SettingKind.Kind, "default", "h/b", new SettingSpec("text", $"{round}")));
        }
        var seen = "";
        while (seen != "50")
        {
            var news = await watch.NewsAsync();
            Assert.Equal(2, news.Settings.Count);
            Assert.Equal(news.Settings[0].Content, news.Settings[1].Content);
            seen = news.Settings[0].Content;
        }
    }

    [Fact]
    public async Task A_reader_that_comes_back_is_sent_everything_unless_nothing_happened()
    {
        await using var open = await OpenSettings.StartAsync();
        var first = await open.MustPublishAsync("g/a", "1");
        await open.MustPublishAsync("g/b", "2");
        var last = await open.DeleteAsync(SettingKind.Name, "default", "g/a");

        await using var behind = await open.WatchAsync($"?after={first}");
        var whole = await behind.NewsAsync();
        Assert.Null(whole.Removed);
        Assert.Equal(["b"], whole.Settings.Select(setting => setting.DataId));
        await using var level = await open.WatchAsync($"?after={last}");
        Assert.Equal("progress", (await level.NextAsync()).Event);
    }

    [Fact]
    public async Task A_watch_ends_when_its_access_key_is_revoked()
    {
        await using var open = await OpenSettings.StartAsync();
        using var client = open.Running.Client(await open.Running.MintAsync("program", [BuiltInRoles.Administrator]));
        await using var watch = await open.WatchAsync("", client);
        await open.DeleteAsync(SecurityKinds.AccessKey.Name, "", "program");
        await open.MustPublishAsync("g/a", "not for it");

        Assert.Equal("unauthenticated", await watch.EndAsync());
    }

    [Fact]
    public async Task A_reader_that_loses_rights_is_told_what_it_has_no_longer()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/open", "1");
        await open.PutAsync("g/secret", new SettingSpec("text", "hidden", Secret: true));
        await open.GrantAsync(Role, "read", "read-secret");
        using var client = open.Running.Client(await open.Running.MintAsync("program", [Role]));
        await using var watch = await open.WatchAsync("", client);

        await open.GrantAsync(Role, "read");
        var narrowed = await watch.NewsAsync();
        Assert.Equal(["g/secret"], narrowed.Removed);
        Assert.Equal(["g/secret"], narrowed.Withheld);
        Assert.Empty(narrowed.Settings);

        await open.GrantAsync(Role, "discover");
        Assert.Equal(["g/open", "g/secret"], (await watch.NewsAsync()).Removed?.Order(StringComparer.Ordinal));

        await open.GrantAsync(Role, "read", "read-secret");
        Assert.Equal(
            ["1", "hidden"],
            (await watch.NewsAsync()).Settings.Select(one => one.Content).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_reader_without_the_right_to_secrets_gets_their_names()
    {
        await using var open = await OpenSettings.StartAsync();
        using var client = open.Running.Client(await open.Running.MintAsync("program", [BuiltInRoles.Reader]));
        await using var watch = await open.WatchAsync("", client);
        await open.PutAsync("g/secret", new SettingSpec("text", "hidden", Secret: true));

        var news = await watch.NewsAsync();
        Assert.Empty(news.Settings);
        Assert.Equal(["g/secret"], news.Withheld);
    }

    [Fact]
    public async Task Watches_of_a_sign_in_end_with_it()
    {
        await using var open = await OpenSettings.StartAsync();
        var (client, _) = await open.SignInAsync();
        await using var settings = await open.WatchAsync("", client);
        await using var resources = await SettingsStream.OpenAsync(client, "/groundwork/v1/watch?kind=setting");
        Assert.Equal("progress", (await resources.NextAsync()).Event);
        using var answer = await client.PostAsync("/groundwork/v1/sign-out", content: null);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        await open.MustPublishAsync("g/a", "not for it");

        Assert.Equal("unauthenticated", await settings.EndAsync());
        Assert.Equal("unauthenticated", await resources.EndAsync());
    }

    [Fact]
    public async Task A_watch_of_resources_follows_the_rights_and_the_key_of_its_caller()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.GrantAsync(Role, "read");
        using var client = open.Running.Client(await open.Running.MintAsync("program", [Role]));
        await using var watch = await SettingsStream.OpenAsync(client, "/groundwork/v1/watch?kind=setting");
        Assert.Equal("progress", (await watch.NextAsync()).Event);
        await open.MustPublishAsync("g/a", "1");
        Assert.Contains("g/a", (await watch.NextAsync()).Content, StringComparison.Ordinal);

        // The key's own roles change, not only what a role grants.
        await open.CommitAsync(Change.Put(SecurityKinds.Role, "", "blind", new RoleSpec([])));
        var key = open.Running.Node.Snapshots.Current.Find(SecurityKinds.AccessKey.Name, "", "program")
            ?? throw new InvalidOperationException("There is no key.");
        await open.CommitAsync(Change.Put(
            SecurityKinds.AccessKey, "", "program", key.As<AccessKeySpec>() with { Roles = ["blind"] }));
        await open.MustPublishAsync("g/unseen", "2");
        await open.CommitAsync(Change.Put(
            SecurityKinds.AccessKey, "", "program", key.As<AccessKeySpec>() with { Roles = [Role] }));
        await open.MustPublishAsync("g/seen", "3");
        var next = await watch.NextAsync();
        while (next.Event == "progress") next = await watch.NextAsync();
        Assert.Contains("g/seen", next.Content, StringComparison.Ordinal);

        await open.DeleteAsync(SecurityKinds.AccessKey.Name, "", "program");
        await open.MustPublishAsync("g/gone", "4");
        Assert.Equal("unauthenticated", await watch.EndAsync());
    }

    [Fact]
    public async Task A_secret_read_by_a_watch_is_audited_with_the_address()
    {
        await using var open = await OpenSettings.StartAsync();
        using var client = open.Running.Client(await open.Running.MintAsync("program", [BuiltInRoles.Administrator]));
        await using var watch = await open.WatchAsync("", client);
        await open.PutAsync("g/secret", new SettingSpec("text", "hidden", Secret: true));
        Assert.Equal("hidden", Assert.Single((await watch.NewsAsync()).Settings).Content);

        await Eventually.TrueAsync(
            async () => (await open.Local.GetFromJsonAsync(
                "/groundwork/v1/audit?action=secret-read", WireJson.Strict.AuditList))?.Items
                .Any(row => row is { Principal: "key:program", Address: "127.0.0.1" }) == true,
            "the read is audited");
    }
}
