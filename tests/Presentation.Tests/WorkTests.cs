using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>What people do with the console, in a real Chromium.</summary>
public sealed class WorkTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string Setting = "settings/default/shop/storefront.yaml";

    [Fact]
    public async Task Two_tabs_that_write_the_same_setting_see_both_texts()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        await PublishAsync(console, "Banner: One");
        var page = await console.SignInAsync(browser);
        await console.GoAsync(page, Setting);
        await Text(page).FillAsync("Banner: Mine");
        await PublishAsync(console, "Banner: Theirs");
        await Assertions.Expect(page.GetByText("Somebody published a newer text")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Assertions.Expect(Text(page, "What was published meanwhile")).ToHaveTextAsync("Banner: Theirs");
        await Assertions.Expect(Text(page, "Yours")).ToHaveTextAsync("Banner: Mine");
        await page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Assertions.Expect(page.Locator(".outcome")).ToContainTextAsync("Done: changeset");
        using var local = console.Node.Local();
        Assert.Equal("Banner: Mine", await local.GetStringAsync("settings/default/shop/storefront.yaml"));
    }

    [Fact]
    public async Task Killed_platform_is_told_and_when_it_is_back_the_page_goes_on_by_itself()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        await PublishAsync(console, "Banner: One");
        var page = await console.SignInAsync(browser);
        await console.GoAsync(page, Setting);
        await Assertions.Expect(Text(page)).ToHaveTextAsync("Banner: One");
        await console.KillNodeAsync();
        await Assertions.Expect(page.Locator(".away[role=status]")).ToBeVisibleAsync();
        await console.StartNodeAsync();
        await PublishAsync(console, "Banner: Two");
        await Assertions.Expect(Text(page)).ToHaveTextAsync("Banner: Two");
        await Assertions.Expect(page.Locator(".away[role=status]")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Search_finds_pages_services_and_resources_by_keyboard()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        await RegisterAsync(console, "recommendations", "r1");
        var page = await console.SignInAsync(browser);
        await page.Keyboard.PressAsync("Control+k");
        await page.Keyboard.TypeAsync("recomm");
        var found = page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Option);
        await Assertions.Expect(found.First).ToContainTextAsync("recommendations");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("recommendations");
    }

    [Fact]
    public async Task Names_values_and_reasons_are_text_and_never_markup()
    {
        const string canary = "<img class=canary src=x onerror=\"window.caught=1\"><script>window.caught=1</script>";
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        var pages = await EveryPage.FillAsync(console, canary);
        var page = await console.SignInAsync(browser);
        foreach (var path in pages.Concat(
            [$"services?filter={Uri.EscapeDataString(canary)}", "resources/setting/default/shop/words.txt",
                "settings/default/shop/words.txt", "//evil.example"]))
        {
            await console.GoAsync(page, path);
            await page.Locator("main h1").WaitForAsync();
            await Assertions.Expect(page.Locator(".wait")).ToHaveCountAsync(0);
            // The policy of contents keeps what is markup from running; it must not have become markup at all.
            await Assertions.Expect(page.Locator(".canary")).ToHaveCountAsync(0);
            Assert.True(await page.EvaluateAsync<bool>("window.caught === undefined"), path);
            Assert.Equal(console.Address.Host, new Uri(page.Url).Host);
        }
    }

    private static ILocator Text(IPage page, string name = "Text") =>
        page.GetByRole(AriaRole.Textbox, new() { Name = name, Exact = true });

    private static async Task PublishAsync(OpenConsole console, string text)
    {
        using var local = console.Node.Local();
        await MustAsync(local.PutAsync("settings/default/shop/storefront.yaml", new StringContent(text)));
    }

    private static async Task RegisterAsync(OpenConsole console, string service, string id)
    {
        using var local = console.Node.Local();
        await MustAsync(local.PutAsJsonAsync(
            "registry/instances", new { service, id, host = "10.0.0.1", port = 80, leaseSeconds = 3600 }));
    }

    private static async Task MustAsync(Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
