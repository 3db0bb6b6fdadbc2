using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Groundwork.Presentation.Tests;

/// <summary>Every page that the console has, with something to show on each.</summary>
public static class EveryPage
{
    private const string Shop = "default/shop";
    private const string Storefront = $"settings/{Shop}/storefront.yaml";

    /// <summary>The routes of the console, each with the addresses that tests look at.</summary>
    private static readonly Dictionary<string, string[]> Addresses = new(StringComparer.Ordinal)
    {
        ["/"] = [""],
        ["/services"] = ["services", "services?tab=graph"],
        ["/services/:namespace/:group/:service"] =
        [
            "services/default/default/orders", "services/default/default/orders?tab=versions",
            "services/default/default/orders?tab=calls", "services/default/default/orders?tab=events",
            "services/default/default/orders?tab=policy", "services/default/default/orders?tab=protocols",
        ],
        ["/routes"] = ["routes"],
        ["/routes/new"] = ["routes/new"],
        ["/routes/:namespace/:name(.*)"] =
        [
            "routes/default/orders", "routes/default/orders?tab=edit",
            "routes/default/orders?tab=try&host=shop.example.com&path=/api/orders", "routes/default/parted",
        ],
        ["/upstreams"] = ["upstreams"],
        ["/upstreams/:namespace/:name(.*)"] = ["upstreams/default/legacy", "upstreams/default/legacy?tab=edit"],
        ["/listeners"] = ["listeners"],
        ["/listeners/:name"] = ["listeners/http", "listeners/https?tab=edit"],
        ["/guards"] = ["guards", "guards?show=limits", "guards?show=cache"],
        ["/traffic"] = ["traffic", "traffic?show=routes", "traffic?show=upstreams"],
        ["/requests/:id"] = ["requests/{request}"],
        ["/settings"] = ["settings"],
        ["/settings/new"] = ["settings/new"],
        ["/settings/:namespace/:name(.*)"] =
        [
            Storefront, $"{Storefront}?tab=history", $"{Storefront}?tab=readers",
            $"{Storefront}?tab=releases&release=new", $"{Storefront}?tab=details",
            "settings/default/shop/words.txt",
        ],
        ["/promotions"] = ["promotions?from=default&to=dev"],
        ["/flags"] = ["flags"],
        ["/flags/:namespace/:name(.*)"] = ["flags/default/shop/features.flags?flag=banner"],
        ["/resources"] = ["resources?kind=setting"],
        ["/resources/new"] = ["resources/new?kind=route"],
        ["/resources/:kind/:namespace/:name(.*)"] =
        [
            $"resources/setting/{Shop}/storefront.yaml", $"resources/setting/{Shop}/storefront.yaml?edit=yes",
            $"resources/setting/{Shop}/words.txt",
        ],
        ["/proposals"] = ["proposals"],
        ["/proposals/:name"] = ["proposals/{proposal}"],
        ["/changes"] = ["changes"],
        ["/changes/:revision(\\\\d+)"] = ["changes/2"],
        ["/access"] =
        [
            "access", "access?show=keys", "access?show=roles",
            "access?show=who&verb=write&kind=setting&namespace=default", "access?show=sign-ins",
        ],
        ["/audit"] = ["audit"],
        ["/nodes"] = ["nodes", "nodes?show=leases", "nodes?show=modules", "nodes?show=options"],
        ["/backup"] = ["backup"],
    };

    /// <summary>The routes that the console declares, by its sources.</summary>
    public static IEnumerable<string> Declared() =>
        Directory.EnumerateFiles(Sources(), "pages.ts", SearchOption.AllDirectories)
            .SelectMany(file => File.ReadAllText(file).Split("path: '")[1..])
            .Select(declared => declared[..declared.IndexOf('\'', StringComparison.Ordinal)]);

    public static IEnumerable<string> Covered => Addresses.Keys;

    /// <summary>Gives each page something to show.</summary>
    /// <param name="words">What stands wherever people write freely.</param>
    /// <returns>The addresses of all pages, and one that there is not.</returns>
    public static async Task<IReadOnlyList<string>> FillAsync(OpenConsole console, string words = "For the tests")
    {
        using var local = console.Node.Local();
        local.DefaultRequestHeaders.Add("Groundwork-Reason", Uri.EscapeDataString(words));
        var text = new { format = "text", content = words, description = words };
        await PutAsync(
            local, "setting/default/shop/storefront.yaml", new { format = "yaml", content = "Banner: One" });
        await PutAsync(
            local, "setting/default/shop/storefront.yaml", new { format = "yaml", content = "Banner: Two" });
        const string flags = "flags: {banner: {rules: [{name: gold, labels: {plan: x}, percent: 10, serve: on}]}}";
        await PutAsync(local, "setting/default/shop/features.flags", new { format = "flags", content = flags });
        await PutAsync(local, "namespace/_/dev", new { });
        await PutAsync(
            local, "route/default/orders", new { hosts = new[] { "*" }, path = "/api/orders", service = "orders" });
        await PutAsync(local, "upstream/default/legacy", new
        {
            addresses = new[] { new { address = "10.0.0.7:8080" } },
            resilience = new { breaker = new { errorPercent = 40 }, bulkhead = new { maxUnderWay = 8 } },
        });
        await PutAsync(local, "route/default/kept", new
        {
            match = new { hosts = new[] { "*" }, path = "/kept/**" }, service = "orders", cache = new { },
            limits = new[] { new { name = "few", by = new[] { "client" }, bucket = new { requests = 5 } } },
        });
        await PutAsync(local, "route/default/parted", new
        {
            match = new { hosts = new[] { "*" }, path = "/parted/**" },
            split = new
            {
                parts = new object[]
                {
                    new { service = "orders", weight = 95 }, new { upstream = "legacy", weight = 5 },
                },
            },
        });
        await PutAsync(local, "setting/default/shop/words.txt", text);
        await MustAsync(local.PutAsJsonAsync(
            "registry/instances",
            new
            {
                service = "orders", id = "o1", host = "10.0.0.1", port = 80, leaseSeconds = 3600, version = words,
                metadata = new Dictionary<string, string> { ["note"] = words },
            }));
        var grants = new[] { new { verbs = new[] { "read" }, kinds = new[] { "*" } } };
        await PutAsync(local, "role/_/developer", new { description = words, grants });
        await MustAsync(local.PostAsJsonAsync(
            "access-keys", new { name = "shop/orders", roles = new[] { "reader" }, description = words }));
        await PutAsync(
            local, "approval-policy/_/words",
            new { kinds = new[] { "setting" }, namespaces = new[] { "*" }, names = new[] { "shop/words.txt" } });
        var proposal = await PutAsync(
            local, "setting/default/shop/words.txt", text with { content = $"{words} {words}" });
        using var outside = new HttpClient();
        using var answered = await outside.GetAsync($"{console.Node.Node.Listeners["gateway"]}/nowhere");
        var request = answered.Headers.GetValues("Groundwork-Request-Id").Single();
        return
        [
            .. Addresses.Values.SelectMany(list => list)
                .Select(address => address.Replace("{proposal}", proposal, StringComparison.Ordinal)
                    .Replace("{request}", request, StringComparison.Ordinal)),
            "nothing-here",
        ];
    }

    /// <summary>Writes a resource; returns the proposal that it became, or nothing.</summary>
    private static async Task<string> PutAsync(HttpClient local, string name, object spec)
    {
        using var answer = await local.PutAsJsonAsync($"resources/{name}", new { spec });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return (string?)JsonNode.Parse(text)?["proposal"] ?? "";
    }

    public static async Task MustAsync(Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static string Sources([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "../../src/Presentation/Console/src"); // A file has a directory.
}
