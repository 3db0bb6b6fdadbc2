using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>What a person sees of the protocols that a service is registered and followed by.</summary>
public sealed class ProtocolTests(Chromium chromium, SharedConsole shared)
    : IClassFixture<Chromium>, IClassFixture<SharedConsole>
{
    private OpenConsole Console => shared.Console;

    [Fact]
    public async Task Each_protocol_has_its_name_its_instances_and_its_words_and_who_waits_is_named()
    {
        await using var browser = await chromium.OpenAsync();
        using var other = await RegisterAsync("mixed");
        using var waiting = new CancellationTokenSource();
        var query = other.GetAsync(
            new Uri("v1/health/service/mixed?index=" + await IndexAsync(other, "mixed") + "&wait=60s",
                UriKind.Relative), waiting.Token);
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "services/default/default/mixed");
        var rows = page.GetByRole(AriaRole.Row);
        await Assertions.Expect(rows.Filter(new() { HasText = "mixed-3" })).ToContainTextAsync("Consul");
        // By the keyboard: the tab after versions.
        await page.GetByRole(AriaRole.Tab, new() { Name = "Versions" }).ClickAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(page).ToHaveURLAsync(
            $"{Console.Address}console/services/default/default/mixed?tab=protocols");

        await Assertions.Expect(Card(page, "nacos")).ToContainTextAsync("DEFAULT_GROUP");
        await Assertions.Expect(Card(page, "nacos")).ToContainTextAsync("healthy=true, enabled=true");
        await Assertions.Expect(Card(page, "nacos")).ToContainTextAsync("tags");
        await Assertions.Expect(Card(page, "eureka")).ToContainTextAsync("MIXED");
        await Assertions.Expect(Card(page, "eureka")).ToContainTextAsync("1 × OUT_OF_SERVICE");
        await Assertions.Expect(Card(page, "eureka")).ToContainTextAsync("3 of 4 called");
        await Assertions.Expect(Card(page, "consul")).ToContainTextAsync("1 × critical");
        await Assertions.Expect(Card(page, "gateway")).ToContainTextAsync("no route leads to it");
        await Assertions.Expect(Card(page, "doh")).ToContainTextAsync("mixed.service.groundwork.");
        await Assertions.Expect(Card(page, "dns")).ToHaveCountAsync(0); // It is off here.

        var seen = page.Locator("table.seen tbody tr");
        await Assertions.Expect(seen).ToHaveCountAsync(4);
        await Assertions.Expect(seen.Filter(new() { HasText = "mixed-3" }))
            .ToContainTextAsync("Consul · my-consul/1.2");
        await Assertions.Expect(seen.Filter(new() { HasText = "10.0.0.1:3001" }))
            .ToContainTextAsync("Nacos · my-nacos/2.0");
        await Assertions.Expect(seen.Filter(new() { HasText = "10.0.0.1:3001" }))
            .ToContainTextAsync("key:mixed · at 127.0.0.1");
        await Assertions.Expect(seen.Filter(new() { HasText = "ours" })).ToContainTextAsync("not shown");
        await Assertions.Expect(page.Locator("table.subscribers tbody tr").Filter(new() { HasText = "Consul" }))
            .ToContainTextAsync("blocking query");
        await waiting.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
        await Assertions.Expect(page.Locator("table.subscribers tbody tr").Filter(new() { HasText = "Consul" }))
            .ToHaveCountAsync(0, new() { Timeout = 15_000 });
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light, "en-GB")]
    [InlineData(1440, ColorScheme.Dark, "zh-CN")]
    [InlineData(360, ColorScheme.Light, "zh-CN")]
    [InlineData(360, ColorScheme.Dark, "en-GB")]
    public async Task Nothing_sticks_out_of_the_page(int width, ColorScheme scheme, string language)
    {
        await using var browser = await chromium.OpenAsync(width, 900, scheme, language);
        var service = $"pictured-{width}-{scheme}".ToLowerInvariant();
        using var other = await RegisterAsync(service);
        using var stop = new CancellationTokenSource();
        var query = other.GetAsync(
            new Uri($"v1/health/service/{service}?index={await IndexAsync(other, service)}&wait=60s", UriKind.Relative),
            stop.Token);
        using var fetched = await other.GetAsync(new Uri("eureka/apps", UriKind.Relative));
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, $"services/default/default/{service}?tab=protocols");
        await page.Locator("table.seen").WaitForAsync();
        Assert.True(await page.EvaluateAsync<bool>(
            "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
    }

    private static ILocator Card(IPage page, string protocol) => page.Locator($"li[data-protocol={protocol}]");

    /// <summary>One instance by each protocol, and one of ours that is out of service.</summary>
    /// <returns>A client with a key.</returns>
    private async Task<HttpClient> RegisterAsync(string service)
    {
        using var local = Console.Node.Local();
        using var made = await local.PostAsJsonAsync(
            "access-keys", new { name = service, roles = new[] { "administrator" } });
        var key = (string?)(await made.Content.ReadFromJsonAsync<JsonObject>())?["secret"];
        var client = new HttpClient { BaseAddress = Console.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        await LoadedService.MustAsync(SendAsync(
            client, "my-nacos/2.0", HttpMethod.Post, $"nacos/v1/ns/instance?serviceName={service}&ip=10.0.0.1&port=3001"
            + "&ephemeral=false", null));
        var instance = new
        {
            app = service, instanceId = $"{service}-2", hostName = "h2.shop.internal", ipAddr = "10.0.0.2",
            vipAddress = service, status = "UP", port = new Dictionary<string, object> { ["$"] = 3002 },
            dataCenterInfo = new { name = "MyOwn" }, leaseInfo = new { durationInSecs = 600 },
        };
        await LoadedService.MustAsync(SendAsync(
            client, "Java-EurekaClient/v1.10.18", HttpMethod.Post, $"eureka/apps/{service}", new { instance }));
        await LoadedService.MustAsync(SendAsync(
            client, "my-consul/1.2", HttpMethod.Put, "v1/agent/service/register",
            new { Name = service, ID = $"{service}-3", Address = "10.0.0.3", Port = 3003, Tags = new[] { "blue" } }));
        await LoadedService.MustAsync(local.PutAsJsonAsync("registry/instances", new
        {
            service, id = "ours", host = "10.0.0.4", port = 3004, leaseSeconds = 3600, status = "out-of-service",
            zone = "west", version = "4.2",
        }));
        return client;
    }

    private static async Task<string> IndexAsync(HttpClient client, string service)
    {
        using var answer = await client.GetAsync(new Uri($"v1/health/service/{service}", UriKind.Relative));
        return answer.Headers.GetValues("X-Consul-Index").Single();
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, string agent, HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.UserAgent.ParseAdd(agent);
        if (body is not null) request.Content = JsonContent.Create(body);
        return await client.SendAsync(request);
    }
}
