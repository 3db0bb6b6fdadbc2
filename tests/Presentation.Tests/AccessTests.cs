using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>People, programs and what they may do, as an administrator keeps them.</summary>
public sealed class AccessTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string Password = "correct horse battery";

    [Fact]
    public async Task Operator_that_is_made_in_the_console_signs_in_with_its_password()
    {
        await using var console = await OpenConsole.StartAsync();
        await using var mine = await chromium.OpenAsync();
        var page = await console.SignInAsync(mine);
        await console.GoAsync(page, "access");
        await MakeOperatorAsync(page, "ann", "reader");
        await Assertions.Expect(page.Locator("tbody")).ToContainTextAsync("ann");

        await using var theirs = await chromium.OpenAsync();
        var other = await SignInAsync(console, theirs, "ann");
        await Assertions.Expect(other.Locator(".account summary")).ToHaveTextAsync("ann");
        // The password is in nothing that the platform keeps.
        using var local = console.Node.Local();
        Assert.DoesNotContain(
            Password, await local.GetStringAsync("resources/operator/_/ann?reveal=true"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Role_that_is_taken_away_takes_its_controls_with_it_and_the_api_refuses()
    {
        await using var console = await OpenConsole.StartAsync();
        await EveryPage.FillAsync(console);
        await PutRoleAsync(console, ["read", "discover", "operate"]);
        await using var mine = await chromium.OpenAsync();
        var page = await console.SignInAsync(mine);
        await console.GoAsync(page, "access");
        await MakeOperatorAsync(page, "ann", "shop");

        await using var theirs = await chromium.OpenAsync();
        var other = await SignInAsync(console, theirs, "ann");
        await console.GoAsync(other, "services/default/default/orders");
        var drain = other.GetByRole(AriaRole.Button, new() { Name = "Drain" });
        await Assertions.Expect(drain).ToBeVisibleAsync();
        await drain.ClickAsync();

        await PutRoleAsync(console, ["read", "discover"]);
        // The dialog was open already: the API decides.
        var answer = other.WaitForResponseAsync(
            one => one.Url.Contains("/drain", StringComparison.Ordinal));
        await other.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        Assert.Equal((int)HttpStatusCode.Forbidden, (await answer).Status);
        await Assertions.Expect(other.GetByRole(AriaRole.Alert)).ToContainTextAsync("forbidden");
        await other.Keyboard.PressAsync("Escape");
        await Assertions.Expect(drain).ToHaveCountAsync(0);
        await Assertions.Expect(other.Locator("tbody").First).ToContainTextAsync("o1");
    }

    [Fact]
    public async Task Key_is_shown_once_works_and_is_revoked()
    {
        await using var console = await OpenConsole.StartAsync();
        await using var mine = await chromium.OpenAsync();
        var page = await console.SignInAsync(mine);
        await console.GoAsync(page, "access?show=keys");
        await page.GetByRole(AriaRole.Button, new() { Name = "New access key" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name").FillAsync("ci/deploy");
        await dialog.GetByLabel("reader").CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Make the key" }).ClickAsync();
        var key = await dialog.Locator("pre").InnerTextAsync();
        Assert.StartsWith("gw_", key, StringComparison.Ordinal);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Assertions.Expect(page.Locator("tbody")).ToContainTextAsync("ci/deploy");
        Assert.DoesNotContain(key, await page.ContentAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(console, key));

        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke ci/deploy" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("No access key");
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(console, key));
    }

    [Fact]
    public async Task Who_may_do_something_is_answered_with_the_reason()
    {
        await using var console = await OpenConsole.StartAsync();
        await EveryPage.FillAsync(console);
        await using var mine = await chromium.OpenAsync();
        var page = await console.SignInAsync(mine);
        await console.GoAsync(page, "access?show=who&verb=read&kind=setting&namespace=default&name=shop/x");
        var reader = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "key:shop/orders" });
        await Assertions.Expect(reader).ToContainTextAsync("reader");
        await page.GetByLabel("Verb").SelectOptionAsync("write");
        await Assertions.Expect(reader).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator("tbody")).ToContainTextAsync("administrator");
        Assert.Contains("verb=write", page.Url, StringComparison.Ordinal);
    }

    private static async Task MakeOperatorAsync(IPage page, string name, string role)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "New operator" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name", new() { Exact = true }).FillAsync(name);
        await dialog.GetByLabel("Password, at least").FillAsync(Password);
        await dialog.GetByLabel("reader").UncheckAsync();
        await dialog.GetByLabel(role, new() { Exact = true }).CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
    }

    private static async Task<IPage> SignInAsync(OpenConsole console, IBrowserContext browser, string name)
    {
        var page = await browser.NewPageAsync();
        await console.GoAsync(page, "");
        await page.GetByLabel("Operator").FillAsync(name);
        await page.GetByLabel("Password").FillAsync(Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.Locator("nav.sidebar").WaitForAsync();
        return page;
    }

    private static async Task PutRoleAsync(OpenConsole console, string[] verbs)
    {
        using var local = console.Node.Local();
        var grants = new[] { new { verbs, kinds = new[] { "*" } } };
        await EveryPage.MustAsync(local.PutAsJsonAsync("resources/role/_/shop", new { spec = new { grants } }));
    }

    private static async Task<HttpStatusCode> CallAsync(OpenConsole console, string key)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return (await client.GetAsync(new Uri(console.Address, "groundwork/v1/whoami"))).StatusCode;
    }
}
