using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>A setting that is a secret: shown only when asked for by somebody who may, and that is on record.</summary>
public sealed class SecretSettingTests(Chromium chromium, SettingsConsole running)
    : IClassFixture<Chromium>, IClassFixture<SettingsConsole>
{
    private const string Secret = "Password: swordfish-4711";

    private OpenConsole Console => running.Console;

    [Fact]
    public async Task Secret_is_in_no_page_until_it_is_revealed_which_is_audited()
    {
        await PutAsync("secret/one.yaml");
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        var bodies = new List<string>();
        page.Response += async (_, answer) =>
        {
            if (!answer.Url.Contains("/groundwork/v1/", StringComparison.Ordinal)
                || answer.Url.Contains("reveal", StringComparison.Ordinal)
                || answer.Url.Contains("/events", StringComparison.Ordinal)) return;
            var body = await answer.TextAsync();
            lock (bodies) bodies.Add(body);
        };
        await Console.GoAsync(page, "settings/default/secret/one.yaml");
        await Assertions.Expect(page.GetByText("This is a secret")).ToBeVisibleAsync();
        foreach (var (tab, shows) in new[] { ("History", ".history"), ("Details", "form") })
        {
            await page.GetByRole(AriaRole.Tab, new() { Name = tab }).ClickAsync();
            await Assertions.Expect(page.Locator(shows).First).ToBeVisibleAsync();
            Assert.DoesNotContain("swordfish", await page.ContentAsync(), StringComparison.Ordinal);
        }
        lock (bodies)
        {
            Assert.NotEmpty(bodies);
            Assert.All(bodies, body => Assert.DoesNotContain("swordfish", body, StringComparison.Ordinal));
        }

        await page.GetByRole(AriaRole.Tab, new() { Name = "Text" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Reveal" }).ClickAsync();
        await Assertions.Expect(Text(page)).ToHaveTextAsync(Secret);
        using var local = Console.Node.Local();
        await Eventually.TrueAsync(
            async () => (await local.GetStringAsync("audit?action=secret-read"))
                .Contains("secret/one.yaml", StringComparison.Ordinal),
            "that it was read is on record");
    }

    [Fact]
    public async Task Secret_is_replaced_without_being_read()
    {
        await PutAsync("secret/two.yaml");
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings/default/secret/two.yaml");
        await Assertions.Expect(page.GetByText("This is a secret")).ToBeVisibleAsync();
        await Text(page).FocusAsync();
        await page.Keyboard.InsertTextAsync("Password: trout");
        await page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Assertions.Expect(page.Locator(".outcome")).ToContainTextAsync("Done: changeset");
        Assert.Equal("Password: trout", await running.TextAsync("default", "secret/two.yaml"));
        using var local = Console.Node.Local();
        var masked = await local.GetStringAsync("resources/setting/default/secret/two.yaml");
        Assert.DoesNotContain("trout", masked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_read_secrets_has_no_control_and_is_refused()
    {
        await PutAsync("secret/three.yaml");
        var (exit, hash, error) = await Console.Node.VerbAsync("a long enough password", "operator", "hash");
        Assert.True(exit == 0, error);
        await running.PutResourceAsync(
            "operator/_/reader", new { passwordHash = hash.Trim(), roles = new[] { "reader" } });
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser, "reader");
        await Console.GoAsync(page, "settings/default/secret/three.yaml");
        await Assertions.Expect(page.GetByText("This is a secret")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Reveal" })).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Publish" })).ToHaveCountAsync(0);
    }

    private Task PutAsync(string name) => running.PutResourceAsync(
        $"setting/default/{name}", new { format = "yaml", content = Secret, secret = true });

    private static ILocator Text(IPage page) =>
        page.GetByRole(AriaRole.Textbox, new() { Name = "Text", Exact = true });
}
