using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>Settings as a zip, in the console and by the command: each reads what the other has written.</summary>
public sealed class SettingArchiveTests(Chromium chromium, SettingsConsole running)
    : IClassFixture<Chromium>, IClassFixture<SettingsConsole>
{
    private OpenConsole Console => running.Console;

    [Fact]
    public async Task Zip_that_the_console_exports_is_imported_by_the_command()
    {
        await running.PutAsync("default", "carried/app.yaml", "yaml", "Name: Größe\nAt: 5\n");
        await running.PutAsync("default", "carried/app.json", "json", """{"A":1}""");
        await running.PutAsync("default", "left/app.json", "json", """{"A":2}""");
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings");
        await page.GetByRole(AriaRole.Button, new() { Name = "Export" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Namespace").SelectOptionAsync("default");
        await dialog.GetByLabel("Group").SelectOptionAsync("carried");
        var download = await page.RunAndWaitForDownloadAsync(
            () => dialog.GetByRole(AriaRole.Button, new() { Name = "Download" }).ClickAsync());
        using var directory = new TemporaryDirectory();
        var zip = directory.Combine("settings.zip");
        await download.SaveAsAsync(zip);

        var (exit, _, error) = await Console.Node.VerbAsync("", "settings", "import", zip, "-n", "dev");
        Assert.True(exit == 0, error);
        Assert.Equal("Name: Größe\nAt: 5\n", await running.TextAsync("dev", "carried/app.yaml"));
        Assert.Equal("""{"A":1}""", await running.TextAsync("dev", "carried/app.json"));
        await Assert.ThrowsAsync<HttpRequestException>(() => running.TextAsync("dev", "left/app.json"));
    }

    [Fact]
    public async Task Zip_of_the_command_is_imported_in_the_console_and_what_is_there_is_kept_unless_told()
    {
        await running.PutAsync("gray", "moved/same.yaml", "yaml", "A: 1\n");
        await running.PutAsync("gray", "moved/other.yaml", "yaml", "B: 1\n");
        await running.PutAsync("gray", "moved/new.yaml", "yaml", "C: 1\n");
        await running.PutAsync("prod", "moved/same.yaml", "yaml", "A: 1\n");
        await running.PutAsync("prod", "moved/other.yaml", "yaml", "B: 2\n");
        using var directory = new TemporaryDirectory();
        var zip = directory.Combine("settings.zip");
        var (exit, _, error) = await Console.Node.VerbAsync(
            "", "settings", "export", zip, "-n", "gray", "--group", "moved", "--as", "zip");
        Assert.True(exit == 0, error);

        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings");
        var dialog = await ChooseAsync(page, zip);
        await Assertions.Expect(dialog).ToContainTextAsync("1 new");
        await Assertions.Expect(dialog).ToContainTextAsync("1 different");
        await Assertions.Expect(dialog).ToContainTextAsync("1 as it is");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Publish 1" }).ClickAsync();
        await Assertions.Expect(dialog.Locator(".outcome")).ToContainTextAsync("Done: changeset");
        Assert.Equal("C: 1\n", await running.TextAsync("prod", "moved/new.yaml"));
        Assert.Equal("B: 2\n", await running.TextAsync("prod", "moved/other.yaml"));
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();

        dialog = await ChooseAsync(page, zip);
        await dialog.GetByLabel("Replace those that differ").CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Publish 1" }).ClickAsync();
        await Assertions.Expect(dialog.Locator(".outcome")).ToContainTextAsync("Done: changeset");
        Assert.Equal("B: 1\n", await running.TextAsync("prod", "moved/other.yaml"));
    }

    [Fact]
    public async Task File_that_is_no_zip_is_refused_and_publishes_nothing()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("settings.zip", "PK but no more");
        await running.PutAsync("prod", "kept/app.yaml", "yaml", "A: 1\n"); // So that there is a namespace to choose.
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings");
        var dialog = await ChooseAsync(page, directory.Combine("settings.zip"));
        await Assertions.Expect(dialog.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await Assertions.Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Publish 0" })).ToBeDisabledAsync();
    }

    private static async Task<ILocator> ChooseAsync(IPage page, string zip)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Import" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Namespace").SelectOptionAsync("prod");
        await dialog.GetByLabel("Zip").SetInputFilesAsync(zip);
        return dialog;
    }
}
