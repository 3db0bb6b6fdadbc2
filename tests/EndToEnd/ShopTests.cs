using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Tests.EndToEnd;

/// <summary>The main job, as a new user does it: the Shop on embedded engines, with the real executable.</summary>
[Collection(RunningShop.Collection)]
public sealed class ShopTests : IAsyncLifetime
{
    private readonly RunningShop shop = new();

    public ValueTask InitializeAsync() => shop.InitializeAsync();

    public ValueTask DisposeAsync() => shop.DisposeAsync();

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
        using var hidden = await shop.Outside.GetAsync($"{shop.Gateway}/api/payments/{Guid.Empty}");
        Assert.Equal(HttpStatusCode.NotFound, hidden.StatusCode);
    }

    [Fact]
    public async Task An_applied_setting_changes_the_running_service_without_a_restart()
    {
        var before = shop.CatalogPids();
        await shop.ApplyAsync("""
            kind: setting
            name: catalog/storefront
            spec:
              format: yaml
              content: |
                Storefront:
                  Banner: Everything must go
                  DiscountPercent: 50
            """);
        var started = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync(
            async () => (await shop.ProductsAsync())["banner"]?.GetValue<string>() == "Everything must go",
            "the new banner shows");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"seen {TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:0} ms after apply returned");
        Assert.Equal(before, shop.CatalogPids());
    }

    [Fact]
    public async Task Killing_an_instance_moves_its_traffic_and_it_comes_back()
    {
        var victims = shop.CatalogPids();
        Assert.Equal(2, victims.Count);
        Process.GetProcessById(victims[0]).Kill();
        var failed = 0;
        for (var number = 0; number < 100; number++)
        {
            using var response = await shop.Outside.GetAsync($"{shop.Gateway}/api/catalog/products");
            if (!response.IsSuccessStatusCode) failed++;
        }
        Assert.Equal(0, failed); // A read is retried on the other instance.
        await Eventually.TrueAsync(
            () => shop.CatalogPids() is { Count: 2 } now && !now.Contains(victims[0]),
            "up has restarted the instance", TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Ctrl_C_stops_everything_in_order_and_exits_with_0()
    {
        var children = shop.Children();
        Assert.NotEmpty(children);
        shop.Up.Signal(Signals.Interrupt);
        Assert.Equal(0, await shop.Up.ExitAsync());
        Assert.All(children, pid => Assert.False(RunningShop.Lives(pid), $"{pid} outlived up"));
    }

    [Fact]
    public async Task Kill_9_of_up_leaves_no_child()
    {
        var children = shop.Children();
        Assert.NotEmpty(children);
        shop.Up.Signal(Signals.Kill);
        await shop.Up.ExitAsync();
        await Eventually.TrueAsync(() => !children.Any(RunningShop.Lives), "no child is left");
    }

    private async Task<JsonNode> OrderAsync(string clientOrderId)
    {
        using var request = RunningShop.Order(shop.Gateway, clientOrderId, await shop.ProductIdsAsync());
        using var response = await shop.Outside.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {body}\n{shop.Up.Output}");
        return JsonNode.Parse(body)!;
    }
}
