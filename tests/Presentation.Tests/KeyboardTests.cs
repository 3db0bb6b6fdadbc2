using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>Everything can be reached and done without a mouse.</summary>
public sealed class KeyboardTests(Chromium chromium) : IClassFixture<Chromium>
{
    /// <summary>
    /// What can be operated, is shown and is a stop of its own: one radio of a group is, the rest are not.
    /// </summary>
    private const string Operable =
        """
        () => [...document.querySelectorAll(
            'a[href], button, input, select, textarea, summary, [tabindex="0"], [contenteditable="true"]')]
            .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true })
                && !one.closest('details:not([open]) > :not(summary)') && !one.closest('[inert]')
                && !(one.type === 'radio' && !one.checked))
        """;

    private const string Watch =
        """
        () => {
            window.reached = new Set(); window.unmarked = []
            document.addEventListener('focusin', event => {
                const one = event.target
                window.reached.add(one)
                // An editor marks the box that it writes in.
                const boxes = [one]
                const writes = one.isContentEditable || one.matches('.cm-content, textarea')
                for (let box = one; box && writes; box = box.parentElement) boxes.push(box)
                const rings = boxes.some(box => getComputedStyle(box).outlineStyle !== 'none')
                const marked = one.matches(':focus-visible') && rings
                if (!marked) window.unmarked.push(one.outerHTML.slice(0, 120))
            })
        }
        """;

    [Fact]
    public async Task Every_control_of_every_page_is_reached_by_tab_and_shows_that_it_is()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        var pages = await EveryPage.FillAsync(console);
        var page = await console.SignInAsync(browser);
        var faults = new List<string>();
        foreach (var path in pages)
        {
            await console.GoAsync(page, path);
            await page.Locator("main h1").WaitForAsync();
            await Assertions.Expect(page.Locator(".wait")).ToHaveCountAsync(0);
            await page.EvaluateAsync(Watch);
            var count = await page.EvaluateAsync<int>($"({Operable})().length");
            Assert.True(count > 10, $"{path} has {count} controls: they were not found");
            // What comes while one goes through the page is reached the next time round.
            string[] missed = [];
            for (var round = 0; round < 3; round++)
            {
                for (var step = 0; step < count + 5; step++) await page.Keyboard.PressAsync("Tab");
                missed = await page.EvaluateAsync<string[]>(
                    $"({Operable})().filter(one => !reached.has(one)).map(one => one.outerHTML.slice(0, 120))");
                if (missed.Length == 0) break;
            }
            faults.AddRange(missed.Select(one => $"{path}: not reached: {one}"));
            faults.AddRange((await page.EvaluateAsync<string[]>("unmarked")).Select(one => $"{path}: unmarked: {one}"));
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public async Task A_day_s_work_is_done_without_a_mouse()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        await EveryPage.FillAsync(console);
        var page = await console.SignInAsync(browser);

        // By the skip link into the page, by the navigation to another, by the search to a third.
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#content")).ToBeFocusedAsync();
        await console.GoAsync(page, "");
        await FocusAsync(page, page.GetByRole(AriaRole.Link, new() { Name = "Nodes", Exact = true }).First);
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Nodes");
        await page.Keyboard.PressAsync("Control+k");
        await page.Keyboard.TypeAsync("orders");
        var found = page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Option);
        await Assertions.Expect(found.First).ToContainTextAsync("orders");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("orders");

        // Drains an instance: the dialog takes the focus, and gives it back when it is left.
        var drain = page.GetByRole(AriaRole.Button, new() { Name = "Drain" }).First;
        await FocusAsync(page, drain);
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();
        await Assertions.Expect(drain).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await FocusAsync(page, page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Drain" }));
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("tbody").First).ToContainTextAsync("draining");
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();

        // Signs out.
        var account = page.Locator(".account summary");
        await FocusAsync(page, account);
        await page.Keyboard.PressAsync("Enter");
        await FocusAsync(page, page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }));
        await page.Keyboard.PressAsync("Enter");
        await page.GetByLabel("Operator").WaitForAsync();
    }

    /// <summary>Goes to a control as a person does: tab by tab.</summary>
    private static async Task FocusAsync(IPage page, ILocator wanted)
    {
        await wanted.WaitForAsync();
        for (var step = 0; step < 200; step++)
        {
            if (await wanted.EvaluateAsync<bool>("one => one === document.activeElement")) return;
            await page.Keyboard.PressAsync("Tab");
        }
        Assert.Fail($"{wanted} is not reached by tab");
    }
}
