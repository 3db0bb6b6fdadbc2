using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>Any resource: written by its form and its YAML, seen as it was, and two who write at once.</summary>
public sealed class ResourceTests(Chromium chromium, SharedConsole shared)
    : IClassFixture<Chromium>, IClassFixture<SharedConsole>
{
    private OpenConsole Console => shared.Console;

    [Fact]
    public async Task Resource_is_made_by_the_form_and_changed_by_the_yaml_and_each_shows_what_the_other_says()
    {
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "resources/new?kind=route");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("made");
        await Entry(page, "hosts, entry 1").FillAsync("made.example.com");
        await Field(page, "path").GetByRole(AriaRole.Textbox).FillAsync("/made/**");
        await Field(page, "service").GetByRole(AriaRole.Textbox).FillAsync("orders");
        await Field(page, "timeouts").GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Field(page, "connectMs").GetByRole(AriaRole.Spinbutton).FillAsync("250");
        await page.GetByLabel("New name in labels").FillAsync("team");
        await page.GetByLabel("New name in labels").PressAsync("Enter");
        await page.GetByLabel("Value of team").FillAsync("shop");
        await Assertions.Expect(Yaml(page)).ToHaveValueAsync(
            "spec:\n  match:\n    hosts:\n      - made.example.com\n    path: /made/**\n  service: orders\n"
            + "  timeouts:\n    connectMs: 250\nlabels:\n  team: shop\n");
        await Assertions.Expect(page.GetByText("Dry run: it would be created.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(page.Locator("pre.spec")).ToContainTextAsync("connectMs: 250");

        await page.GetByRole(AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        const string begun = "# all of it\nspec:\n  match: { hosts: [made.example.com], path: /other/** }\n  service: ";
        await Yaml(page).FillAsync(begun + "[");
        await Assertions.Expect(page.Locator(".gutter .wrong")).ToHaveTextAsync("4");
        await Assertions.Expect(Field(page, "path").GetByRole(AriaRole.Textbox)).ToHaveValueAsync("/made/**");
        await Yaml(page).FillAsync(begun + "cart");
        await Assertions.Expect(Field(page, "path").GetByRole(AriaRole.Textbox)).ToHaveValueAsync("/other/**");
        await Field(page, "service").GetByRole(AriaRole.Textbox).FillAsync("carts");
        await Assertions.Expect(Yaml(page)).ToHaveValueAsync(
            "# all of it\nspec:\n  match: { hosts: [ made.example.com ], path: /other/** }\n  service: carts\n");
        await page.GetByLabel("Why?").FillAsync("moved");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(page.Locator(".notice.good")).ToContainTextAsync("Done: changeset");
        await Assertions.Expect(page.Locator("table.history")).ToContainTextAsync("moved");
        var now = await shared.GetAsync("route/default/made");
        Assert.Contains("\"service\":\"carts\"", now, StringComparison.Ordinal);
        Assert.DoesNotContain("labels", now, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fault_of_the_api_stands_at_its_field_and_at_its_line()
    {
        await shared.PutAsync(
            "route/default/faulty", new { match = new { hosts = new[] { "*" }, path = "/faulty" }, service = "a" });
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "resources/route/default/faulty?edit=yes");
        await Field(page, "path").GetByRole(AriaRole.Textbox).FillAsync("no slash");
        await Assertions.Expect(Field(page, "path").Locator(".faults")).Not.ToBeEmptyAsync();
        await Assertions.Expect(page.Locator(".gutter .wrong")).ToHaveTextAsync("5");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(page.GetByText("It would be refused; see the faults.")).ToBeVisibleAsync();
        await Field(page, "hosts").GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Entry(page, "hosts, entry 2").FillAsync("a b");
        await Assertions.Expect(Field(page, "hosts").Locator("li.invalid .faults")).Not.ToBeEmptyAsync();
        Assert.Contains("\"/faulty\"", await shared.GetAsync("route/default/faulty"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slider_shows_the_resource_as_it_was_and_rolls_back_to_it()
    {
        foreach (var service in new[] { "one", "two", "three" })
        {
            await shared.PutAsync(
                "route/default/slid", new { match = new { hosts = new[] { "*" }, path = "/slid" }, service }, service);
        }
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "resources/route/default/slid");
        var spec = page.Locator("pre.spec");
        await Assertions.Expect(spec).ToContainTextAsync("service: three");
        await Assertions.Expect(page.Locator(".difference .added")).ToContainTextAsync("service: three");
        var slider = page.GetByRole(AriaRole.Slider);
        await slider.PressAsync("ArrowLeft");
        await Assertions.Expect(spec).ToContainTextAsync("service: two");
        await slider.PressAsync("Home");
        await Assertions.Expect(spec).ToContainTextAsync("service: one");
        Assert.Contains("asOf=", page.Url, StringComparison.Ordinal);
        await page.ReloadAsync();
        await Assertions.Expect(spec).ToContainTextAsync("service: one");
        await page.GetByLabel("To", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Index = 0 });
        await Assertions.Expect(page.Locator(".difference .added").Last).ToContainTextAsync("service: three");
        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back to this" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Roll back" }).ClickAsync();
        await Assertions.Expect(page.Locator(".notice.good")).ToContainTextAsync("Done: changeset");
        Assert.Contains("\"one\"", await shared.GetAsync("route/default/slid"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Masked_secret_stays_what_it_is_when_something_else_is_saved()
    {
        await shared.PutAsync(
            "setting/default/vault/key.txt", new { format = "text", content = "hunter2", secret = true });
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "resources/setting/default/vault/key.txt?edit=yes");
        await Assertions.Expect(Field(page, "content").GetByRole(AriaRole.Textbox))
            .ToHaveValueAsync("A secret is in place and stays");
        await Field(page, "description").GetByRole(AriaRole.Textbox).FillAsync("of the vault");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(page.Locator(".notice.good")).ToContainTextAsync("Done: changeset");
        Assert.DoesNotContain("hunter2", await page.ContentAsync(), StringComparison.Ordinal);
        var now = await shared.GetAsync("setting/default/vault/key.txt");
        Assert.Contains("hunter2", now, StringComparison.Ordinal);
        Assert.Contains("of the vault", now, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_tabs_that_write_the_same_resource_see_both_versions_and_lose_nothing()
    {
        await shared.PutAsync(
            "route/default/raced", new { match = new { hosts = new[] { "*" }, path = "/raced" }, service = "one" });
        await using var browser = await chromium.OpenAsync();
        var mine = await Console.SignInAsync(browser);
        await Console.GoAsync(mine, "resources/route/default/raced?edit=yes");
        var theirs = await browser.NewPageAsync();
        await Console.GoAsync(theirs, "resources/route/default/raced?edit=yes");
        await Field(mine, "service").GetByRole(AriaRole.Textbox).FillAsync("mine");
        await Field(theirs, "service").GetByRole(AriaRole.Textbox).FillAsync("theirs");
        await theirs.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(theirs.Locator(".notice.good")).ToContainTextAsync("Done: changeset");

        var conflict = mine.Locator(".conflict");
        await Assertions.Expect(conflict).ToContainTextAsync("Somebody was faster");
        await Assertions.Expect(conflict.Locator(".added").First).ToContainTextAsync("service: theirs");
        await Assertions.Expect(conflict.Locator(".added").Last).ToContainTextAsync("service: mine");
        await Assertions.Expect(mine.GetByRole(AriaRole.Button, new() { Name = "Save" })).ToBeDisabledAsync();
        await mine.GetByRole(AriaRole.Button, new() { Name = "Go on with mine" }).ClickAsync();
        await mine.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(mine.Locator(".notice.good")).ToContainTextAsync("Done: changeset");
        Assert.Contains("\"mine\"", await shared.GetAsync("route/default/raced"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_is_filtered_by_the_address_and_a_deleted_resource_can_still_be_seen()
    {
        await shared.PutAsync(
            "role/_/listed", new { grants = new[] { new { verbs = new[] { "read" }, kinds = new[] { "*" } } } });
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "resources?kind=role&filter=list");
        await page.GetByRole(AriaRole.Link, new() { Name = "listed" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Why?").FillAsync("no use");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Assertions.Expect(page.GetByText("It is deleted.")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("table.history")).ToContainTextAsync("no use");
        await page.GetByRole(AriaRole.Slider).PressAsync("Home");
        await Assertions.Expect(page.Locator("pre.spec")).ToContainTextAsync("grants:");
        await Console.GoAsync(page, "resources?kind=role&filter=list");
        await Assertions.Expect(page.GetByText("No resource of this kind matches")).ToBeVisibleAsync();
    }

    private static ILocator Field(IPage page, string name) => page.Locator($"[data-field=\"{name}\"]");

    private static ILocator Entry(IPage page, string name) =>
        page.GetByRole(AriaRole.Textbox, new() { Name = name, Exact = true });

    private static ILocator Yaml(IPage page) => page.GetByRole(AriaRole.Textbox, new() { Name = "YAML", Exact = true });
}
