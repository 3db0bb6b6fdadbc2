using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Documents;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>The tools around settings, with the real executable.</summary>
public sealed class SettingToolsTests : IDisposable
{
    private const string Secret = "hunter2-hunter2";

    private readonly TemporaryDirectory directory = new();

    [Theory]
    [InlineData("folder")]
    [InlineData("zip")]
    public async Task What_was_exported_is_imported_elsewhere_and_once_more_is_no_change(string form)
    {
        await using var node = await GroundworkProcess.StartNodeAsync();
        using var local = node.Local();
        await FillAsync(local);
        var path = directory.Combine("out");
        await MustAsync(node, "settings", "export", path, "-n", "dev", "--as", form, "--reveal");
        var (exit, output, _) = await node.VerbAsync("", "settings", "import", path, "-n", "dev");
        Assert.Equal((0, true), (exit, output.Contains("nothing to change", StringComparison.Ordinal)));

        await MustAsync(node, "settings", "import", path, "-n", "prod", "--dry-run");
        Assert.Empty((await ListAsync(local, "prod")).AsArray());
        await MustAsync(node, "settings", "import", path, "-n", "prod");
        foreach (var name in new[] { "g/app.yaml", "g/a", "g/a/b.txt", "g/sub/x@1:2.json", "g/secret.txt" })
            Assert.Equal(
                await local.GetStringAsync($"settings/dev/{name}"),
                await local.GetStringAsync($"settings/prod/{name}"));
        Assert.Equal(
            Masked(await ListAsync(local, "dev")), Masked(await ListAsync(local, "prod")));

        await PutAsync(local, "settings/prod/g/app.yaml", "a: other\n");
        await PutAsync(local, "settings/prod/g/more.txt", "more");
        Assert.Equal(5, (await node.VerbAsync("", "settings", "import", path, "-n", "prod")).ExitCode);
        Assert.Equal("a: other\n", await local.GetStringAsync("settings/prod/g/app.yaml"));
        await MustAsync(node, "settings", "import", path, "-n", "prod", "--conflict", "skip");
        Assert.Equal("a: other\n", await local.GetStringAsync("settings/prod/g/app.yaml"));
        await MustAsync(node, "settings", "import", path, "-n", "prod", "--conflict", "overwrite", "--prune");
        Assert.Equal("# ü\na: 1\n", await local.GetStringAsync("settings/prod/g/app.yaml"));
        using var pruned = await local.GetAsync("settings/prod/g/more.txt");
        Assert.Equal(HttpStatusCode.NotFound, pruned.StatusCode);
    }

    [Fact]
    public async Task A_secret_is_exported_masked_and_comes_back_to_its_own_place_alone()
    {
        await using var node = await GroundworkProcess.StartNodeAsync();
        using var local = node.Local();
        await FillAsync(local);
        var path = directory.Combine("masked");
        await MustAsync(node, "settings", "export", path, "-n", "dev");
        foreach (var file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(Secret, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        await MustAsync(node, "settings", "import", path, "-n", "dev");
        Assert.Equal(Secret, await local.GetStringAsync("settings/dev/g/secret.txt"));
        Assert.NotEqual(0, (await node.VerbAsync("", "settings", "import", path, "-n", "prod")).ExitCode);
    }

    [Theory]
    [InlineData("../out.txt")]
    [InlineData("/etc/passwd")]
    [InlineData("g/../../x")]
    [InlineData("g\\x")]
    public async Task A_zip_that_leads_out_of_itself_is_refused(string name)
    {
        await using var node = await GroundworkProcess.StartNodeAsync();
        var path = directory.Combine("bad.zip");
        await using (var file = File.Create(path))
        await using (var zip = new ZipArchive(file, ZipArchiveMode.Create))
        {
            await using var entry = zip.CreateEntry(name).Open();
            await entry.WriteAsync("x"u8.ToArray());
        }
        Assert.Equal(2, (await node.VerbAsync("", "settings", "import", path)).ExitCode);
    }

    [Fact]
    public async Task Kubernetes_yaml_has_the_data_that_kubectl_makes_of_the_same_files()
    {
        var kubectl = Tools.Require("kubectl", "kubernetes-client");
        await using var node = await GroundworkProcess.StartNodeAsync();
        using var local = node.Local();
        var files = Directory.CreateDirectory(directory.Combine("files")).FullName;
        foreach (var (name, text) in new[]
        {
            ("app.properties", "a=1\n"), ("UPPER_case-1.txt", "ü 日本\r\nline \n\ttab"), ("empty.txt", ""),
            ("numbers.txt", "0123"), ("yes.txt", "yes"), ("trailing.txt", "a\n\n\n"),
            ("nul.txt", "a\0b"), ("quotes.json", """{"a": "b'c\""}"""), ("long.txt", new string('x', 5_000)),
        })
        {
            await File.WriteAllTextAsync(Path.Combine(files, name), text, new UTF8Encoding(false));
            await PutAsync(local, $"settings/default/group-1/{name}", text);
        }
        foreach (var form in new[] { "configmap", "secret" })
        {
            var (exit, ours, error) = await node.VerbAsync(
                "", "settings", "export", "-", "--group", "group-1", "--as", form);
            Assert.True(exit == 0, error);
            string[] create = form == "secret" ? ["create", "secret", "generic"] : ["create", "configmap"];
            var theirs = await RunAsync(
                kubectl, [.. create, "group-1", $"--from-file={files}", "--dry-run=client", "-o", "yaml"]);
            var (mine, kubernetes) = (Read(ours), Read(theirs));
            Assert.Equal(kubernetes["kind"]?.ToJsonString(), mine["kind"]?.ToJsonString());
            Assert.Equal((string?)kubernetes["metadata"]?["name"], (string?)mine["metadata"]?["name"]);
            Assert.Null(kubernetes["binaryData"]);
            Assert.True(JsonNode.DeepEquals(kubernetes["data"], mine["data"]), $"{theirs}\n{ours}");
        }
        await PutAsync(local, "settings/default/group-1/a@b", "x");
        Assert.Equal(2, (await node.VerbAsync(
            "", "settings", "export", "-", "--group", "group-1", "--as", "configmap")).ExitCode);
    }

    [Fact]
    public async Task A_second_person_releases_what_is_published_and_promoted_where_a_policy_asks()
    {
        await using var node = await GroundworkProcess.StartNodeAsync();
        using var local = node.Local();
        await FillAsync(local);
        await PutSpecAsync(local, "resources/approval-policy/_/prod", new JsonObject
        {
            ["kinds"] = new JsonArray("setting"), ["namespaces"] = new JsonArray("prod"),
        });
        using var other = await ClientAsync(node, local, "second", new Grant(["*"], ["*"]));

        using var published = await local.PutAsync("settings/prod/h/a.txt", new StringContent("one"));
        Assert.Equal(HttpStatusCode.Accepted, published.StatusCode);
        await ReleaseAsync(node, local, other, "settings/prod/h/a.txt", "one");

        await MustAsync(node, "promote", "dev", "prod", "--setting", "g/app.yaml", "--reason", "release");
        Assert.Equal(1, (await node.VerbAsync("", "compare", "dev", "prod", "g")).ExitCode);
        await ReleaseAsync(node, local, other, "settings/prod/g/app.yaml", "# ü\na: 1\n");
        var (_, table, _) = await node.VerbAsync("", "compare", "dev", "prod", "g");
        Assert.DoesNotContain("app.yaml", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_dev_reads_prod_by_no_door()
    {
        await using var node = await GroundworkProcess.StartNodeAsync();
        using var local = node.Local();
        await FillAsync(local);
        await PutAsync(local, "settings/prod/g/app.yaml", "a: prods-own\n");
        await PutAsync(local, "settings/prod/g/app.yaml", "a: prods-own-2\n");
        using var dev = await ClientAsync(node, local, "dev", new Grant(["*"], ["*"], ["dev"]));
        foreach (var path in new[]
        {
            "resources/setting/prod/g/app.yaml", "resources/setting/prod/g/app.yaml?reveal=true",
            "resources/setting/prod/g/app.yaml?asOf=5", "resources/setting?namespace=prod",
            "history/setting/prod/g/app.yaml", "diff/setting/prod/g/app.yaml?from=1", "export?namespace=prod",
            "export?kind=setting", "changesets", "snapshot?kind=setting", "settings/prod", "settings/prod?group=g",
            "settings/prod/g/app.yaml", "settings-comparison?from=dev&to=prod", "settings-comparison?from=prod&to=dev",
            "settings/prod/receipts?setting=g/app.yaml", "settings/prod/readers", "proposals",
        })
        {
            using var answer = await dev.GetAsync(path);
            Assert.DoesNotContain(
                "prods-own", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        using var compared = await dev.GetAsync("settings-comparison?from=prod&to=dev");
        Assert.Equal(HttpStatusCode.Forbidden, compared.StatusCode);
        var revision = JsonNode.Parse(await local.GetStringAsync("resources/setting/prod/g/app.yaml"))?["revision"];
        foreach (var (from, to) in new[] { ("prod", "dev"), ("dev", "prod") })
        {
            using var promoted = await dev.PostAsJsonAsync(
                "settings-promotions",
                new PromotionRequest(
                    from, to, [new PromotedSetting("g", "app.yaml", (long?)revision ?? 0, 0)], DryRun: true),
                WireJson.Strict.PromotionRequest);
            Assert.Equal(HttpStatusCode.Forbidden, promoted.StatusCode);
        }
        using var follow = await dev.GetAsync(
            "settings/prod/watch?after=1", HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await follow.Content.ReadAsStreamAsync();
        var buffer = new byte[64 * 1024];
        var read = await stream.ReadAsync(buffer);
        Assert.DoesNotContain("prods-own", Encoding.UTF8.GetString(buffer, 0, read), StringComparison.Ordinal);
    }

    public void Dispose() => directory.Dispose();

    private static async Task FillAsync(HttpClient local)
    {
        foreach (var name in new[] { "dev", "prod" })
            await PutSpecAsync(local, $"resources/namespace/_/{name}", []);
        await PutAsync(local, "settings/dev/g/app.yaml", "# ü\na: 1\n");
        await PutAsync(local, "settings/dev/g/a", "file and folder");
        await PutAsync(local, "settings/dev/g/a/b.txt", "");
        await PutAsync(local, "settings/dev/g/sub/x@1:2.json", "{\"a\":\r\n1}");
        await PutAsync(local, "settings/dev/g/odd.bin?format=properties", "a=1");
        await PutSpecAsync(local, "resources/setting/dev/g/secret.txt", new JsonObject
        {
            ["format"] = "text", ["content"] = Secret, ["secret"] = true, ["description"] = "of the database",
        });
    }

    private static async Task ReleaseAsync(
        GroundworkProcess node, HttpClient local, HttpClient other, string path, string expected)
    {
        using var before = await local.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, before.StatusCode);
        var open = JsonNode.Parse(await local.GetStringAsync("proposals?state=proposed"));
        var name = (string?)Assert.Single(open!.AsArray())?["name"]; // The answer is a list.
        Assert.Equal(4, (await node.VerbAsync("", "approve", name ?? "")).ExitCode);
        using var approved = await other.PostAsync($"proposals/{name}/approve", null);
        Assert.True(approved.IsSuccessStatusCode, await approved.Content.ReadAsStringAsync());
        Assert.Equal(expected, await local.GetStringAsync(path));
    }

    private static async Task<HttpClient> ClientAsync(
        GroundworkProcess node, HttpClient local, string name, Grant grant)
    {
        await PutSpecAsync(local, $"resources/role/_/{name}", new JsonObject
        {
            ["grants"] = new JsonArray(new JsonObject
            {
                ["verbs"] = Array(grant.Verbs), ["kinds"] = Array(grant.Kinds),
                ["namespaces"] = Array(grant.Namespaces ?? ["*"]),
            }),
        });
        using var answer = await local.PostAsJsonAsync(
            "access-keys", new AccessKeyRequest(name, [name]), WireJson.Strict.AccessKeyRequest);
        var key = await answer.Content.ReadFromJsonAsync(WireJson.Strict.AccessKeyAnswer);
        var client = new HttpClient { BaseAddress = new Uri(node.Node.ApiAddress + "/groundwork/v1/") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key?.Secret);
        return client;
    }

    private static JsonArray Array(IReadOnlyList<string> items) => [.. items.Select(item => (JsonNode?)item)];

    private static async Task<JsonNode> ListAsync(HttpClient local, string @namespace) =>
        JsonNode.Parse(await local.GetStringAsync($"resources/setting?namespace={@namespace}"))?["items"]
        ?? throw new InvalidDataException("The list is null.");

    /// <summary>What must be the same in two namespaces: names, formats, descriptions, and what is secret.</summary>
    private static string Masked(JsonNode list) => string.Join('\n', list.AsArray().Select(item => $"{item?["name"]}"));

    private static JsonObject Read(string yaml) =>
        YamlReader.Read(yaml).Documents.FirstOrDefault()?.Root as JsonObject ?? [];

    private static async Task PutAsync(HttpClient local, string path, string text)
    {
        using var answer = await local.PutAsync(path, new ByteArrayContent(Encoding.UTF8.GetBytes(text)));
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync()}");
    }

    private static async Task PutSpecAsync(HttpClient local, string path, JsonObject spec)
    {
        using var answer = await local.PutAsync(
            path,
            new StringContent(
                new JsonObject { ["spec"] = spec }.ToJsonString(), Encoding.UTF8, "application/json"));
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync()}");
    }

    private static async Task MustAsync(GroundworkProcess node, params string[] arguments)
    {
        var (exit, output, error) = await node.VerbAsync("", arguments);
        Assert.True(exit == 0, $"{string.Join(' ', arguments)}: {exit}\n{output}{error}");
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, UseShellExecute = false,
        }) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}");
        return output;
    }
}
