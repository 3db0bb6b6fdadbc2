using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// The Shop's service in JavaScript, which has nothing of ours but the HTTP API: called by the catalog and calling it.
/// </summary>
[Collection(RunningShop.Collection)]
public sealed class RecommendationsTests : IAsyncLifetime
{
    private readonly RunningShop shop = new();

    public async ValueTask InitializeAsync()
    {
        Tools.Require("node", "nodejs");
        await shop.InitializeAsync();
    }

    public ValueTask DisposeAsync() => shop.DisposeAsync();

    [Fact]
    public async Task Service_in_JavaScript_is_called_by_the_catalog_calls_it_follows_its_setting_and_leaves_cleanly()
    {
        var product = (await shop.ProductIdsAsync())[0];
        await HasAsync(product, 3);
        await shop.ApplyAsync("""
            kind: setting
            name: recommendations/show.json
            spec: { format: json, content: '{ "count": 1 }' }
            """);
        await HasAsync(product, 1);

        using var local = shop.Up.Local();
        await Eventually.PassesAsync(async () =>
        {
            var dependencies = await local.GetFromJsonAsync(
                "registry/services/default/recommendations/dependencies", WireJson.Lenient.DependencyList);
            var catalog = Assert.Single(dependencies!.Items);
            Assert.Equal("catalog", catalog.Service);
            Assert.Contains("sdk", catalog.How); // It reports its calls, as an SDK does.
            Assert.Contains("watch", catalog.How);
            var consumers = await local.GetFromJsonAsync(
                "registry/services/default/recommendations/consumers", WireJson.Lenient.ConsumerList);
            Assert.Equal("catalog", Assert.Single(consumers!.Items).Service);
        });
        var explained = await shop.Up.VerbAsync("", "explain", "instance", "recommendations/recommendations-1");
        Assert.Contains(
            "default/recommendations/recommendations-1 is registered, and called.", explained.Output,
            StringComparison.Ordinal);

        GroundworkProcess.Signal(Assert.Single(shop.Children(), IsNode), Signals.Terminate);
        await shop.Up.PrintsAsync("left the registry");
        await Eventually.PassesAsync(async () =>
        {
            var events = await local.GetFromJsonAsync(
                "registry/events?namespace=default&service=recommendations", WireJson.Lenient.RegistryEventList);
            Assert.Equal(
                ["deregistered", "draining", "registered"],
                events!.Items.Select(happened => happened.Event).SkipWhile(kind => kind == "registered"));
        });
        await HasAsync(product, 1); // up has started it again.
    }

    private static bool IsNode(int pid) =>
        File.ReadAllText($"/proc/{pid}/cmdline").Contains("Recommendations/server.js", StringComparison.Ordinal);

    private async Task HasAsync(string product, int count) => await Eventually.PassesAsync(
        async () =>
        {
            var answer = JsonNode.Parse(await shop.Outside.GetStringAsync(
                $"{shop.Gateway}/api/catalog/products/{product}/recommendations"));
            Assert.Equal((true, count), (
                answer?["available"]?.GetValue<bool>(), answer?["products"]?.AsArray().Count));
        },
        TimeSpan.FromMinutes(1));
}

/// <summary>A machine without Node.js: <c>up</c> leaves the service out, and the shop works.</summary>
[Collection(RunningShop.Collection)]
public sealed class WithoutNodeTests : IAsyncLifetime
{
    private readonly TemporaryDirectory programs = new();
    private RunningShop shop = null!; // Made before every test.

    public ValueTask InitializeAsync()
    {
        shop = new RunningShop { Environment = new Dictionary<string, string> { ["PATH"] = PathWithoutNode() } };
        return shop.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await shop.DisposeAsync();
        programs.Dispose();
    }

    [Fact]
    public async Task Shop_starts_without_the_optional_service_says_so_in_one_line_and_sells()
    {
        Assert.Single(
            shop.Up.Output.Split('\n'),
            line => line.Contains("recommendations", StringComparison.Ordinal));
        Assert.Contains(
            "recommendations is left out: there is no program 'node' here, and it is optional", shop.Up.Output,
            StringComparison.Ordinal);
        var product = (await shop.ProductIdsAsync())[0];
        var answer = JsonNode.Parse(await shop.Outside.GetStringAsync(
            $"{shop.Gateway}/api/catalog/products/{product}/recommendations"));
        Assert.Equal((false, 0), (answer?["available"]?.GetValue<bool>(), answer?["products"]?.AsArray().Count));
        using var request = RunningShop.Order(shop.Gateway, "without-node", [product]);
        using var ordered = await shop.Outside.SendAsync(request);
        Assert.True(ordered.IsSuccessStatusCode, await ordered.Content.ReadAsStringAsync());
    }

    /// <summary>The PATH of this process; a directory that has node is replaced by links to all else in it.</summary>
    private string PathWithoutNode()
    {
        var directories = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        for (var at = 0; at < directories.Length; at++)
        {
            if (!File.Exists(Path.Combine(directories[at], "node"))) continue;
            var links = Directory.CreateDirectory(programs.Combine($"{at}")).FullName;
            foreach (var program in Directory.EnumerateFileSystemEntries(directories[at]))
                if (Path.GetFileName(program) != "node")
                    File.CreateSymbolicLink(Path.Combine(links, Path.GetFileName(program)), program);
            directories[at] = links;
        }
        return string.Join(Path.PathSeparator, directories);
    }
}
