using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>The timeline, going back, the approval by a second person, and the audit trail.</summary>
public sealed class ChangeTests(Chromium chromium, SharedConsole shared)
    : IClassFixture<Chromium>, IClassFixture<SharedConsole>
{
    private const string Password = "correct horse battery";

    private OpenConsole Console => shared.Console;

    [Fact]
    public async Task Timeline_shows_what_arrives_and_its_filters_are_in_the_address()
    {
        await shared.PutAsync("route/default/first", Route("/first", "a"), "one reason");
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "changes?kind=route&name=fi");
        await Assertions.Expect(page.Locator("main .changes li").First).ToContainTextAsync("one reason");
        await shared.PutAsync("role/_/other", new { grants = Array.Empty<object>() }, "not asked for");
        await shared.PutAsync("route/default/first", Route("/first", "b"), "another reason");
        await Assertions.Expect(page.Locator("main .changes li").First).ToContainTextAsync("another reason");
        await Assertions.Expect(page.Locator("main .changes")).Not.ToContainTextAsync("not asked for");
        await page.GetByPlaceholder("Author").FillAsync("operator:nobody");
        await Assertions.Expect(page.GetByText("No change matches.")).ToBeVisibleAsync();
        Assert.Contains("author=operator:nobody", Uri.UnescapeDataString(page.Url), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changeset_is_tried_first_and_then_reverted()
    {
        await shared.PutAsync("route/default/reverted", Route("/reverted", "old"));
        await shared.PutAsync("route/default/reverted", Route("/reverted", "new"));
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "changes?kind=route&name=reverted");
        await page.Locator("main .changes .revision").First.ClickAsync();
        await Assertions.Expect(page.Locator(".difference .removed")).ToContainTextAsync("service: old");
        await Assertions.Expect(page.Locator(".difference .added")).ToContainTextAsync("service: new");
        await page.GetByRole(AriaRole.Button, new() { Name = "Revert" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(dialog).ToContainTextAsync("would go back");
        Assert.Contains("\"new\"", await shared.GetAsync("route/default/reverted"), StringComparison.Ordinal);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Revert" }).ClickAsync();
        await Assertions.Expect(page.Locator(".notice.good")).ToContainTextAsync("Done: changeset");
        Assert.Contains("\"old\"", await shared.GetAsync("route/default/reverted"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_changed_since_is_named_and_nothing_is_reverted()
    {
        foreach (var service in new[] { "one", "two", "three" })
            await shared.PutAsync("route/default/since", Route("/since", service));
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "changes?kind=route&name=since");
        await page.Locator("main .changes .revision").Nth(1).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Revert" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("route default/since");
        await Assertions.Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Revert" })).ToBeDisabledAsync();
        await dialog.GetByRole(AriaRole.Link, new() { Name = "route default/since" }).ClickAsync();
        await Assertions.Expect(page.Locator("pre.spec")).ToContainTextAsync("service: three");
    }

    [Fact]
    public async Task Change_that_needs_a_second_person_is_approved_by_one_and_never_by_its_author()
    {
        await MakeOperatorAsync("ann");
        await MakeOperatorAsync("bob");
        await shared.PutAsync("route/default/guarded-1", Route("/guarded", "before"));
        await shared.PutAsync(
            "approval-policy/_/guarded",
            new { kinds = new[] { "route" }, namespaces = new[] { "*" }, names = new[] { "guarded-*" } });
        await using var anns = await chromium.OpenAsync();
        await using var bobs = await chromium.OpenAsync();
        var ann = await Console.SignInAsync(anns, "ann");
        await Console.GoAsync(ann, "resources/route/default/guarded-1?edit=yes");
        await ann.Locator("[data-field=service]").GetByRole(AriaRole.Textbox).FillAsync("after");
        await Assertions.Expect(ann.GetByText("it would wait for the approval")).ToBeVisibleAsync();
        await ann.GetByLabel("Why?").FillAsync("a new service");
        await ann.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await ann.Locator(".outcome").GetByRole(AriaRole.Link).ClickAsync();
        await Assertions.Expect(ann.GetByText("You proposed it")).ToBeVisibleAsync();
        await Assertions.Expect(ann.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToHaveCountAsync(0);
        await RefuseTheAuthorAsync(ann.Url.Split('/')[^1]);

        var bob = await Console.SignInAsync(bobs, "bob");
        await bob.Locator(".bar .waiting").ClickAsync();
        await bob.GetByRole(AriaRole.Link, new() { Name = "route guarded-1" }).ClickAsync();
        await Assertions.Expect(bob.Locator("h1")).ToHaveTextAsync("a new service");
        await Assertions.Expect(bob.Locator(".difference .removed")).ToContainTextAsync("service: before");
        await Assertions.Expect(bob.Locator(".difference .added")).ToContainTextAsync("service: after");
        Assert.Contains("\"before\"", await shared.GetAsync("route/default/guarded-1"), StringComparison.Ordinal);
        await bob.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        var dialog = bob.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Why?").FillAsync("looked at it");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Assertions.Expect(bob.Locator(".notice.good")).ToContainTextAsync("Done: changeset");
        Assert.Contains("\"after\"", await shared.GetAsync("route/default/guarded-1"), StringComparison.Ordinal);

        // Who proposed it sees it without asking, and the count of what waits is gone.
        await Assertions.Expect(ann.Locator(".facts")).ToContainTextAsync("operator:bob");
        await Assertions.Expect(ann.Locator(".facts")).ToContainTextAsync("looked at it");
        await Assertions.Expect(bob.Locator(".bar .waiting")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Proposal_whose_resource_was_changed_since_says_so_and_cannot_be_approved()
    {
        await shared.PutAsync("route/default/stale-1", Route("/stale", "one"));
        await shared.PutAsync(
            "approval-policy/_/stale",
            new { kinds = new[] { "route" }, namespaces = new[] { "*" }, names = new[] { "stale-*" } });
        var name = (string?)JsonNode.Parse(
            await shared.PutAsync("route/default/stale-1", Route("/stale", "two")))?["proposal"];
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, $"proposals/{name}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).WaitForAsync();
        using (var local = Console.Node.Local())
            await local.DeleteAsync("resources/approval-policy/_/stale");
        await shared.PutAsync("route/default/stale-1", Route("/stale", "three"));
        await Assertions.Expect(page.GetByText("cannot be approved any more")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Refuse" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Refuse" }).ClickAsync();
        await Assertions.Expect(page.Locator(".facts")).ToContainTextAsync("refused");
    }

    [Fact]
    public async Task Audit_is_searched_verified_and_saved()
    {
        using (var anonymous = new HttpClient { BaseAddress = Console.Address })
            await anonymous.GetAsync("groundwork/v1/resources/route/default/secret-place");
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "audit?action=sign-in");
        await Assertions.Expect(page.Locator("tbody tr").First).ToContainTextAsync("operator:admin");
        await page.GetByRole(AriaRole.Button, new() { Name = "Verify" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Intact", new() { Exact = true })).ToBeVisibleAsync();
        var saved = await page.RunAndWaitForDownloadAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Save as CSV" }).ClickAsync());
        var csv = await File.ReadAllTextAsync(await saved.PathAsync());
        Assert.StartsWith("sequence,at,principal,action", csv, StringComparison.Ordinal);
        Assert.Contains("sign-in", csv, StringComparison.Ordinal);
        await page.GetByPlaceholder("In the target").FillAsync("nowhere-to-be-found");
        await Assertions.Expect(page.GetByText("No row matches.")).ToBeVisibleAsync();
        Assert.Contains("target=nowhere-to-be-found", page.Url, StringComparison.Ordinal);
    }

    private static object Route(string path, string service) => new { hosts = new[] { "*" }, path, service };

    private async Task MakeOperatorAsync(string name)
    {
        var (exit, hash, error) = await Console.Node.VerbAsync(Password, "operator", "hash");
        Assert.True(exit == 0, error);
        await shared.PutAsync(
            $"operator/_/{name}", new { passwordHash = hash.Trim(), roles = new[] { "administrator" } });
    }

    /// <summary>What the page does not offer, asked of the API itself.</summary>
    private async Task RefuseTheAuthorAsync(string proposal)
    {
        using var client = new HttpClient { BaseAddress = new Uri(Console.Address, "groundwork/v1/") };
        using var signIn = await client.PostAsJsonAsync("sign-in", new { @operator = "ann", password = Password });
        var token = (string?)JsonNode.Parse(await signIn.Content.ReadAsStringAsync())?["accessToken"];
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var refused = await client.PostAsync($"proposals/{proposal}/approve", null);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("approval_by_author", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
