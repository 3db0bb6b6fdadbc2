using Groundwork.Load.Peers;

namespace Groundwork.Load.Scenarios;

/// <summary>A bare route: ours as an edge and in the whole node.</summary>
internal sealed class GatewayScenario : ProxyScenario
{
    private static readonly byte[] Ask =
    [
        .. "GET /api/items/42?page=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: load\r\n"u8,
        .. "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en\r\n\r\n"u8,
    ];

    public override string Name => "gateway";

    public override string Question => "What does a proxied request cost, beside other proxies?";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("ours, edge profile", options => StartOursAsync(options, alone: true)),
        new("ours, whole node", options => StartOursAsync(options, alone: false)),
        new("forwarder, Kestrel + HttpClient", StartForwarderAsync),
        .. Installed("haproxy", "HAProxy", ProxyServer.HaproxyAsync),
        .. Installed("caddy", "Caddy", ProxyServer.CaddyAsync),
        .. Installed("nginx", "nginx", ProxyServer.NginxAsync),
    ];

    protected override ReadOnlyMemory<byte> Request(int number) => Ask;
}
