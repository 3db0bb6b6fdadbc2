using System.Text.RegularExpressions;
using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>The first minute of a new user, in a real Chromium.</summary>
public sealed partial class SignInTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task Link_signs_in_once_and_its_secret_is_nowhere_afterwards()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        var requested = new List<string>();
        browser.Request += (_, request) =>
        {
            lock (requested) requested.Add(request.Url);
        };
        var link = await console.LinkAsync();
        var page = await browser.NewPageAsync();
        await page.GotoAsync(link);
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Overview");
        Assert.DoesNotContain("gwl_", page.Url, StringComparison.Ordinal);
        await page.GoBackAsync();
        Assert.DoesNotContain("gwl_", page.Url, StringComparison.Ordinal);
        lock (requested)
            Assert.DoesNotContain(requested, url => Secret().IsMatch(url));

        await using var other = await chromium.OpenAsync();
        var second = await other.NewPageAsync();
        await second.GotoAsync(link);
        await Assertions.Expect(second.GetByRole(AriaRole.Alert)).ToContainTextAsync("was used");
    }

    [Fact]
    public async Task Reload_and_a_second_tab_stay_signed_in_and_sign_out_ends_both()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        var first = await console.SignInAsync(browser);
        await first.ReloadAsync();
        await Assertions.Expect(first.Locator("nav.sidebar")).ToBeVisibleAsync();
        var second = await browser.NewPageAsync();
        await console.GoAsync(second, "nodes");
        await Assertions.Expect(second.Locator("h1")).ToHaveTextAsync("Nodes");
        Assert.Equal("{}", await second.EvaluateAsync<string>("""
            JSON.stringify(Object.fromEntries(Object.entries({...localStorage, ...sessionStorage})
              .filter(([, value]) => /gw[slr]_/.test(value))))
            """));

        await first.Locator(".account summary").ClickAsync();
        await first.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        foreach (var page in new[] { first, second })
            await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        await second.ReloadAsync();
        await Assertions.Expect(second.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Password_signs_in_and_a_wrong_one_says_so()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        var page = await browser.NewPageAsync();
        await console.GoAsync(page, "changes");
        await page.GetByLabel("Operator").FillAsync("admin");
        await page.GetByLabel("Password").FillAsync("not the password");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("password");
        var password = await File.ReadAllTextAsync(Path.Combine(console.Node.DataDirectory, "admin-password"));
        await page.GetByLabel("Password").FillAsync(password.Trim());
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Changes");
    }

    [Fact]
    public async Task Pages_carry_a_policy_that_runs_no_foreign_script_and_fit_into_no_frame()
    {
        await using var console = await OpenConsole.StartAsync();
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri(console.Address, "console/services"));
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        var missing = await client.GetAsync(new Uri(console.Address, "console/assets/none.js"));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, missing.StatusCode);
        var page = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"gw[lsr]_", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Secret();
}
