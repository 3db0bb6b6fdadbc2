using Groundwork.Benchmarks.Client;
using Groundwork.Load.Peers;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// A call of a service by its name beside a bare <see cref="HttpClient"/>, over real connections to the same empty
/// handler. The generator is what is measured: its processor time and its bytes.
/// </summary>
internal sealed class CallsScenario : Scenario
{
    private static readonly FloorScenario Floor = new();

    public override string Name => "calls";

    public override string Question => "What does the SDK cost a caller, beside a bare HttpClient?";

    /// <summary>Enough to keep one connection each busy, and few enough not to measure a queue.</summary>
    public override int? Workers => 8;

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("by name, the usual policy", options => StartAsync(options, Connect("catalog"))),
        new("by name, every step", options => StartAsync(options, Connect(
            "catalog", ("*:Breaker:FailureRatio", "0.5"), ("*:Bulkhead:MaxConcurrent", "100"),
            ("*:TotalTimeout", "5s"), ("*:Retry:Statuses", "503")))),
        new("a bare HttpClient", options => StartAsync(options, (sending, port) =>
            (new HttpClient(sending), $"http://127.0.0.1:{port}/products/"))),
    ];

    private static Func<HttpMessageHandler, int, (HttpClient, string)> Connect(
        string service, params (string, string)[] policies) => (sending, port) =>
        (new HttpClient(new SdkParts([(service, [("127.0.0.1", port)])], policies).Handler(sending)),
            $"http://{service}/products/");

    private static async Task<Running> StartAsync(
        LoadOptions options, Func<HttpMessageHandler, int, (HttpClient, string)> connect)
    {
        var port = LoopbackPort.Free();
        var server = ServerProcess.StartSelf(Floor.Name, "http", $"{port}");
        await LoopbackPort.ConnectableAsync(port);
        var (client, address) = connect(
            new SocketsHttpHandler { MaxConnectionsPerServer = options.Workers }, port);
        var counters = new int[options.Workers];
        return new Running(
            async (worker, cancellation) =>
            {
                // Another path each time, as products have: no address is made ahead.
                var body = await client.GetByteArrayAsync(
                    new Uri($"{address}{(++counters[worker] * options.Workers) + worker}"), cancellation);
                if (body.Length == 0) throw new InvalidDataException("The answer is empty.");
            },
            server,
            async () =>
            {
                client.Dispose();
                await server.DisposeAsync();
            });
    }
}
