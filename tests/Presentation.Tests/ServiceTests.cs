using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>What people do with services, while real callers call them through the gateway.</summary>
public sealed class ServiceTests(Chromium chromium, SharedConsole shared)
    : IClassFixture<Chromium>, IClassFixture<SharedConsole>
{
    private OpenConsole Console => shared.Console;

    [Fact]
    public async Task Instance_is_drained_under_load_without_a_failed_request()
    {
        await using var browser = await chromium.OpenAsync();
        await using var service = await LoadedService.StartAsync(Console, "drained");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, service.Page);
        await service.BeginLoadAsync();

        await Row(page, "a").GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Why?").FillAsync("new disk");
        await Assertions.Expect(dialog.Locator("code").First)
            .ToHaveTextAsync("groundwork drain default/drained/a --reason 'new disk' --wait 30");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        await Assertions.Expect(dialog.GetByRole(AriaRole.Status)).ToContainTextAsync("know");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Assertions.Expect(Row(page, "a")).ToContainTextAsync("draining");
        await service.IsLeftAloneAsync("a", "b");
        // As the person would now. What proves the drain is that the traffic has left: retries would hide the rest.
        await service.KillAsync("a");
        await service.AnsweredAsync("b");
        await service.RestartAsync("a");

        await page.GetByRole(AriaRole.Tab, new() { Name = "What happened" }).ClickAsync();
        await Assertions.Expect(page.Locator(".events")).ToContainTextAsync("new disk");
        await Assertions.Expect(page.Locator(".events")).ToContainTextAsync("operator:admin");
        await page.GetByRole(AriaRole.Tab, new() { Name = "Instances" }).ClickAsync();
        await Row(page, "a").GetByRole(AriaRole.Button, new() { Name = "Take back" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Take back" }).ClickAsync();
        await service.AnsweredAsync("a");
        Assert.Empty(service.Failures);
    }

    [Fact]
    public async Task Weight_of_a_person_stands_over_the_instances_own_until_it_is_removed()
    {
        await using var browser = await chromium.OpenAsync();
        await using var service = await LoadedService.StartAsync(Console, "weighed");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, service.Page);
        await service.BeginLoadAsync();

        await Row(page, "b").GetByRole(AriaRole.Button, new() { Name = "Override" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Weight").FillAsync("10001");
        await dialog.GetByLabel("Why?").FillAsync("a noisy neighbour");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("must be 0 to 10000");
        await dialog.GetByLabel("Weight").FillAsync("0");
        await Assertions.Expect(dialog.Locator(".notice.warn")).ToContainTextAsync("No new traffic");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(Row(page, "b")).ToContainTextAsync("overridden");
        await service.IsLeftAloneAsync("b", "a");

        await page.GetByRole(AriaRole.Button, new() { Name = "b", Exact = true }).ClickAsync();
        await Assertions.Expect(dialog).ToContainTextAsync("a noisy neighbour");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Remove override" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog, new() { Name = "Remove the override of b?" })
            .GetByRole(AriaRole.Button, new() { Name = "Remove override" }).ClickAsync();
        await service.AnsweredAsync("b");
        Assert.Empty(service.Failures);
    }

    [Fact]
    public async Task Two_people_who_override_one_instance_see_both_and_neither_is_lost()
    {
        await using var browser = await chromium.OpenAsync();
        await using var service = await LoadedService.StartAsync(Console, "contended");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, service.Page);
        await Row(page, "a").GetByRole(AriaRole.Button, new() { Name = "Override" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Weight").FillAsync("20");
        using var local = Console.Node.Local();
        const string path = "resources/instance-override/default/default/contended/a";
        await LoadedService.MustAsync(local.PutAsJsonAsync(path, new { spec = new { weight = 70 } }));
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("\"weight\": 70");
        await Assertions.Expect(dialog.GetByLabel("Yours")).ToContainTextAsync("\"weight\": 20");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(Row(page, "a")).ToContainTextAsync("20");
        var written = await local.GetFromJsonAsync<JsonObject>(path);
        Assert.Equal(20, (int?)written?["spec"]?["weight"]);
    }

    [Fact]
    public async Task Maintenance_keeps_a_service_from_its_callers_and_says_who_and_why()
    {
        await using var browser = await chromium.OpenAsync();
        await using var service = await LoadedService.StartAsync(Console, "maintained");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, service.Page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin maintenance" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Why?").FillAsync("schema 12");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Begin maintenance" }).ClickAsync();
        await Assertions.Expect(page.Locator("main .notice.warn")).ToContainTextAsync("schema 12 operator:admin");
        await Eventually.PassesAsync(async () => Assert.Equal("503", await service.CallAsync()));

        await page.GetByRole(AriaRole.Tab, new() { Name = "Policy" }).ClickAsync();
        await page.GetByLabel("Protection threshold").FillAsync("0.25");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(page.Locator("main .notice.good")).ToContainTextAsync("changeset");
        await page.GetByRole(AriaRole.Button, new() { Name = "End maintenance" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "End maintenance" }).ClickAsync();
        await Assertions.Expect(page.Locator("main .notice.warn")).ToHaveCountAsync(0);
        await Eventually.PassesAsync(async () => Assert.Contains(await service.CallAsync(), new[] { "a", "b" }));
        using var local = Console.Node.Local();
        var policy = await local.GetFromJsonAsync<JsonObject>(
            "resources/service-policy/default/default/maintained");
        Assert.Equal(0.25, (double?)policy?["spec"]?["protectionThreshold"]); // What else it says is kept.
    }

    [Fact]
    public async Task Graph_shows_the_calls_that_were_made_and_leads_to_the_service()
    {
        await using var browser = await chromium.OpenAsync();
        await using var service = await LoadedService.StartAsync(Console, "pictured");
        await service.BeginLoadAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "services?tab=graph&filter=pictured");
        var row = page.GetByRole(AriaRole.Row).Filter(
            new() { Has = page.GetByRole(AriaRole.Rowheader, new() { Name = "pictured" }) });
        await Assertions.Expect(row).ToContainTextAsync("gateway");
        await Assertions.Expect(page.Locator(".chart svg")).ToContainTextAsync("gateway");
        await page.Locator(".chart svg text").Filter(new() { HasText = "pictured" }).First.ClickAsync();
        await Assertions.Expect(page.Locator("main h1")).ToHaveTextAsync("pictured");
        await page.GetByRole(AriaRole.Tab, new() { Name = "Calls" }).ClickAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("The gateway");

        await page.GetByRole(AriaRole.Link, new() { Name = "In the graph" }).ClickAsync();
        await Assertions.Expect(page.Locator("main .notice")).ToContainTextAsync("Around default/pictured");
        await Assertions.Expect(row).ToContainTextAsync("gateway");
    }

    [Fact]
    public async Task Who_may_not_operate_is_offered_nothing_and_refused_by_the_API()
    {
        const string password = "correct horse battery staple";
        await using var browser = await chromium.OpenAsync();
        await using var service = await LoadedService.StartAsync(Console, "guarded");
        var (_, hash, _) = await Console.Node.VerbAsync(password + "\n", "operator", "hash");
        using var local = Console.Node.Local();
        await LoadedService.MustAsync(local.PutAsJsonAsync(
            "resources/operator/_/rita",
            new { spec = new { passwordHash = hash.Trim(), roles = new[] { "reader" } } }));
        var page = await Console.SignInAsync(browser, "rita");
        await Console.GoAsync(page, service.Page);
        await Assertions.Expect(Row(page, "a")).ToContainTextAsync("up");
        foreach (var name in new[] { "Drain", "Override", "Begin maintenance" })
            await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = name })).ToHaveCountAsync(0);
        await Console.GoAsync(page, "routes");
        await page.Locator("main h1").WaitForAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "New route" })).ToHaveCountAsync(0);

        using var client = new HttpClient { BaseAddress = new Uri(Console.Address, "groundwork/v1/") };
        using var signedIn = await client.PostAsJsonAsync("sign-in", new { @operator = "rita", password });
        var token = (string?)(await signedIn.Content.ReadFromJsonAsync<JsonObject>())?["accessToken"];
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var refused = await client.PostAsync(
            new Uri("registry/instances/default/guarded/a/drain", UriKind.Relative), content: null);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task Two_thousand_instances_of_one_service_are_as_few_rows_as_fit()
    {
        await using var browser = await chromium.OpenAsync();
        using var local = Console.Node.Local();
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (at, cancel) =>
        {
            using var answer = await local.PutAsJsonAsync(
                "registry/instances",
                new { service = "large", id = $"i{at:0000}", host = "10.0.0.1", port = 1 + at, leaseSeconds = 3600 },
                cancel);
            Assert.True(answer.IsSuccessStatusCode);
        });
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "services/default/default/large");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("2000 of 2000");
        Assert.InRange(await page.Locator("tbody tr").CountAsync(), 10, 100);
        await page.Locator("table").EvaluateAsync("table => table.parentElement.scrollTop = 1e6");
        await Assertions.Expect(page.Locator("tbody")).ToContainTextAsync("i1999");
        Assert.InRange(await page.Locator("tbody tr").CountAsync(), 10, 100);
        await page.GetByLabel("Filter instances").FillAsync("i1234");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("1 of 2000");
        await Row(page, "i1234").GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        await Assertions.Expect(Row(page, "i1234")).ToContainTextAsync("draining");
    }

    private static ILocator Row(IPage page, string id) => page.GetByRole(AriaRole.Row).Filter(
        new() { Has = page.GetByRole(AriaRole.Button, new() { Name = id, Exact = true }) });
}
