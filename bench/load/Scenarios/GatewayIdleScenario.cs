using Groundwork.Load.Peers;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// Ten thousand connections that have had one answer each and rest: what each of them holds in memory, and what a
/// request of others costs beside them.
/// </summary>
internal sealed class GatewayIdleScenario : ProxyScenario
{
    private const int Resting = 10_000;
    private const int WarmUpRequests = 20_000;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    private static readonly byte[] Ask = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"u8.ToArray();

    public override string Name => "gateway-idle";

    public override string Question => $"What do {Resting} connections hold that rest?";

    public override string Figure => "KB a resting connection";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("ours, edge profile", options => StartOursAsync(options, alone: true)),
        new("forwarder, Kestrel + HttpClient", StartForwarderAsync),
        .. Installed("nginx", "nginx", ProxyServer.NginxAsync),
    ];

    protected override ReadOnlyMemory<byte> Request(int number) => Ask;

    protected override async Task<Running> StartAsync(LoadOptions options, Proxy proxy, IAsyncDisposable owner)
    {
        var running = await base.StartAsync(options, proxy, owner);
        // What the process needs at all, it has by then.
        for (var request = 0; request < WarmUpRequests; request++)
            await running.Operation(request % options.Workers, CancellationToken.None);
        await Task.Delay(Settle, TimeProvider.System);
        var before = proxy.Process.ResidentBytes;
        var resting = new List<Http1Connection>(Resting);
        while (resting.Count < Resting)
        {
            var connection = await Http1Connection.OpenAsync(proxy.Port, bufferBytes: 1024);
            resting.Add(connection);
            await connection.SendAsync(Ask);
        }
        await Task.Delay(Settle, TimeProvider.System);
        var held = (proxy.Process.ResidentBytes - before) / 1024.0 / Resting;
        return running with
        {
            Figure = held,
            StopAsync = async () =>
            {
                foreach (var connection in resting) connection.Dispose();
                await running.StopAsync();
            },
        };
    }
}
