using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Groundwork.Tests.Support;
using Microsoft.Playwright;

namespace Groundwork.Presentation.Tests;

/// <summary>
/// Ten thousand rows, fifty changes a second. The suite asserts counts; the figures are printed, and are judged in the
/// long form (<c>TESTS_LONG=1</c>: an hour) on an idle machine.
/// </summary>
public sealed class ScaleTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const int Rows = 10_000;
    private const int PerSecond = 50;

    /// <summary>Rows that stand in the document: those that are seen, and some beyond.</summary>
    private const int MostDrawn = 80;

    /// <summary>Six keys and a turn of the wheel a task: as fast as hands are, and not a queue of keys.</summary>
    private static readonly TimeSpan BetweenTasks = TimeSpan.FromSeconds(2);

    /// <summary>From the press of a key until what it does is drawn, and tasks that hold up the page.</summary>
    private const string Measure =
        """
        () => {
            window.interactions = []; window.longTasks = []
            new PerformanceObserver(list => list.getEntries().forEach(one => {
                if (one.interactionId) interactions.push(one.duration)
            })).observe({ type: 'event', durationThreshold: 16 })
            new PerformanceObserver(list => list.getEntries().forEach(one => longTasks.push(one.duration)))
                .observe({ type: 'longtask' })
        }
        """;

    [Fact]
    public async Task Ten_thousand_rows_stay_quick_while_fifty_changes_a_second_arrive()
    {
        await using var browser = await chromium.OpenAsync();
        await using var console = await OpenConsole.StartAsync();
        using var local = console.Node.Local();
        for (var from = 0; from < Rows; from += 500) await EveryPage.MustAsync(PutAsync(local, from, 500));
        var page = await console.SignInAsync(browser);
        await console.GoAsync(page, "resources?kind=setting");
        var lists = 0;
        page.Request += (_, request) =>
            lists += request.Url.Contains("/resources/setting", StringComparison.Ordinal) ? 1 : 0;
        await Assertions.Expect(page.Locator("table")).ToHaveAttributeAsync(
            "aria-rowcount", (Rows + 1).ToString(CultureInfo.InvariantCulture));
        await page.EvaluateAsync(Measure);
        var devTools = await browser.NewCDPSessionAsync(page);
        lists = 0;

        using var stop = new CancellationTokenSource();
        var writing = WriteAsync(local, stop.Token);
        var heaps = new List<Heap>();
        var minutes = LongRun.Count(usual: 3, whole: 60);
        var seconds = LongRun.Asked ? 60 : 4;
        for (var round = 0; round < minutes; round++)
        {
            await WorkAsync(page, TimeSpan.FromSeconds(seconds));
            heaps.Add(await Heap.OfAsync(devTools));
        }
        await stop.CancelAsync();
        var written = await writing;

        var interactions = await page.EvaluateAsync<double[]>("interactions");
        var held = await page.EvaluateAsync<double[]>("longTasks");
        Tell($"{written} changes; heap kB {string.Join(' ', heaps.Select(heap => heap.Bytes / 1000))}");
        Tell($"nodes {string.Join(' ', heaps.Select(heap => heap.Nodes))}");
        Tell($"interactions over 16 ms {interactions.Length}, p98 {At(interactions, 0.98)} ms, "
            + $"longest {At(interactions, 1)} ms; long tasks {held.Length}, longest {At(held, 1)} ms");

        Assert.InRange(await page.Locator("tbody tr").CountAsync(), 1, MostDrawn);
        // The last change of all has arrived, without a list being loaded.
        var last = NameOf(written * 37 % Rows);
        var there = await local.GetFromJsonAsync<JsonElement>($"resources/setting/default/{last}");
        await page.GetByRole(AriaRole.Searchbox).First.FillAsync(last);
        await Assertions.Expect(page.Locator("tbody")).ToContainTextAsync(
            there.GetProperty("revision").GetInt64().ToString(CultureInfo.InvariantCulture));
        Assert.True(lists == 0, $"the list was loaded anew {lists} times");
        // What is kept does not grow with what has come.
        Assert.InRange(heaps[^1].Bytes, 0, (long)(heaps[0].Bytes * 1.25) + 2_000_000);
        Assert.InRange(heaps[^1].Nodes, 0, heaps[0].Nodes + 500);
    }

    private static void Tell(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static double At(double[] durations, double share) =>
        durations.Length == 0 ? 0 : durations.Order().ElementAt((int)((durations.Length - 1) * share));

    /// <summary>What a person does with a long list: narrows it, widens it, scrolls.</summary>
    private static async Task WorkAsync(IPage page, TimeSpan time)
    {
        var began = TimeProvider.System.GetTimestamp();
        var filter = page.GetByRole(AriaRole.Searchbox).First;
        using var hands = new PeriodicTimer(BetweenTasks, TimeProvider.System);
        while (TimeProvider.System.GetElapsedTime(began) < time)
        {
            await hands.WaitForNextTickAsync();
            await filter.FocusAsync();
            foreach (var key in new[] { "0", "4", "2" }) await page.Keyboard.PressAsync(key);
            await page.Mouse.WheelAsync(0, 4000);
            for (var back = 0; back < 3; back++) await page.Keyboard.PressAsync("Backspace");
        }
    }

    private static Task<HttpResponseMessage> PutAsync(HttpClient local, int from, int count) =>
        local.PostAsJsonAsync("changesets", new
        {
            changes = Enumerable.Range(from, count).Select(number => Change(number, 0)).ToArray(),
            reason = "many",
        });

    private static string NameOf(int number) =>
        string.Create(CultureInfo.InvariantCulture, $"scale/s{number:00000}.txt");

    private static object Change(int number, int round) => new
    {
        operation = "put",
        resource = new
        {
            kind = "setting", @namespace = "default",
            name = NameOf(number), version = 1,
            labels = new Dictionary<string, string> { ["round"] = $"r{round}" },
            spec = new { format = "text", content = $"r{round}" },
        },
    };

    /// <summary>Changes rows at the pace, the first row every time last; returns how many times.</summary>
    private static async Task<int> WriteAsync(HttpClient local, CancellationToken stop)
    {
        var written = 0;
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / PerSecond), TimeProvider.System);
        while (!stop.IsCancellationRequested)
        {
            await pace.WaitForNextTickAsync(CancellationToken.None);
            written++;
            var body = new { changes = new[] { Change(written * 37 % Rows, written) } };
            await EveryPage.MustAsync(local.PostAsJsonAsync("changesets", body, CancellationToken.None));
        }
        return written;
    }

    private sealed record Heap(long Bytes, int Nodes)
    {
        public static async Task<Heap> OfAsync(ICDPSession devTools)
        {
            await devTools.SendAsync("HeapProfiler.collectGarbage");
            var used = await devTools.SendAsync("Runtime.getHeapUsage");
            var counts = await devTools.SendAsync("Memory.getDOMCounters");
            return new Heap(Number(used, "usedSize"), (int)Number(counts, "nodes"));
        }

        private static long Number(JsonElement? answer, string name) =>
            (long)(answer ?? throw new InvalidOperationException("The browser did not answer."))
            .GetProperty(name).GetDouble();
    }
}
