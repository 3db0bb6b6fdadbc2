using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Tests.EndToEnd;

/// <summary>The main job, as a new user does it: the Shop on embedded engines, with the real executable.</summary>
public sealed class ShopTests : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private readonly HttpClient outside = new();
    private GroundworkProcess? process;

    private GroundworkProcess Up => process ?? throw new InvalidOperationException("The shop has not started.");

    private string Gateway => Up.Node.Listeners["gateway"];

    public async ValueTask InitializeAsync()
    {
        process = GroundworkProcess.Start(
            Path.Combine(directory.Path, "data"), "up", Path.Combine(GroundworkProcess.Repository, "samples", "Shop"));
        await Eventually.TrueAsync(
            async () =>
            {
                if (process.HasExited) Assert.Fail($"up ended:\n{process.Output}");
                return await IsUpAsync();
            },
            "the shop answers through the gateway", TimeSpan.FromMinutes(4));
    }

    public async ValueTask DisposeAsync()
    {
        outside.Dispose();
        if (process is not null) await process.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task An_order_through_the_gateway_calls_catalog_and_payments_by_name_and_its_total_is_paid()
    {
        for (var number = 0; number < 5; number++)
        {
            var order = await OrderAsync($"client-{number}");
            Assert.Equal("confirmed", order["state"]?.GetValue<string>());
            var total = order["lines"]!.AsArray()
                .Sum(line => line!["priceMinor"]!.GetValue<long>() * line["quantity"]!.GetValue<long>());
            Assert.Equal(total, order["totalMinor"]!.GetValue<long>());
            var again = await OrderAsync($"client-{number}");
            Assert.Equal(order["id"]!.GetValue<string>(), again["id"]!.GetValue<string>());
        }
        using var hidden = await outside.GetAsync($"{Gateway}/api/payments/{Guid.Empty}");
        Assert.Equal(HttpStatusCode.NotFound, hidden.StatusCode);
    }

    [Fact]
    public async Task An_applied_setting_changes_the_running_service_without_a_restart()
    {
        var before = await CatalogPidsAsync();
        var file = Path.Combine(directory.Path, "sale.yaml");
        await File.WriteAllTextAsync(file, """
            kind: setting
            name: catalog/storefront
            spec:
              format: yaml
              content: |
                Storefront:
                  Banner: Everything must go
                  DiscountPercent: 50
            """);
        var (exit, output, error) = await Up.VerbAsync("", "apply", "-f", file);
        Assert.True(exit == 0, output + error);
        var started = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync(
            async () =>
                (await ProductsAsync())["banner"]?.GetValue<string>() == "Everything must go", "the new banner shows");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"seen {TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:0} ms after apply returned");
        Assert.Equal(before, await CatalogPidsAsync());
    }

    [Fact]
    public async Task Killing_an_instance_moves_its_traffic_and_it_comes_back()
    {
        var victims = await CatalogPidsAsync();
        Assert.Equal(2, victims.Count);
        Process.GetProcessById(victims[0]).Kill();
        var failed = 0;
        for (var number = 0; number < 100; number++)
        {
            using var response = await outside.GetAsync($"{Gateway}/api/catalog/products");
            if (!response.IsSuccessStatusCode) failed++;
        }
        Assert.Equal(0, failed); // A read is retried on the other instance.
        await Eventually.TrueAsync(
            async () => (await CatalogPidsAsync()) is { Count: 2 } now && !now.Contains(victims[0]),
            "up has restarted the instance", TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Ctrl_C_stops_everything_in_order_and_exits_with_0()
    {
        var children = await ChildrenAsync();
        Assert.NotEmpty(children);
        Up.Signal(Signals.Interrupt);
        Assert.Equal(0, await Up.ExitAsync());
        Assert.All(children, pid => Assert.False(Lives(pid), $"{pid} outlived up"));
    }

    [Fact]
    public async Task Kill_9_of_up_leaves_no_child()
    {
        var children = await ChildrenAsync();
        Assert.NotEmpty(children);
        Up.Signal(Signals.Kill);
        await Up.ExitAsync();
        await Eventually.TrueAsync(() => !children.Any(Lives), "no child is left");
    }

    private async Task<bool> IsUpAsync()
    {
        if (Kernel.Hosting.NodeFile.Read(Up.DataDirectory) is null) return false;
        try
        {
            using var products = await outside.GetAsync($"{Gateway}/api/catalog/products");
            using var orders = await outside.GetAsync($"{Gateway}/api/orders/");
            return products.IsSuccessStatusCode && orders.IsSuccessStatusCode && (await CatalogPidsAsync()).Count == 2;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<JsonNode> ProductsAsync() =>
        JsonNode.Parse(await outside.GetStringAsync($"{Gateway}/api/catalog/products"))!;

    private async Task<JsonNode> OrderAsync(string clientOrderId)
    {
        var products = (await ProductsAsync())["products"]!.AsArray();
        var lines = products.Take(2)
            .Select(product => new { productId = product!["id"]!.GetValue<string>(), quantity = 2 });
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Gateway}/api/orders/")
        {
            Content = JsonContent.Create(new { lines }),
        };
        request.Headers.Add(HeaderNames.IdempotencyKey, clientOrderId);
        using var response = await outside.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {body}\n{Up.Output}");
        return JsonNode.Parse(body)!;
    }

    /// <summary>Processes of the registered catalog instances, by the port each listens on.</summary>
    private async Task<List<int>> CatalogPidsAsync()
    {
        var children = await ChildrenAsync();
        return [.. children.Where(pid => CommandLine(pid).Contains("catalog", StringComparison.OrdinalIgnoreCase))
            .Order()];
    }

    private Task<List<int>> ChildrenAsync()
    {
        var children = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid)) continue;
            try
            {
                var fields = File.ReadAllText(Path.Combine(folder, "stat"))
                    .Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (int.Parse(fields[1], System.Globalization.CultureInfo.InvariantCulture) == Up.Id
                    && fields[0] != "Z") children.Add(pid);
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }
        return Task.FromResult(children);
    }

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static bool Lives(int pid) => Directory.Exists($"/proc/{pid}");
}
