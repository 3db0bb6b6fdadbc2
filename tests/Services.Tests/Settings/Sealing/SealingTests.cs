using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings.Sealing;

public sealed class SealingTests
{
    private const string Text = "p\"ä'<&>\\ ]]>\n# x";

    [Fact]
    public async Task Every_format_is_delivered_opened_and_kept_sealed()
    {
        await using var open = await OpenSettings.StartAsync();
        var value = await SealAsync(open, "default", Text);
        var cases = new Dictionary<string, (string Content, Func<string, string?> Read)>
        {
            ["a.json"] = ($$"""{"a": {"b": "{{value}}"}, "c": 1}""",
                text => JsonDocument.Parse(text).RootElement.GetProperty("a").GetProperty("b").GetString()),
            ["plain.yaml"] = ($"a:\n  b: {value} # note\nc: 1\n", ReadYaml),
            ["quoted.yaml"] = ($"a: {{b: \"{value}\"}}\nc: 1\n", ReadYaml),
            ["single.yaml"] = ($"a: &x\n  b: &y '{value}'\nc: 1\n", ReadYaml),
            ["block.yaml"] = ($"a:\n  b: |-\n    {value}\nc: 1\n", ReadYaml),
            ["a.properties"] = ($"# {value}\na.b = {value}\nc=1\n", text =>
                Unescape(text.Split('\n').First(line => line.StartsWith("a.b", StringComparison.Ordinal))[6..])),
            ["text.xml"] = ($"<c><!-- {value} --><a><b>{value}</b></a></c>", text => XElement.Parse(text).Value),
            ["attribute.xml"] = ($"<c x='>'><a b=\"{value}\"/></c>",
                text => (string?)XElement.Parse(text).Element("a")?.Attribute("b")),
            ["data.xml"] = ($"<c><![CDATA[{value}]]></c>", text => XElement.Parse(text).Value),
            ["a.txt"] = ($"{value}", text => text),
            ["f.flags"] = ($"flags: {{f: {{variants: {{x: {value}}}, default: x}}}}\n", text =>
                ReadScalar(text, "x: ")),
        };
        foreach (var (name, (content, _)) in cases) await open.MustPublishAsync($"g/{name}", content);

        var snapshot = await open.SnapshotAsync();
        foreach (var (name, (content, read)) in cases)
        {
            var setting = snapshot.Settings.Single(one => one.DataId == name);
            Assert.True(setting.Secret);
            Assert.Equal(Text, read(setting.Content));
            Assert.Equal(setting.Content, await open.Local.GetStringAsync($"/groundwork/v1/settings/default/g/{name}"));
            var raw = await open.Local.GetFromJsonAsync(
                $"/groundwork/v1/resources/setting/default/g/{name}?reveal=true", WireJson.Strict.ResourceDocument);
            Assert.Equal(content, raw?.Spec?.GetProperty("content").GetString());
        }
    }

    [Fact]
    public async Task Who_may_not_read_secrets_is_told_that_there_is_one_and_each_opening_is_audited()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.MustPublishAsync("g/a.yaml", $"password: {await SealAsync(open, "default", "hunter2")}\n");
        await open.MustPublishAsync("g/b.yaml", "a: 1\n");
        var reader = open.Running.Client(await open.Running.MintAsync("reader", [], [new Grant(["read"],
            ["setting"])]));
        var snapshot = await open.SnapshotAsync("", reader);
        Assert.Equal("b.yaml", Assert.Single(snapshot.Settings).DataId);
        Assert.Equal(["g/a.yaml"], snapshot.Withheld);
        using var refused = await open.GetAsync("/g/a.yaml", reader);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        var watch = await open.WatchAsync("?after=1", reader);
        Assert.Equal(["g/a.yaml"], (await watch.NewsAsync()).Withheld);
        await watch.DisposeAsync();

        await open.SnapshotAsync();
        await Eventually.TrueAsync(async () =>
        {
            var audit = await open.Local.GetStringAsync("/groundwork/v1/audit?action=secret-read");
            return audit.Contains("g/a.yaml", StringComparison.Ordinal);
        }, "the audit trail has the read");
    }

    [Fact]
    public async Task What_does_not_open_here_is_refused_at_publish_with_its_place()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.CommitAsync(Change.Put(Namespaces.Kind, "", "prod", new NamespaceSpec()));
        var value = await SealAsync(open, "prod", "hunter2");
        using var elsewhere = await open.PublishAsync("g/a.yaml", $"a: 1\nb: {value}\n");
        var problem = await open.ProblemAsync(elsewhere);
        Assert.Equal("setting_syntax", problem.Code);
        Assert.Equal((2, 4), (problem.Fields![0].Line, problem.Fields[0].Column));
        var right = await SealAsync(open, "default", "hunter2");
        foreach (var (name, content) in new[]
        {
            ("a.yaml", "a: sealed:v1:AAAA"), ("a.txt", right[..^3] + "AAA"), ("a.toml", $"a = \"{right}\""),
            ("a.xml", $"<a>{await SealAsync(open, "default", "\u0001")}</a>"),
            ("a.txt", string.Join(' ', Enumerable.Repeat(right, 257))),
        })
        {
            using var refused = await open.PublishAsync($"g/{name}", content);
            Assert.Equal("setting_syntax", (await open.ProblemAsync(refused)).Code);
        }
    }

    [Fact]
    public async Task A_sealed_value_is_compared_as_written_and_not_promoted()
    {
        await using var open = await OpenSettings.StartAsync();
        await open.CommitAsync(Change.Put(Namespaces.Kind, "", "prod", new NamespaceSpec()));
        var value = await SealAsync(open, "default", "hunter2");
        var revision = await open.MustPublishAsync("g/a.yaml", $"a: {value}\n");
        var compared = await open.Local.GetStringAsync("/groundwork/v1/settings-comparison?from=default&to=prod");
        Assert.Contains(value, compared, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", compared, StringComparison.Ordinal);
        using var promoted = await open.Local.PostAsJsonAsync(
            "/groundwork/v1/settings-promotions",
            new PromotionRequest("default", "prod", [new PromotedSetting("g", "a.yaml", revision, 0)], DryRun: true),
            WireJson.Strict.PromotionRequest);
        Assert.Equal("resource_invalid", (await open.ProblemAsync(promoted)).Code);
    }

    [Fact]
    public async Task Old_values_open_after_a_rotation_and_a_restart()
    {
        using var directory = new TemporaryDirectory();
        string value;
        string first;
        await using (var node = await RunningNode.StartAsync([new SettingsModule()], directory: directory.Combine("d")))
        {
            var keys = await KeysAsync(node.Local);
            first = Assert.Single(keys).Id;
            value = SealedValue.Seal(first, Convert.FromBase64String(keys[0].PublicKey), "default", "hunter2");
            using var put = await node.Local.PutAsync(
                "/groundwork/v1/settings/default/g/a.txt", new StringContent(value));
            Assert.True(put.IsSuccessStatusCode);
            using var rotated = await node.Local.PostAsync("/groundwork/v1/sealing-keys/rotate", null);
            Assert.True(rotated.IsSuccessStatusCode);
            // Announced, and not given out before every node knows it.
            Assert.Equal(first, Assert.Single(await KeysAsync(node.Local)).Id);
        }
        await using var again = await RunningNode.StartAsync([new SettingsModule()], directory: directory.Combine("d"));
        Assert.Equal("hunter2", await again.Local.GetStringAsync("/groundwork/v1/settings/default/g/a.txt"));
    }

    private static async Task<IReadOnlyList<SealingKeyDocument>> KeysAsync(HttpClient client) =>
        await client.GetFromJsonAsync(
            "/groundwork/v1/sealing-keys", WireJson.Strict.IReadOnlyListSealingKeyDocument) ?? [];

    private static async Task<string> SealAsync(OpenSettings open, string @namespace, string text)
    {
        var key = (await KeysAsync(open.Local))[0];
        Assert.True(key.Current);
        return SealedValue.Seal(key.Id, Convert.FromBase64String(key.PublicKey), @namespace, text);
    }

    private static string? ReadYaml(string text)
    {
        var root = Kernel.Documents.YamlReader.Read(text).Documents[0].Root;
        Assert.Equal("1", root?["c"]?.ToJsonString());
        return (string?)root?["a"]?["b"];
    }

    private static string? ReadScalar(string text, string after) =>
        (string?)Kernel.Documents.YamlReader.Read(text).Documents[0].Root?["flags"]?["f"]?["variants"]?[after[..1]];

    private static string Unescape(string text) => text.Replace("\\\\", "\0", StringComparison.Ordinal)
        .Replace("\\n", "\n", StringComparison.Ordinal).Replace("\0", "\\", StringComparison.Ordinal);
}
