using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>What people do with settings in the console, and what it does to real services that read them.</summary>
public sealed class SettingTests(Chromium chromium, SettingsConsole running)
    : IClassFixture<Chromium>, IClassFixture<SettingsConsole>
{
    private OpenConsole Console => running.Console;

    [Fact]
    public async Task Setting_that_is_published_changes_a_real_service_whose_receipt_arrives_live_and_is_rolled_back()
    {
        await using var browser = await chromium.OpenAsync();
        await running.PutAsync("default", "reader/front", "json", Percent(1));
        await using var readers = await ReaderProcess.StartAsync(running.Variables, "live-1", "live-2");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings/default/reader/front");
        await Assertions.Expect(Text(page)).ToContainTextAsync("\"Percent\":1");

        await WriteAsync(page, Percent(7));
        // Who would get it, by the keys that their processes have really read, is said before it is published.
        var radius = page.GetByRole(AriaRole.Region, new() { Name = "Whom it would reach" });
        await Assertions.Expect(radius).ToContainTextAsync("2 of 2 readers would get it");
        await Assertions.Expect(radius).ToContainTextAsync("Front:Percent");
        await page.GetByLabel("Why?").FillAsync("spring");
        await page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Assertions.Expect(page.Locator(".outcome")).ToContainTextAsync("2 applied");
        await readers.HasAsync("live-1", "7");
        await readers.HasAsync("live-2", "7");

        await page.GetByRole(AriaRole.Tab, new() { Name = "Readers" }).ClickAsync();
        var receipts = page.GetByRole(AriaRole.Region, new() { Name = "Receipts" });
        await Assertions.Expect(receipts.GetByRole(AriaRole.Row, new() { Name = "live-2" }))
            .ToContainTextAsync("applied");
        // Another publishes: the receipts of this page follow by themselves.
        var revision = await running.PutAsync("default", "reader/front", "json", Percent(8));
        await Assertions.Expect(receipts.GetByRole(AriaRole.Row, new() { Name = "live-1" }))
            .ToContainTextAsync($"{revision}");
        await Assertions.Expect(page.GetByText("2 applied")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Tab, new() { Name = "History" }).ClickAsync();
        await Assertions.Expect(page.Locator(".diff-view")).ToContainTextAsync("\"Percent\":7");
        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back to this" }).Last.ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Roll back" }).ClickAsync();
        await Assertions.Expect(page.Locator(".outcome")).ToContainTextAsync("2 applied");
        await readers.HasAsync("live-1", "1");
    }

    [Fact]
    public async Task Fault_is_marked_at_its_line_as_it_is_typed_and_what_breaks_the_schema_cannot_be_published()
    {
        await using var browser = await chromium.OpenAsync();
        await running.PutAsync(
            "default", "checked/price.yaml", "yaml", "Price:\n  Amount: 5\n",
            """{"properties":{"Price":{"properties":{"Amount":{"type":"integer","minimum":1}}}}}""");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings/default/checked/price.yaml");
        await Assertions.Expect(Text(page)).ToContainTextAsync("Amount: 5");
        var faults = page.GetByRole(AriaRole.List, new() { Name = "Faults in the text" });
        var publish = page.GetByRole(AriaRole.Button, new() { Name = "Publish" });

        await WriteAsync(page, "Price:\n  Amount: 0\n");
        await Assertions.Expect(faults).ToContainTextAsync("2:3");
        await Assertions.Expect(faults).ToContainTextAsync("schema.minimum: Price.Amount must be at least 1");
        await Assertions.Expect(page.Locator(".cm-lintRange-error")).ToHaveTextAsync("Amount");
        await Assertions.Expect(publish).ToBeDisabledAsync();
        await WriteAsync(page, "Price: [");
        await Assertions.Expect(faults).Not.ToContainTextAsync("schema.");
        await Assertions.Expect(publish).ToBeDisabledAsync();

        await WriteAsync(page, "Price:\n  Amount: 6\n");
        await Assertions.Expect(page.GetByText("No fault found.")).ToBeVisibleAsync();
        await Assertions.Expect(faults).ToHaveCountAsync(0);
        await publish.ClickAsync();
        await Assertions.Expect(page.Locator(".outcome")).ToContainTextAsync("Done: changeset");
        Assert.Equal("Price:\n  Amount: 6\n", await running.TextAsync("default", "checked/price.yaml"));
    }

    [Fact]
    public async Task Two_who_write_the_same_setting_see_both_texts_and_nobodys_is_lost()
    {
        await using var browser = await chromium.OpenAsync();
        await running.PutAsync("default", "both/front.yaml", "yaml", "Banner: One");
        var page = await Console.SignInAsync(browser);
        var other = await browser.NewPageAsync();
        foreach (var tab in new[] { page, other })
        {
            await Console.GoAsync(tab, "settings/default/both/front.yaml");
            await Assertions.Expect(Text(tab)).ToHaveTextAsync("Banner: One");
        }
        await WriteAsync(page, "Banner: Mine");
        await WriteAsync(other, "Banner: Theirs");
        await other.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Assertions.Expect(other.Locator(".outcome")).ToContainTextAsync("Done: changeset");

        await Assertions.Expect(page.GetByText("Somebody published a newer text")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Textbox, new() { Name = "What was published meanwhile" }))
            .ToHaveTextAsync("Banner: Theirs");
        await Assertions.Expect(page.GetByRole(AriaRole.Textbox, new() { Name = "Yours" }))
            .ToHaveTextAsync("Banner: Mine");
        Assert.Equal("Banner: Theirs", await running.TextAsync("default", "both/front.yaml"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Publish mine over theirs" }).ClickAsync();
        await Assertions.Expect(page.Locator(".outcome")).ToContainTextAsync("Done: changeset");
        await Assertions.Expect(Text(other)).ToHaveTextAsync("Banner: Mine");
    }

    [Fact]
    public async Task Setting_is_created_found_in_the_tree_by_keyboard_and_deleted()
    {
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings/new");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("born/first.properties");
        await Assertions.Expect(page.GetByLabel("Format")).ToHaveValueAsync("properties");
        await WriteAsync(page, "a=1\na=2");
        await Assertions.Expect(page.GetByRole(AriaRole.List, new() { Name = "Faults in the text" }))
            .ToContainTextAsync("2:1");
        await WriteAsync(page, "a=1");
        await page.GetByLabel("What it is for").FillAsync("Proof of life");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("born/first.properties");

        await Console.GoAsync(page, "settings?filter=proof%20life");
        var tree = page.GetByRole(AriaRole.Tree);
        await tree.FocusAsync();
        await page.Keyboard.PressAsync("End");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("born/first.properties");
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Why?").FillAsync("enough");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Settings");
        await Assertions.Expect(page.GetByRole(AriaRole.Main)).Not.ToContainTextAsync("born");
    }

    [Fact]
    public async Task Gray_release_reaches_one_real_instance_then_more_and_is_promoted_to_all()
    {
        await using var browser = await chromium.OpenAsync();
        await running.PutAsync("gray", "reader/front", "json", Percent(1));
        var variables = running.Variables.ToDictionary();
        variables["GROUNDWORK_NAMESPACE"] = "gray";
        await using var readers = await ReaderProcess.StartAsync(variables, "g-1", "g-2", "g-3");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings/gray/reader/front");
        await WriteAsync(page, Percent(2));
        await page.GetByRole(AriaRole.Button, new() { Name = "Release to some first" }).ClickAsync();

        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("careful");
        await page.GetByRole(AriaRole.Button, new() { Name = "reader/g-2" }).ClickAsync();
        await Assertions.Expect(page.GetByText("1 of 3 readers would get it")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Begin the release" }).ClickAsync();
        var release = page.GetByRole(AriaRole.Article);
        await Assertions.Expect(release).ToContainTextAsync("1 applied");
        await readers.HasAsync("g-2", "2");
        Assert.Equal(("1", "1"), (readers.Values["g-1"], readers.Values["g-3"]));

        await release.GetByRole(AriaRole.Button, new() { Name = "Change receivers or text" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "reader/g-3" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save the release" }).ClickAsync();
        await Assertions.Expect(release).ToContainTextAsync("2 applied");
        await readers.HasAsync("g-3", "2");
        Assert.Equal("1", readers.Values["g-1"]);

        await release.GetByRole(AriaRole.Button, new() { Name = "Promote to everybody" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Promote" }).ClickAsync();
        await Assertions.Expect(page.Locator(".outcome")).ToContainTextAsync("3 applied");
        await readers.HasAsync("g-1", "2");
        await Assertions.Expect(release).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Chosen_keys_are_promoted_to_another_namespace_and_the_others_stay()
    {
        await using var browser = await chromium.OpenAsync();
        const string name = "shop/app.yaml";
        var first = await running.PutAsync("dev", name, "yaml", "Price:\n  Amount: 10\n  Rounding: up\nMode: fast\n");
        await running.PromoteAsync("shop", "app.yaml", first);
        await running.PutAsync("dev", name, "yaml", "Price:\n  Amount: 12\n  Rounding: down\nMode: slow\n");
        await running.WriteAsync("prod", name, "# ours\nPrice:\n  Amount: 10\n  Rounding: up\nMode: careful\n");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "settings/dev/shop/app.yaml");
        await page.GetByRole(AriaRole.Link, new() { Name = "Promote" }).ClickAsync();
        await page.GetByRole(AriaRole.Combobox, new() { Name = "To", Exact = true }).SelectOptionAsync("prod");

        var mode = page.GetByRole(AriaRole.Row, new() { Name = "Mode" });
        await Assertions.Expect(mode).ToContainTextAsync("conflict");
        await page.GetByLabel("What becomes of Price:Rounding").UncheckAsync();
        await Assertions.Expect(page.GetByLabel("What becomes of Price:Amount")).ToBeCheckedAsync();
        var promote = page.GetByRole(AriaRole.Button, new() { Name = "Promote to prod" });
        await Assertions.Expect(promote).ToBeDisabledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Dry run" }).ClickAsync();
        await Assertions.Expect(page.Locator(".bottom .added")).ToContainTextAsync("12");
        await promote.ClickAsync();
        await Assertions.Expect(page.Locator(".outcome")).ToContainTextAsync("Done: changeset");
        Assert.Equal(
            "# ours\nPrice:\n  Amount: 12\n  Rounding: up\nMode: careful\n", await running.TextAsync("prod", name));
    }

    [Fact]
    public async Task Flag_that_is_changed_in_the_form_is_another_for_a_real_service()
    {
        await using var browser = await chromium.OpenAsync();
        await running.PutAsync("flags", "reader/front", "json", Percent(1));
        await running.PutAsync(
            "flags", "reader/features.flags", "flags",
            "# ours\nflags:\n  greeting:\n    rules:\n      - {name: testers, users: [ann], serve: on}\n");
        await using var readers = await ReaderProcess.StartAsync(
            running.Variables.Append(new("GROUNDWORK_NAMESPACE", "flags")).ToDictionary(), "f-1?greeting=bob");
        await readers.HasAsync("f-1", "False");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "flags");
        await page.GetByRole(AriaRole.Link, new() { Name = "greeting" }).ClickAsync();
        var tried = page.GetByRole(AriaRole.Region, new() { Name = "Try it" });
        await tried.GetByLabel("User key").FillAsync("bob");
        await Assertions.Expect(tried).ToContainTextAsync("because no rule matches");

        var users = page.GetByRole(AriaRole.Textbox, new() { Name = "Users", Exact = true });
        await users.FillAsync("ann bob");
        await users.BlurAsync();
        await Assertions.Expect(tried).ToContainTextAsync("because rule testers matches");
        await Assertions.Expect(Text(page)).ToContainTextAsync("users: [ann, bob]");
        await Assertions.Expect(page.GetByText("No fault found.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await readers.HasAsync("f-1", "True");
        Assert.StartsWith(
            "# ours\n", await running.TextAsync("flags", "reader/features.flags"), StringComparison.Ordinal);
        // What the service evaluated is counted.
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "How often answered" }))
            .ToContainTextAsync("on");
    }

    [Fact]
    public async Task Text_that_needs_a_second_person_is_a_proposal_until_one_approves_it()
    {
        await running.PutAsync("default", "guarded/front.yaml", "yaml", "Banner: One");
        await running.PutResourceAsync("approval-policy/_/guarded", new
        {
            kinds = new[] { "setting" }, namespaces = new[] { "*" }, names = new[] { "guarded/*" },
        });
        var (exit, hash, error) = await Console.Node.VerbAsync("a long enough password", "operator", "hash");
        Assert.True(exit == 0, error);
        await running.PutResourceAsync(
            "operator/_/bob", new { passwordHash = hash.Trim(), roles = new[] { "administrator" } });
        await using var authors = await chromium.OpenAsync();
        await using var bobs = await chromium.OpenAsync();
        var author = await Console.SignInAsync(authors);
        await Console.GoAsync(author, "settings/default/guarded/front.yaml");
        await Assertions.Expect(Text(author)).ToHaveTextAsync("Banner: One");
        await WriteAsync(author, "Banner: Two");
        await author.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Assertions.Expect(author.Locator(".outcome")).ToContainTextAsync("A second person must approve it");
        Assert.Equal("Banner: One", await running.TextAsync("default", "guarded/front.yaml"));
        var proposal = author.Locator(".outcome").GetByRole(AriaRole.Link);
        var path = await proposal.GetAttributeAsync("href") ?? "";
        await proposal.ClickAsync();
        await Assertions.Expect(author.GetByText("You proposed it")).ToBeVisibleAsync();
        await Assertions.Expect(author.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToHaveCountAsync(0);

        var bob = await Console.SignInAsync(bobs, "bob");
        await bob.GotoAsync(new Uri(Console.Address, path).ToString());
        await bob.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await bob.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Console.GoAsync(author, "settings/default/guarded/front.yaml");
        await Assertions.Expect(Text(author)).ToHaveTextAsync("Banner: Two");
        Assert.Equal("Banner: Two", await running.TextAsync("default", "guarded/front.yaml"));
    }

    /// <summary>As a person does: all that is there is replaced.</summary>
    private static async Task WriteAsync(IPage page, string text)
    {
        await Text(page).FocusAsync();
        await page.Keyboard.PressAsync("Control+a");
        await page.Keyboard.InsertTextAsync(text);
    }

    private static string Percent(int percent) => $$$"""{"Front":{"Percent":{{{percent}}}}}""";

    private static ILocator Text(IPage page) =>
        page.GetByRole(AriaRole.Textbox, new() { Name = "Text", Exact = true });
}
