using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>Every page for everybody: axe finds nothing serious, and nothing sticks out of a narrow screen.</summary>
public sealed class AccessibilityTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public void Every_page_that_the_console_declares_is_looked_at()
    {
        var declared = EveryPage.Declared().ToList();
        Assert.True(declared.Count >= 12, "the declarations of pages were not found");
        Assert.Equal(declared.Order(StringComparer.Ordinal), EveryPage.Covered.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light, "en-GB")]
    [InlineData(1440, ColorScheme.Dark, "zh-CN")]
    [InlineData(360, ColorScheme.Dark, "en-GB")]
    [InlineData(360, ColorScheme.Light, "zh-CN")]
    public async Task Every_page_is_usable_by_everybody(int width, ColorScheme scheme, string language)
    {
        await using var browser = await chromium.OpenAsync(width, 800, scheme, language);
        await using var console = await OpenConsole.StartAsync();
        var pages = await EveryPage.FillAsync(console);
        var page = await console.SignInAsync(browser);
        var faults = new List<string>();
        page.PageError += (_, fault) => faults.Add($"{page.Url}: {fault}");
        page.Console += (_, message) =>
        {
            // What the network says of a page that is left while it loads is no fault of the page.
            if (message.Type == "error" && !message.Text.Contains("Failed to load", StringComparison.Ordinal))
                faults.Add($"{page.Url}: {message.Text}");
        };
        foreach (var path in pages)
        {
            await console.GoAsync(page, path);
            await page.Locator("main h1").WaitForAsync();
            await Assertions.Expect(page.Locator(".wait")).ToHaveCountAsync(0);
            faults.AddRange(await FindAsync(page, path));
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public async Task Sign_in_is_usable_by_everybody()
    {
        await using var browser = await chromium.OpenAsync(360, 700);
        await using var console = await OpenConsole.StartAsync();
        var page = await browser.NewPageAsync();
        await console.GoAsync(page, "");
        await page.GetByLabel("Operator").WaitForAsync();
        Assert.Empty(await FindAsync(page, "sign-in"));
    }

    private static async Task<IEnumerable<string>> FindAsync(IPage page, string path)
    {
        var result = await page.RunAxe();
        var serious = result.Violations.Where(one => one.Impact is "serious" or "critical").Select(Describe);
        var over = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
        return over > 0 ? serious.Append($"{path} sticks out by {over} px") : serious;

        string Describe(AxeResultItem one) =>
            $"{path}: {one.Id}: {one.Help}: {string.Join(", ", one.Nodes.Select(node => node.Html).Take(3))}";
    }
}
