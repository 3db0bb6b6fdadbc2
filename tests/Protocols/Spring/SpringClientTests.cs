using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.Protocols.Spring;

/// <summary>npm's cloud-config-client, as published, against a node.</summary>
public sealed class SpringClientTests(NpmClients clients)
{
    [Fact]
    public async Task The_client_reads_settings_in_order_of_precedence()
    {
        await using var node = await StartAsync();
        await PublishAsync(node, "shared/application.yaml", "a: application\nb: application\nc: application\nd: 1\n");
        await PublishAsync(node, "orders/orders.properties", "a=app\nb=app\nlist[0]=x\n");
        await PublishAsync(node, "shared/application-dev.json", """{"a":"application-dev","nested":{"n":[1,true]}}""");
        await PublishAsync(node, "orders/orders-eu.yaml", "e: eu\na: eu\n");
        await using var client = clients.Run("spring.mjs");
        var ready = await client.NextAsync("ready");
        Assert.Equal("1.6.2", ready.GetProperty("version").GetString());
        var one = await LoadAsync(client, node, "orders", "dev");
        Assert.Equal("application-dev", one.GetProperty("properties").GetProperty("a").GetString());
        Assert.Equal("app", one.GetProperty("properties").GetProperty("b").GetString());
        Assert.Equal("application", one.GetProperty("properties").GetProperty("c").GetString());
        Assert.Equal(JsonValueKind.Number, one.GetProperty("properties").GetProperty("d").ValueKind);
        Assert.Equal(
            """{"n":[1,true]}""", one.GetProperty("object").GetProperty("nested").GetRawText());
        Assert.Equal("""["x"]""", one.GetProperty("object").GetProperty("list").GetRawText());
        // Of two profiles the later one counts.
        var two = await LoadAsync(client, node, "orders", "dev,eu");
        Assert.Equal("eu", two.GetProperty("properties").GetProperty("a").GetString());
        Assert.Equal("""["dev","eu"]""", two.GetProperty("raw").GetProperty("profiles").GetRawText());
        // Read again after a change: other properties, another version.
        await PublishAsync(node, "orders/orders-eu.yaml", "a: changed\n");
        var changed = await LoadAsync(client, node, "orders", "dev,eu");
        Assert.Equal("changed", changed.GetProperty("properties").GetProperty("a").GetString());
        Assert.NotEqual(VersionOf(two), VersionOf(changed));
        Assert.Equal(VersionOf(one), VersionOf(await LoadAsync(client, node, "orders", "dev")));
        await client.EndAsync();
    }

    [Fact]
    public async Task The_client_names_a_label_and_is_refused_without_a_credential()
    {
        await using var node = await StartAsync();
        await CommitAsync(
            node, Change.Put(Namespaces.Kind, "", "prod", new NamespaceSpec()),
            Change.Put(SettingKind.Kind, "prod", "orders/orders.yaml", new SettingSpec("yaml", "where: prod")));
        await using var client = clients.Run("spring.mjs");
        var prod = await LoadAsync(client, node, "orders", "dev", "prod");
        Assert.Equal("prod", prod.GetProperty("properties").GetProperty("where").GetString());
        Assert.Equal("prod", prod.GetProperty("raw").GetProperty("label").GetString());
        var none = await LoadAsync(client, node, "my app", "dev");
        Assert.Equal("{}", none.GetProperty("properties").GetRawText());
        await TellAsync(client, node, "orders", "dev", "feature/x");
        Assert.Equal("Invalid response: 404", (await client.NextAsync("refused")).GetProperty("message").GetString());
        await TellAsync(client, node, "orders", "dev", label: null, password: "wrong");
        Assert.Equal("Invalid response: 401", (await client.NextAsync("refused")).GetProperty("message").GetString());
        await client.EndAsync();
    }

    [Fact]
    public async Task The_client_reads_at_the_prefix_of_the_shared_listener_too()
    {
        await using var node = await StartAsync();
        await PublishAsync(node, "orders/orders.yaml", "a: 1\n");
        await using var client = clients.Run("spring.mjs");
        var api = new Uri(node.Node.Listeners.UrlOf(ListenerDefinition.Api), "config").ToString();
        var read = await LoadAsync(client, node, "orders", "dev", endpoint: api);
        Assert.Equal(1, read.GetProperty("properties").GetProperty("a").GetInt32());
        await client.EndAsync();
    }

    [Fact]
    public async Task The_client_reads_a_git_repository_by_branch_tag_and_commit()
    {
        using var git = new GitRepository();
        var first = git.Commit(("orders.yml", "a: first\nlist: [1, x]\n"), ("application.yml", "b: all\n"));
        git.Run("tag", "v1");
        git.Run("checkout", "--quiet", "-b", "feature/x");
        var branch = git.Commit(("orders-dev.properties", "a=branch\n"));
        git.Run("checkout", "--quiet", "main");
        await using var node = await StartAsync();
        await CommitAsync(
            node, Change.Put(ConfigSourceKind.Kind, "", "shop", new ConfigSourceSpec(Git: git.Url, RefreshSeconds: 1)));
        await using var client = clients.Run("spring.mjs");
        var main = await LoadAsync(client, node, "orders", "dev");
        Assert.Equal(
            """{"b":"all","a":"first","list":[1,"x"]}""", main.GetProperty("object").GetRawText());
        Assert.Equal(first, VersionOf(main));
        foreach (var (label, value, version) in new[]
        {
            ("v1", "first", first), ("feature/x", "branch", branch), ("feature(_)x", "branch", branch),
            (first, "first", first),
        })
        {
            var read = await LoadAsync(client, node, "orders", "dev", label);
            Assert.Equal(value, read.GetProperty("properties").GetProperty("a").GetString());
            Assert.Equal(version, VersionOf(read));
        }
        await TellAsync(client, node, "orders", "dev", "none");
        Assert.Equal("Invalid response: 404", (await client.NextAsync("refused")).GetProperty("message").GetString());
        var next = git.Commit(("orders.yml", "a: next\n"));
        var now = await Eventually.ValueAsync(
            () => LoadAsync(client, node, "orders", "dev"), read => VersionOf(read) == next, "the commit is there");
        Assert.Equal("next", now.GetProperty("properties").GetProperty("a").GetString());
        await client.EndAsync();
    }

    internal static Task<RunningNode> StartAsync() => RunningNode.StartAsync([new SettingsModule()], one => one with
    {
        FileRoots = [Path.GetTempPath()],
        Listeners = one.Listeners.SetItem(
            ProtocolListeners.SpringConfig.Name,
            new ListenerOptions { Address = ListenAddress.Parse("127.0.0.1:0", "The test's address") }),
    });

    internal static async Task CommitAsync(RunningNode node, params Change[] changes)
    {
        var log = node.Node.Changes ?? throw new InvalidOperationException("There is no store.");
        var outcome = await log.CommitAsync(
            new Changeset(Principal.System("test"), [.. changes]), CancellationToken.None);
        if (!outcome.TryGet(out _, out var fault)) throw new InvalidOperationException(fault.ToString());
    }

    internal static Task PublishAsync(RunningNode node, string name, string text) => CommitAsync(
        node, Change.Put(SettingKind.Kind, "default", name, new SettingSpec(SettingKind.FormatOf(name), text)));

    internal static async Task<JsonElement> LoadAsync(
        NpmClient client, RunningNode node, string name, string profiles, string? label = null, string? endpoint = null)
    {
        await TellAsync(client, node, name, profiles, label, endpoint: endpoint);
        return await client.NextAsync("config");
    }

    private static async Task TellAsync(
        NpmClient client, RunningNode node, string name, string profiles, string? label, string? password = null,
        string? endpoint = null)
    {
        password ??= await node.MintAsync(
            $"client-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow())}", [BuiltInRoles.Reader]);
        await client.TellAsync(JsonSerializer.Serialize(new
        {
            endpoint = endpoint ?? node.Node.Listeners.UrlOf(ProtocolListeners.SpringConfig.Name).ToString(),
            name,
            profiles,
            label,
            auth = new { user = "client", pass = password },
        }));
    }

    private static string? VersionOf(JsonElement config) =>
        config.GetProperty("raw").GetProperty("version").GetString();
}
