using System.Globalization;
using System.Text;
using Groundwork.Load.Peers;

namespace Groundwork.Load.Scenarios;

/// <summary>Answers of one megabyte.</summary>
internal sealed class GatewayDownloadScenario : ProxyScenario
{
    private const int Megabyte = 1024 * 1024;

    public override string Name => "gateway-download";

    public override string Question => "How many answers of 1 MB does it pass on in a second?";

    public override int? Workers => 16;

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("ours, edge profile", options => StartOursAsync(options, alone: true)),
        new("forwarder, Kestrel + HttpClient", StartForwarderAsync),
        .. Installed("nginx", "nginx", ProxyServer.NginxAsync),
    ];

    protected override int? AnswerBytes => Megabyte;

    protected override ReadOnlyMemory<byte> Request(int number) =>
        "GET /file HTTP/1.1\r\nHost: shop.example\r\n\r\n"u8.ToArray();
}

/// <summary>Requests of one megabyte.</summary>
internal sealed class GatewayUploadScenario : ProxyScenario
{
    private const int Megabyte = 1024 * 1024;

    private static readonly byte[] Ask =
    [
        .. Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"POST /file HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {Megabyte}\r\n\r\n")),
        .. new byte[Megabyte],
    ];

    public override string Name => "gateway-upload";

    public override string Question => "How many requests of 1 MB does it pass on in a second?";

    public override int? Workers => 16;

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("ours, edge profile", options => StartOursAsync(options, alone: true)),
        new("forwarder, Kestrel + HttpClient", StartForwarderAsync),
        .. Installed("nginx", "nginx", ProxyServer.NginxAsync),
    ];

    protected override ReadOnlyMemory<byte> Request(int number) => Ask;
}
