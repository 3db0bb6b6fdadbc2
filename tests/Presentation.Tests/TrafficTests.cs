using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>What went through the gateway, and why a request went where it went, as people look at it.</summary>
public sealed class TrafficTests(Chromium chromium, SharedConsole shared)
    : IClassFixture<Chromium>, IClassFixture<SharedConsole>
{
    private OpenConsole Console => shared.Console;

    [Fact]
    public async Task A_request_is_found_in_the_traffic_and_explained_on_its_page()
    {
        await using var browser = await chromium.OpenAsync();
        await shared.PutAsync("route/default/seen", new
        {
            match = new { hosts = new[] { "*" }, path = "/seen/**" }, respond = new { status = 200, body = "hello" },
        });
        await shared.PutAsync("route/default/other", new
        {
            match = new { hosts = new[] { "*" }, path = "/other" }, respond = new { status = 200, body = "other" },
        });
        using var outside = new HttpClient { BaseAddress = new Uri(Console.Node.Node.Listeners["gateway"]) };
        outside.DefaultRequestHeaders.TryAddWithoutValidation("X-Secret", "hunter2");
        Assert.Equal("hello", await outside.GetStringAsync("/seen/this?token=hunter2"));
        using var lost = await outside.GetAsync("/lost");
        var page = await Console.SignInAsync(browser);

        await Console.GoAsync(page, "traffic?filter=seen");
        await Assertions.Expect(page.Locator("main dl").First).ToContainTextAsync("Per second");
        var link = page.GetByRole(AriaRole.Link, new() { Name = "/seen/this" });
        await link.FocusAsync();
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("went by the route default/seen");
        await Assertions.Expect(page.Locator("main tbody")).ToContainTextAsync("took it");
        await Assertions.Expect(page.Locator("main tbody")).ToContainTextAsync("takes /other, which this path is not");
        await Assertions.Expect(page.Locator("main ol li").First).ToContainTextAsync("default/seen");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("X-Secret");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("token");
        await Assertions.Expect(page.Locator("main")).Not.ToContainTextAsync("hunter2");

        // What failed is a link of its own, and what did not fail is not there.
        await Console.GoAsync(page, "traffic?only=failed");
        await Assertions.Expect(page.Locator("main tbody")).ToContainTextAsync("/lost");
        await Assertions.Expect(page.Locator("main tbody")).Not.ToContainTextAsync("/seen/this");
    }

    [Fact]
    public async Task Traffic_is_counted_by_route_and_on_the_overview()
    {
        await using var browser = await chromium.OpenAsync();
        await shared.PutAsync("route/default/counted", new
        {
            match = new { hosts = new[] { "*" }, path = "/counted" }, respond = new { status = 503, body = "down" },
        });
        using var outside = new HttpClient { BaseAddress = new Uri(Console.Node.Node.Listeners["gateway"]) };
        using var stop = new CancellationTokenSource();
        var asking = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var answer = await outside.GetAsync("/counted");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        });
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "traffic?show=routes");
        await Assertions.Expect(page.Locator("main tbody tr").Filter(new() { HasText = "default/counted" }))
            .ToContainTextAsync("100%", new() { Timeout = 30_000 });
        await Console.GoAsync(page, "");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Gateway traffic");
        await Assertions.Expect(page.Locator("main dl .wrong")).ToContainTextAsync("%", new() { Timeout = 30_000 });
        await stop.CancelAsync();
        await asking;
    }

    [Fact]
    public async Task A_request_that_nobody_remembers_is_said_so()
    {
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "requests/0000000000000000");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("remembers no such request");
    }
}
