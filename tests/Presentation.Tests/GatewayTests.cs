using System.Net;
using System.Net.Http.Json;
using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>
/// What people do with routes, upstreams and listeners beyond writing them: move shares, try requests, replay those
/// that came. The oracle is the gateway itself, asked by real requests.
/// </summary>
public sealed class GatewayTests(Chromium chromium, SharedConsole shared)
    : IClassFixture<Chromium>, IClassFixture<SharedConsole>
{
    private OpenConsole Console => shared.Console;

    [Fact]
    public async Task Shares_that_are_moved_by_the_keyboard_are_what_the_gateway_does_until_they_are_taken_back()
    {
        await using var browser = await chromium.OpenAsync();
        await using var service = await LoadedService.StartAsync(Console, "parted", withRoute: false);
        await PutPartedAsync("parted", 100, 0);
        await Eventually.PassesAsync(async () => Assert.Equal("a", await service.CallAsync()));
        Assert.Equal(0, await CountAsync(service, "b", of: 60));
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "routes/default/parted");

        // Not a hand on the mouse: by Tab to the slider of version b, five pages up, and one step down.
        var slider = page.GetByRole(AriaRole.Slider, new() { Name = "parted (version b)" });
        await slider.WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "History" }).FocusAsync();
        for (var step = 0; step < 30 && !await slider.EvaluateAsync<bool>("one => one === document.activeElement"); step++)
            await page.Keyboard.PressAsync("Tab");
        for (var press = 0; press < 5; press++) await page.Keyboard.PressAsync("PageUp");
        await page.Keyboard.PressAsync("ArrowLeft");
        await Assertions.Expect(slider).ToHaveAttributeAsync("aria-valuetext", "49% to parted (version b)");
        var where = page.GetByLabel("What goes where");
        await Assertions.Expect(where).ToContainTextAsync("51%");
        // Nothing has happened yet.
        Assert.Equal(0, await CountAsync(service, "b", of: 40));
        await page.GetByLabel("Why?").FocusAsync();
        await page.Keyboard.TypeAsync("half of them");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("main .notice.good")).ToContainTextAsync("changeset");
        // Of 300 drawn at 49 %, six deviations (8.7 each) around 147 hold all but one of a thousand million.
        Assert.InRange(await CountAsync(service, "b", of: 300), 95, 199);
        Assert.Contains("\"weight\":49", await shared.GetAsync("route/default/parted"), StringComparison.Ordinal);

        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("main .notice.good")).ToContainTextAsync("what they were");
        await Assertions.Expect(slider).ToHaveAttributeAsync("aria-valuetext", "0% to parted (version b)");
        Assert.Equal(0, await CountAsync(service, "b", of: 60));
    }

    [Fact]
    public async Task A_slider_is_drawn_by_the_mouse_and_gives_way_to_who_was_faster()
    {
        await using var browser = await chromium.OpenAsync();
        await PutPartedAsync("drawn", 90, 10);
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "routes/default/drawn");
        var slider = page.GetByRole(AriaRole.Slider, new() { Name = "drawn (version b)" });
        var box = (await slider.BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + (box.Width / 10), box.Y + (box.Height / 2));
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + (box.Width / 2), box.Y + (box.Height / 2), new() { Steps = 8 });
        await page.Mouse.UpAsync();
        var percent = int.Parse(await slider.InputValueAsync(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(percent, 45, 55);
        await Assertions.Expect(page.GetByLabel("What goes where")).ToContainTextAsync($"{100 - percent}%");

        await PutPartedAsync("drawn", 60, 40);
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Somebody changed this route");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Save shares" })).ToBeDisabledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Show what is there now" }).ClickAsync();
        await Assertions.Expect(slider).ToHaveJSPropertyAsync("value", "40");
    }

    [Fact]
    public async Task A_typed_request_is_tried_and_its_answer_is_a_link()
    {
        await using var browser = await chromium.OpenAsync();
        await PutAnswerAsync("tried", "/tried/**");
        await PutAnswerAsync("tried-first", "/tried/first");
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "routes/default/tried?tab=try");
        await page.GetByLabel("Path and query").FillAsync("/tried/first?x=1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Try", Exact = true }).ClickAsync();
        var now = page.GetByRole(AriaRole.Region, new() { Name = "Now", Exact = true });
        await Assertions.Expect(now).ToContainTextAsync("goes by the route default/tried-first");
        await Assertions.Expect(now).ToContainTextAsync("an exact path goes before a prefix");
        await page.WaitForURLAsync(url => url.Contains("path=/tried/first", StringComparison.Ordinal));
        await page.ReloadAsync();
        await Assertions.Expect(now).ToContainTextAsync("goes by the route default/tried-first");

        await page.GetByLabel("Path and query").FillAsync("/tried/else");
        await page.GetByRole(AriaRole.Button, new() { Name = "Try", Exact = true }).ClickAsync();
        await Assertions.Expect(now).ToContainTextAsync("goes by the route default/tried to");
        await page.GetByLabel("Path and query").FillAsync("/%zz");
        await page.GetByRole(AriaRole.Button, new() { Name = "Try", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The path is malformed");
    }

    [Fact]
    public async Task A_draft_says_what_it_would_change_before_it_is_saved()
    {
        await using var browser = await chromium.OpenAsync();
        await PutAnswerAsync("replayed", "/replayed/**");
        using var outside = new HttpClient { BaseAddress = new Uri(Console.Node.Node.Listeners["gateway"]) };
        for (var index = 0; index < 3; index++)
            Assert.Equal("replayed", await outside.GetStringAsync($"/replayed/{index}"));
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "routes/default/replayed?tab=edit");
        var replay = page.GetByRole(AriaRole.Region, new() { Name = "Replay recorded requests" });
        await replay.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();
        await Assertions.Expect(replay.GetByRole(AriaRole.Status)).ToContainTextAsync("would go where they go now");

        var yaml = page.GetByLabel("YAML").GetByRole(AriaRole.Textbox);
        var text = await yaml.InputValueAsync();
        await yaml.FillAsync(text.Replace("/replayed/**", "/replayed/1", StringComparison.Ordinal));
        await Assertions.Expect(replay.GetByRole(AriaRole.Status)).ToContainTextAsync("The draft has changed since");
        await replay.GetByRole(AriaRole.Button, new() { Name = "Replay" }).ClickAsync();
        var row = replay.GetByRole(AriaRole.Row).Filter(new() { HasText = "route_not_found" });
        await Assertions.Expect(row).ToContainTextAsync("default/replayed");
        await Assertions.Expect(row.GetByRole(AriaRole.Cell).First).ToHaveTextAsync("2");
        var trial = page.GetByRole(AriaRole.Region, new() { Name = "Try a request" });
        await trial.GetByLabel("Path and query").FillAsync("/replayed/0");
        await trial.GetByRole(AriaRole.Button, new() { Name = "Try", Exact = true }).ClickAsync();
        await Assertions.Expect(trial.GetByRole(AriaRole.Region, new() { Name = "Now", Exact = true }))
            .ToContainTextAsync("default/replayed");
        await Assertions.Expect(trial.GetByRole(AriaRole.Region, new() { Name = "With the draft" }))
            .ToContainTextAsync("route_not_found");
        // The difference, and nothing of it has been done.
        await page.GetByRole(AriaRole.Button, new() { Name = "Difference" }).ClickAsync();
        await Assertions.Expect(page.GetByLabel("What you change")).ToContainTextAsync("/replayed/1");
        Assert.Equal("replayed", await outside.GetStringAsync("/replayed/0"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(page.Locator("main .notice.good")).ToContainTextAsync("changeset");
        await Eventually.PassesAsync(async () =>
        {
            using var gone = await outside.GetAsync("/replayed/0");
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        });
    }

    [Fact]
    public async Task An_upstream_shows_its_instances_and_is_edited()
    {
        await using var browser = await chromium.OpenAsync();
        await shared.PutAsync("upstream/default/legacy", new
        {
            addresses = new object[]
            {
                new { address = "10.0.0.7:8080", weight = 300 }, new { address = "10.0.0.8:8080" },
                new { address = "10.1.0.9:8080", tier = 1 },
            },
        });
        await shared.PutAsync("route/default/legacy", new
        {
            match = new { hosts = new[] { "*" }, path = "/legacy/**" }, upstream = "legacy",
        });
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "upstreams?filter=legacy");
        await Assertions.Expect(page.Locator("tbody tr")).ToContainTextAsync("2 of 3");
        await page.GetByRole(AriaRole.Link, new() { Name = "default/legacy" }).First.ClickAsync();
        var rows = page.GetByRole(AriaRole.Region, new() { Name = "Instances" }).Locator("tbody tr");
        await Assertions.Expect(rows.Nth(0)).ToContainTextAsync("75%");
        await Assertions.Expect(rows.Nth(1)).ToContainTextAsync("25%");
        await Assertions.Expect(rows.Nth(2)).ToContainTextAsync("stands by");

        await page.GetByRole(AriaRole.Tab, new() { Name = "Edit" }).ClickAsync();
        var yaml = page.GetByLabel("YAML").GetByRole(AriaRole.Textbox);
        var text = await yaml.InputValueAsync();
        await yaml.FillAsync(text.Replace("300", "100", StringComparison.Ordinal));
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(rows.Nth(0)).ToContainTextAsync("50%");
    }

    [Fact]
    public async Task A_listener_shows_where_it_is_open_and_takes_bounds()
    {
        await using var browser = await chromium.OpenAsync();
        var page = await Console.SignInAsync(browser);
        await Console.GoAsync(page, "listeners");
        var http = page.GetByRole(AriaRole.Region, new() { Name = "http", Exact = true });
        var port = new Uri(Console.Node.Node.Listeners["gateway"]).Port;
        await Assertions.Expect(http).ToContainTextAsync($"127.0.0.1:{port}");
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "https" }))
            .ToContainTextAsync("not open");
        await Console.GoAsync(page, "listeners/http?tab=edit");
        await page.GetByLabel("YAML").GetByRole(AriaRole.Textbox).FillAsync("spec: {bounds: {maxConnections: 777}}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(http).ToContainTextAsync("777");
    }

    [Fact]
    public async Task Who_may_only_look_gets_no_control_and_is_refused_by_the_API_too()
    {
        await using var browser = await chromium.OpenAsync();
        await PutPartedAsync("looked", 70, 30);
        await PutRoleAsync("looker", "route", "upstream");
        await PutRoleAsync("stranger", "setting");
        var (exit, hash, error) = await Console.Node.VerbAsync("correct horse battery", "operator", "hash");
        Assert.True(exit == 0, error);
        await shared.PutAsync(
            "operator/_/looker", new { passwordHash = hash.Trim(), roles = new[] { "looker" } });
        var page = await Console.SignInAsync(browser, "looker");
        await Console.GoAsync(page, "routes/default/looked");
        await Assertions.Expect(page.GetByRole(AriaRole.Slider, new() { Name = "looked (version b)" }))
            .ToBeDisabledAsync();
        await Assertions.Expect(page.GetByText("Your roles let you look at the shares")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Tab, new() { Name = "Edit" })).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Delete" })).ToHaveCountAsync(0);
        // What is in the address is not offered either.
        await Console.GoAsync(page, "routes/default/looked?tab=edit");
        await Assertions.Expect(page.GetByLabel("What a request passes")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Save" })).ToHaveCountAsync(0);
        await Console.GoAsync(page, "upstreams");
        await Assertions.Expect(page.Locator("main h1")).ToHaveTextAsync("Upstreams");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "New upstream" })).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator("nav.sidebar").GetByText("Listeners")).ToHaveCountAsync(0);

        using var local = Console.Node.Local();
        var (key, other) = (await MintAsync(local, "looker"), await MintAsync(local, "stranger"));
        using var looker = new HttpClient { BaseAddress = new Uri(Console.Address, "groundwork/v1/") };
        looker.DefaultRequestHeaders.Authorization = new("Bearer", key);
        using var put = await looker.PutAsJsonAsync(
            "resources/route/default/looked", new { spec = Parted("looked", 50, 50) });
        Assert.Equal(HttpStatusCode.Forbidden, put.StatusCode);
        using var listeners = await looker.GetAsync("gateway/listeners");
        Assert.Equal(HttpStatusCode.Forbidden, listeners.StatusCode);
        using var stranger = new HttpClient { BaseAddress = looker.BaseAddress };
        stranger.DefaultRequestHeaders.Authorization = new("Bearer", other);
        var draft = new
        {
            operation = "put",
            resource = new { kind = "route", name = "looked", @namespace = "default", spec = Parted("looked", 50, 50) },
        };
        using var dry = await stranger.PostAsJsonAsync(
            "gateway/dry-run", new { request = new { host = "a", path = "/" }, draft = new[] { draft } });
        Assert.Equal(HttpStatusCode.Forbidden, dry.StatusCode);
        using var replay = await stranger.PostAsJsonAsync("gateway/replay", new { draft = new[] { draft } });
        Assert.Equal(HttpStatusCode.Forbidden, replay.StatusCode);
    }

    private Task<string> PutRoleAsync(string name, params string[] kinds) =>
        shared.PutAsync($"role/_/{name}", new { grants = new[] { new { verbs = new[] { "read" }, kinds } } });

    private static async Task<string> MintAsync(HttpClient local, string role)
    {
        using var answer = await local.PostAsJsonAsync("access-keys", new { name = role, roles = new[] { role } });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return (string)System.Text.Json.Nodes.JsonNode.Parse(text)!["secret"]!; // The answer has one.
    }

    private Task<string> PutAnswerAsync(string name, string path) => shared.PutAsync($"route/default/{name}", new
    {
        match = new { hosts = new[] { "*" }, path }, respond = new { status = 200, body = name },
    });

    private Task<string> PutPartedAsync(string name, int a, int b) =>
        shared.PutAsync($"route/default/{name}", Parted(name, a, b));

    private static object Parted(string name, int a, int b) => new
    {
        match = new { hosts = new[] { "*" }, path = $"/{name}/**" },
        split = new
        {
            parts = new[]
            {
                new { service = name, version = "a", weight = a }, new { service = name, version = "b", weight = b },
            },
        },
    };

    private static async Task<int> CountAsync(LoadedService service, string id, int of)
    {
        var count = 0;
        for (var call = 0; call < of; call++)
            if (await service.CallAsync() == id) count++;
        return count;
    }
}
