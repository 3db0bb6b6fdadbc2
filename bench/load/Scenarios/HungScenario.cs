using Groundwork.Benchmarks.Client;
using Groundwork.Load.Peers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// A service with two dependencies, one of which hangs while 64 callers keep asking for it: what becomes of the
/// endpoint that calls only the other, beside the same with both well.
/// </summary>
internal sealed class HungScenario : Scenario
{
    private const int HungCallers = 64;

    public override string Name => "hung";

    public override string Question => "What does a hung dependency cost the endpoints that do not call it?";

    /// <summary>Few enough that the latency is the service's, and not that of a queue before it.</summary>
    public override int? Workers => 4;

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("one dependency hangs", _ => StartAsync("hung")),
        new("both are well", _ => StartAsync("well")),
    ];

    public override async Task<int> ServeAsync(string[] arguments)
    {
        if (arguments is not [var state, var text] || !int.TryParse(text, out var port)) return 2;
        await using var catalog = await ServeAsync(LoopbackPort.Free(), app => app.MapFallback(() => "[]"));
        await using var payments = await ServeAsync(LoopbackPort.Free(), app => app.MapFallback(
            async (CancellationToken gone) =>
            {
                if (state == "hung") await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, gone);
                return "paid";
            }));
        var sdk = new SdkParts(
            [("catalog", [("127.0.0.1", Port(catalog))]), ("payments", [("127.0.0.1", Port(payments))])]);
        using var client = new HttpClient(sdk.Handler(new SocketsHttpHandler()));
        await using var shop = await ServeAsync(port, app =>
        {
            app.MapGet("/products", () => client.GetStringAsync("http://catalog/products"));
            app.MapGet("/pay", async () =>
            {
                try
                {
                    return Results.Text(await client.GetStringAsync("http://payments/pay"));
                }
                catch (HttpRequestException fault)
                {
                    return Results.Text(fault.Message, statusCode: StatusCodes.Status503ServiceUnavailable);
                }
            });
        });
        await ServerProcess.ParentEndsAsync();
        return 0;
    }

    private async Task<Running> StartAsync(string state)
    {
        var port = LoopbackPort.Free();
        var server = ServerProcess.StartSelf(Name, state, $"{port}");
        await LoopbackPort.ConnectableAsync(port);
        var client = new HttpClient();
        var stop = new CancellationTokenSource();
        var paying = state == "hung"
            ? Enumerable.Range(0, HungCallers)
                .Select(_ => PayAsync(client, new Uri($"http://127.0.0.1:{port}/pay"), stop.Token)).ToList()
            : [];
        var products = new Uri($"http://127.0.0.1:{port}/products");
        return new Running(
            async (_, cancellation) =>
            {
                if (await client.GetStringAsync(products, cancellation) != "[]")
                    throw new InvalidDataException("The answer is another.");
            },
            server,
            async () =>
            {
                await stop.CancelAsync();
                await Task.WhenAll(paying);
                stop.Dispose();
                client.Dispose();
                await server.DisposeAsync();
            });
    }

    private static async Task PayAsync(HttpClient client, Uri address, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var answer = await client.GetAsync(address, stop);
            }
            catch (OperationCanceledException)
            {
                return; // The round is over.
            }
        }
    }

    private static async Task<WebApplication> ServeAsync(int port, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        map(app);
        await app.StartAsync();
        return app;
    }

    private static int Port(WebApplication app) => new Uri(app.Urls.First()).Port;
}
