using System.Net;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Client.Tests.Calls;

/// <summary>
/// Three hops with retries of their own: front → orders → stock → ledger. When the last fails for everybody, what
/// arrives there is bounded by the budgets and not by the product of the tries.
/// </summary>
public sealed class RetryStormTests
{
    private const double Ratio = 0.2;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_storm_stays_within_the_budget_over_three_hops(bool isOverload)
    {
        var calls = LongRun.Count(usual: 200, whole: 5_000);
        await using var platform = await PlatformStub.StartAsync();
        await using var ledger = await ServiceStub.StartAsync();
        ledger.Instead = context => CallingHost.Status(context, isOverload ? 503 : 500);
        platform.PublishService(platform.Service("ledger", 2, ledger.Port));
        await using var stock = await HopAsync(platform, "ledger");
        platform.PublishService(platform.Service("stock", 3, stock.Port));
        await using var orders = await HopAsync(platform, "stock");
        platform.PublishService(platform.Service("orders", 4, orders.Port));
        await using var front = await ClientHost.StartAsync(
            platform.Address, before: builder => CallingHost.Set(builder.Configuration, Policy));

        var answers = await Task.WhenAll(Enumerable.Range(0, calls).Select(_ => AskAsync(front)));

        Assert.All(answers, status => Assert.True(status >= HttpStatusCode.InternalServerError));
        // Each hop adds a fifth of the calls, because what is called for a retry earns no retries. Without budgets it
        // is 3 x 3 x 3 times the calls. One more a hop, because a budget with a fraction left gives a whole one.
        Assert.InRange(ledger.Requests.Count, calls, (int)(calls * (1 + (3 * Ratio))) + 3);
        Assert.True(
            ledger.Requests.Any(request => request.Headers[HeaderNames.Attempt].ToString() == "2"),
            "retries were made");
    }

    [Fact]
    public async Task Without_a_budget_it_is_the_product_of_the_tries()
    {
        // The same three hops: what the budget is for.
        await using var platform = await PlatformStub.StartAsync();
        await using var ledger = await ServiceStub.StartAsync();
        ledger.Instead = context => CallingHost.Status(context, 500);
        platform.PublishService(platform.Service("ledger", 2, ledger.Port));
        await using var stock = await HopAsync(platform, "ledger", Unbounded);
        platform.PublishService(platform.Service("stock", 3, stock.Port));
        await using var orders = await HopAsync(platform, "stock", Unbounded);
        platform.PublishService(platform.Service("orders", 4, orders.Port));
        await using var front = await ClientHost.StartAsync(
            platform.Address, before: builder => CallingHost.Set(builder.Configuration, [.. Policy, .. Unbounded]));

        await AskAsync(front);

        Assert.Equal(27, ledger.Requests.Count);
    }

    private static readonly (string, string)[] Policy =
    [
        ("/Groundwork:Calls:*:Retry:Max", "2"), ("/Groundwork:Calls:*:Retry:Delay", "1ms"),
        ("/Groundwork:Calls:*:Retry:Statuses", "500,503"), ("/Groundwork:Calls:*:RetryBudget:Ratio", "0.2"),
        ("/Groundwork:Calls:*:RetryBudget:MinPerSecond", "0"), ("/Groundwork:Calls:*:TryTimeout", "1m"),
    ];

    private static readonly (string, string)[] Unbounded = [("/Groundwork:Calls:*:RetryBudget:MinPerSecond", "1000")];

    private static Task<ClientHost> HopAsync(
        PlatformStub platform, string next, params (string, string)[] further) => ClientHost.StartAsync(
        platform.Address,
        before: builder => CallingHost.Set(builder.Configuration, [.. Policy, .. further]),
        map: app => app.MapGet("/", async (IHttpClientFactory clients) =>
        {
            using var answer = await clients.CreateClient().GetAsync($"http://{next}/");
            return Results.StatusCode((int)answer.StatusCode);
        }));

    private static async Task<HttpStatusCode> AskAsync(ClientHost front)
    {
        using var answer = await front.Http.GetAsync("http://orders/");
        return answer.StatusCode;
    }
}
