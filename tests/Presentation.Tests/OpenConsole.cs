using System.Diagnostics.CodeAnalysis;
using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>One Chromium for all tests of this project, without the network beyond this machine.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private IPlaywright? playwright;
    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        var path = Tools.Find("chromium");
        if (path is null) return; // Each test says so.
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = path, Args = ["--no-sandbox"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }

    /// <summary>A browser of its own: cookies and storage are shared by its tabs and with nobody else.</summary>
    public async Task<IBrowserContext> OpenAsync(
        int width = 1440, int height = 900, ColorScheme scheme = ColorScheme.Light, string language = "en-GB")
    {
        Tools.Require("chromium", "chromium");
        if (!ConsoleFiles.Carried.AreThere) Tools.Unavailable("the console was built without Node.js");
        var context = await (browser ?? throw new InvalidOperationException("Chromium did not start.")).NewContextAsync(
            new BrowserNewContextOptions
            {
                ViewportSize = new ViewportSize { Width = width, Height = height },
                ColorScheme = scheme,
                Locale = language,
            });
        Assertions.SetDefaultExpectTimeout((float)Eventually.Patience.TotalMilliseconds);
        context.SetDefaultTimeout((float)Eventually.Patience.TotalMilliseconds);
        return context;
    }
}

/// <summary>A running node and what a person in front of its console does.</summary>
public sealed class OpenConsole : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly int port = FreePort.Next();
    private GroundworkProcess? process;

    private OpenConsole()
    {
    }

    public GroundworkProcess Node => process ?? throw new InvalidOperationException("The node is not running.");

    /// <summary>Where the API and the console are.</summary>
    public Uri Address => new($"http://127.0.0.1:{port}/");

    public static async Task<OpenConsole> StartAsync()
    {
        var console = new OpenConsole();
        await console.StartNodeAsync();
        return console;
    }

    public async Task StartNodeAsync() => process = await GroundworkProcess.StartAsync(
        directory.Combine("data"),
        "run", "--set", $"listeners.api.address=127.0.0.1:{port}", "--set", "listeners.gateway.address=127.0.0.1:0",
        "--set", "listeners.dns=off", "--set", "listeners.httpdns=off", "--set", "listeners.grpc=off");

    /// <summary>Kill -9, as a crash would.</summary>
    public async Task KillNodeAsync()
    {
        Node.Signal(Signals.Kill);
        await Node.ExitAsync();
        await Node.DisposeAsync();
        process = null;
    }

    /// <summary>A tab that is signed in by a link, as the first run does.</summary>
    public async Task<IPage> SignInAsync(IBrowserContext browser, string person = "admin")
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync(await LinkAsync(person));
        await page.Locator("nav.sidebar").WaitForAsync(new() { State = WaitForSelectorState.Attached });
        return page;
    }

    /// <summary>What <c>groundwork login</c> prints.</summary>
    public async Task<string> LinkAsync(string person = "admin")
    {
        var (exit, output, error) = await Node.VerbAsync("", "login", person);
        Assert.True(exit == 0, error);
        return output.Trim();
    }

    [SuppressMessage("Design", "CA1054", Justification = "The path below the console's address.")]
    public Task GoAsync(IPage page, string path) => page.GotoAsync(new Uri(Address, $"console/{path}").ToString());

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        directory.Dispose();
    }
}
