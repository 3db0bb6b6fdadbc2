using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings;

public sealed class SettingsApiTests
{
    [Theory]
    [InlineData("g/a.json", "{\"a\":1}", "json", "application/json; charset=utf-8")]
    [InlineData("g/a.yml", "a: 1\n", "yaml", "application/yaml; charset=utf-8")]
    [InlineData("g/a.xml", "<a/>", "xml", "application/xml; charset=utf-8")]
    [InlineData("g/a.properties", "a=1\n", "properties", "text/x-java-properties; charset=utf-8")]
    [InlineData("g/a", "é ☃ 🙂", "text", "text/plain; charset=utf-8")]
    public async Task A_text_is_read_as_it_was_published(string name, string text, string format, string mediaType)
    {
        await using var open = await OpenSettings.StartAsync();
        var revision = await open.MustPublishAsync(name, text);

        using var answer = await open.GetAsync($"/{name}");
        Assert.Equal(text, await answer.Content.ReadAsStringAsync());
        Assert.Equal(mediaType, answer.Content.Headers.ContentType?.ToString());
        Assert.Equal($"\"{revision}\"", answer.Headers.ETag?.Tag);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal($"{revision}", Assert.Single(answer.Headers.GetValues(Wire.HeaderNames.Revision)));
        var listed = Assert.Single((await open.SnapshotAsync()).Settings);
        Assert.Equal((format, text, revision, false), (listed.Format, listed.Content, listed.Revision, listed.Secret));
    }

    [Fact]
    public async Task A_text_that_is_not_of_its_format_has_its_own_code_and_the_places_in_the_text()
    {
        await using var open = await OpenSettings.StartAsync();
        using var answer = await open.PublishAsync("g/a.yaml", "a: 1\nb: 2\na: 3\nb: 4\n");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var problem = await open.ProblemAsync(answer);
        Assert.Equal("setting_syntax", problem.Code);
        Assert.Equal(
            [("", 3, 1), ("", 4, 1)],
            problem.Fields?.Select(field => (field.Path, field.Line ?? 0, field.Column ?? 0)));
        Assert.Empty((await open.SnapshotAsync()).Settings);
    }

    [Fact]
    public async Task A_new_text_keeps_what_is_known_of_the_setting_beside_it()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("yaml", "a: 1", Secret: true, Description: "what it is for"));
        await open.MustPublishAsync("g/a", "a: 2");

        var setting = Assert.Single((await open.SnapshotAsync()).Settings);
        Assert.Equal(("yaml", "a: 2", true), (setting.Format, setting.Content, setting.Secret));
        var resource = await open.Local.GetStringAsync("/groundwork/v1/resources/setting/default/g/a");
        Assert.Contains("what it is for", resource, StringComparison.Ordinal);
        Assert.DoesNotContain("a: 2", resource, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_is_made_secret_while_texts_are_published_stays_secret()
    {
        await using var open = await OpenSettings.StartAsync();
        for (var round = 0; round < 20; round++)
        {
            var name = $"g/{round}";
            await open.MustPublishAsync(name, "0");
            var publishers = Enumerable.Range(1, 8).Select(number => open.PublishAsync(name, $"{number}"));
            var secrecy = open.PutAsync(name, new SettingSpec("text", "s", Secret: true));
            foreach (var answer in await Task.WhenAll(publishers)) answer.Dispose();
            await secrecy;
            await open.MustPublishAsync(name, "last");
        }
        Assert.All((await open.SnapshotAsync()).Settings, setting => Assert.True(setting.Secret, setting.DataId));
    }

    [Fact]
    public async Task A_publication_that_is_repeated_by_its_id_is_made_once()
    {
        await using var open = await OpenSettings.StartAsync();
        var id = ("Idempotency-Key", "0197a000-0000-7000-8000-000000000001");
        using var first = await open.PublishAsync("g/a", "1", headers: id);
        await open.MustPublishAsync("g/a", "2");
        using var again = await open.PublishAsync("g/a", "1", headers: id);

        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        Assert.Equal("2", Assert.Single((await open.SnapshotAsync()).Settings).Content);
        using var other = await open.PublishAsync("g/a", "3", headers: id);
        Assert.Equal("changeset_id_reused", (await open.ProblemAsync(other)).Code);
    }

    [Fact]
    public async Task A_condition_of_the_caller_holds()
    {
        await using var open = await OpenSettings.StartAsync();
        var revision = await open.MustPublishAsync("g/a", "1");
        using var stale = await open.PublishAsync("g/a", "2", headers: ("If-Match", $"\"{revision - 1}\""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.StatusCode);
        using var taken = await open.PublishAsync("g/a", "2", headers: ("If-None-Match", "*"));
        Assert.Equal(HttpStatusCode.PreconditionFailed, taken.StatusCode);
        using var right = await open.PublishAsync("g/a", "2", headers: ("If-Match", $"\"{revision}\""));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task A_snapshot_holds_the_groups_asked_for_and_withholds_secrets_from_those_without_the_right()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a", "1");
        await open.MustPublishAsync("h/b", "2");
        await open.PutAsync("h/secret", new SettingSpec("text", "hidden", Secret: true));
        using var reader = open.Running.Client(await open.Running.MintAsync("reader", [BuiltInRoles.Reader]));

        Assert.Equal(["a"], (await open.SnapshotAsync("?group=g")).Settings.Select(setting => setting.DataId));
        var seen = await open.SnapshotAsync("?group=h&group=none", reader);
        Assert.Equal(["b"], seen.Settings.Select(setting => setting.DataId));
        Assert.Equal(["h/secret"], seen.Withheld);
        using var refused = await open.GetAsync("/h/secret", reader);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task A_secret_that_is_read_is_in_the_audit_trail()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("text", "hidden", Secret: true));
        using var client = open.Running.Client(
            await open.Running.MintAsync("program", [], [new Grant(["read", "read-secret"], ["setting"])]));
        Assert.Equal("hidden", await (await open.GetAsync("/g/a", client)).Content.ReadAsStringAsync());

        await Eventually.TrueAsync(
            async () => (await open.Local.GetStringAsync(
                    "/groundwork/v1/audit?action=secret-read&principal=key:program"))
                .Contains("setting default/g/a", StringComparison.Ordinal),
            "the read is audited");
    }

    [Fact]
    public async Task A_secret_that_comes_back_as_it_was_exported_keeps_its_content()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.PutAsync("g/a", new SettingSpec("yaml", "a: 1", Secret: true));
        var shown = await open.Local.GetStringAsync("/groundwork/v1/resources/setting/default/g/a");
        var content = JsonNode.Parse(shown)?["spec"]?["content"]?.ToJsonString();
        Assert.Contains("sha256:", content, StringComparison.Ordinal);

        using var same = await PutAsync(content, secret: true, "now described");
        Assert.Equal(HttpStatusCode.OK, same.StatusCode);
        Assert.Equal("a: 1", Assert.Single((await open.SnapshotAsync()).Settings).Content);
        using var other = await PutAsync("""{"secret":"sha256:0123456789abcdef"}""", secret: true, "");
        Assert.Equal("secret_mismatch", (await open.ProblemAsync(other)).Code);
        using var inClear = await PutAsync(content, secret: false, "");
        Assert.Equal("spec.content", Assert.Single((await open.ProblemAsync(inClear)).Fields ?? []).Path);

        Task<HttpResponseMessage> PutAsync(string? masked, bool secret, string description) => open.Local.PutAsync(
            "/groundwork/v1/resources/setting/default/g/a",
            new StringContent(
                $$$"""
                {"spec":{"format":"yaml","content":{{{masked}}},"secret":{{{(secret ? "true" : "false")}}},
                "description":"{{{description}}}"}}
                """,
                Encoding.UTF8,
                "application/json"));
    }
}
