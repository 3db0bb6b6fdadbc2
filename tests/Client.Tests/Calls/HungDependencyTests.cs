using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Builder;

namespace Groundwork.Client.Tests.Calls;

/// <summary>One of two dependencies hangs; what does not call it must not notice.</summary>
public sealed class HungDependencyTests
{
    [Fact]
    public async Task Endpoints_that_do_not_call_the_hung_one_answer_as_before()
    {
        var calls = LongRun.Count(usual: 300, whole: 20_000);
        await using var calling = await CallingHost.StartAsync();
        await using var payments = await ServiceStub.StartAsync();
        calling.Platform.PublishService(calling.Platform.Service("payments", 3, payments.Port));
        await using var shop = await ClientHost.StartAsync(
            calling.Platform.Address,
            before: builder => CallingHost.Set(
                builder.Configuration,
                ("/Groundwork:Calls:payments:TryTimeout", "1h"),
                ("/Groundwork:Calls:payments:Bulkhead:MaxConcurrent", "16")),
            map: app =>
            {
                app.MapGet("/products", (IHttpClientFactory clients) =>
                    clients.CreateClient().GetStringAsync("http://catalog/"));
                app.MapGet("/pay", (IHttpClientFactory clients) =>
                    clients.CreateClient().GetStringAsync("http://payments/"));
            });
        using var bare = new HttpClient();
        var address = $"http://127.0.0.1:{shop.Port}";
        await bare.GetStringAsync($"{address}/pay");
        var before = await LatenciesAsync(bare, $"{address}/products", calls);

        payments.Instead = CallingHost.Hang;
        using var stop = new CancellationTokenSource();
        var hung = Enumerable.Range(0, 64).Select(_ => PayAsync(bare, $"{address}/pay", stop.Token)).ToList();
        await Eventually.ValueAsync(
            () => Task.FromResult(payments.Requests.Count), count => count == 1 + 16,
            "the bulkhead is full of hung calls");
        var during = await LatenciesAsync(bare, $"{address}/products", calls);

        // The bulkhead holds: no more than its places hang, all others were refused at once.
        Assert.Equal(1 + 16, payments.Requests.Count);
        // Noise of a shared machine is let pass; a thread, a lock or a connection that is waited for would be seconds.
        var limit = TimeSpan.FromTicks(Math.Max(before.P99.Ticks * 10, TimeSpan.FromMilliseconds(500).Ticks));
        Assert.InRange(during.P99, TimeSpan.Zero, limit);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"p50 {before.P50.TotalMilliseconds:0.00} -> {during.P50.TotalMilliseconds:0.00} ms, "
            + $"p99 {before.P99.TotalMilliseconds:0.00} -> {during.P99.TotalMilliseconds:0.00} ms");
        await stop.CancelAsync();
        await Task.WhenAll(hung);
    }

    private static async Task PayAsync(HttpClient client, string address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(address, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // It hung until the test let it go.
        }
    }

    private static async Task<(TimeSpan P50, TimeSpan P99)> LatenciesAsync(HttpClient client, string address, int calls)
    {
        var taken = new List<TimeSpan>();
        for (var i = 0; i < calls; i++)
        {
            var began = TimeProvider.System.GetTimestamp();
            await client.GetStringAsync(address);
            taken.Add(TimeProvider.System.GetElapsedTime(began));
        }
        taken.Sort();
        return (taken[taken.Count / 2], taken[taken.Count * 99 / 100]);
    }
}
