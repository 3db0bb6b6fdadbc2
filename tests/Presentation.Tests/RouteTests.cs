using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>Routes as people make, change and remove them; the gateway answers as they say.</summary>
public sealed class RouteTests(Chromium chromium, SharedConsole shared)
    : IClassFixture<Chromium>, IClassFixture<SharedConsole>
{
    private OpenConsole Console => shared.Console;

    [Fact]
    public async Task Route_of_the_editor_answers_through_the_gateway_until_it_is_deleted()
    {
        await using var browser = await chromium.OpenAsync();
        await using var service = await LoadedService.StartAsync(Console, "reached", withRoute: false);
        Assert.Equal("404", await service.CallAsync());
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "routes");
        await page.GetByRole(AriaRole.Link, new() { Name = "New route" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("reached");
        await page.GetByLabel("Hosts").FillAsync("*");
        await page.GetByLabel("Path", new() { Exact = false }).First.FillAsync("reached/**");
        await page.GetByLabel("Service").First.FillAsync("reached");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("spec.match.path");
        await page.GetByLabel("Path", new() { Exact = false }).First.FillAsync("/reached/**");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check" }).ClickAsync();
        await Assertions.Expect(page.Locator("main .notice.good")).ToContainTextAsync("Nothing was changed");
        Assert.Equal("404", await service.CallAsync());
        await Assertions.Expect(page.GetByLabel("The same as JSON")).ToHaveValueAsync(
            "{\n  \"match\": {\n    \"hosts\": [\n      \"*\"\n    ],\n    \"path\": \"/reached/**\"\n  },\n"
            + "  \"service\": \"reached\"\n}");
        await page.GetByLabel("Why?").FillAsync("open the shop");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(page.Locator("main h1")).ToHaveTextAsync("reached");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("2 called");
        await Eventually.PassesAsync(async () => Assert.Contains(await service.CallAsync(), new[] { "a", "b" }));

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Why?").FillAsync("closed");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Assertions.Expect(page.Locator("main h1")).ToHaveTextAsync("Routes");
        await Eventually.PassesAsync(async () => Assert.Equal("404", await service.CallAsync()));
    }

    [Fact]
    public async Task Two_people_who_change_one_route_see_both_and_the_YAML_is_the_form()
    {
        await using var browser = await chromium.OpenAsync();
        using var local = Console.Node.Local();
        await PutAsync(local, "/contended/**");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "routes/default/contended?tab=edit");
        var yaml = page.GetByLabel("YAML").GetByRole(AriaRole.Textbox);
        await yaml.FillAsync("spec: {match: {hosts: ['*'], path: '/mine/**'}, service: nobody}");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("it would be updated");
        await PutAsync(local, "/theirs/**");
        await Assertions.Expect(page.GetByText("Somebody was faster")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByLabel("What they changed")).ToContainTextAsync("/theirs/**");
        await Assertions.Expect(page.GetByLabel("What you changed")).ToContainTextAsync("/mine/**");
        await page.GetByRole(AriaRole.Button, new() { Name = "Go on with mine" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(page.Locator("main .notice.good")).ToContainTextAsync("changeset");
        await Assertions.Expect(page.GetByLabel("What a request passes")).ToContainTextAsync("/mine/**");
        await Console.GoAsync(page, "routes?state=absent&filter=contended");
        await Assertions.Expect(page.Locator("tbody")).ToContainTextAsync("/mine/**");
        await Assertions.Expect(page.Locator("tbody")).ToContainTextAsync("no such service");
    }

    private static Task PutAsync(HttpClient local, string path) => LoadedService.MustAsync(local.PutAsJsonAsync(
        "resources/route/default/contended",
        new { spec = new { hosts = new[] { "*" }, path, service = "nobody" } }));
}
