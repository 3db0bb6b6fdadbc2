using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Load.Peers;

namespace Groundwork.Load.Scenarios;

/// <summary>
/// A route with all that a route of a public API has: a token that is verified (10,000 different ones, RS256), a limit
/// for each client, a breaker, metrics, the access log and tracing. The others do none of it.
/// </summary>
internal sealed class GatewayRouteScenario : ProxyScenario
{
    private const int Tokens = 10_000;
    private const int ValidSeconds = 3600;

    private readonly RSA key = RSA.Create(2048);
    private readonly Lazy<ReadOnlyMemory<byte>[]> requests;

    public GatewayRouteScenario() => requests = new(() =>
        [.. Enumerable.Range(0, Tokens).AsParallel().AsOrdered().Select(RequestOf)]);

    public override string Name => "gateway-route";

    public override string Question => "What does a request cost by a route that verifies, limits, guards and records?";

    public override IReadOnlyList<Contender> Contenders =>
    [
        new("ours, full route, edge profile", options => StartOursAsync(options, alone: true, Resources())),
        new("ours, bare route, edge profile", options => StartOursAsync(options, alone: true)),
        new("forwarder, Kestrel + HttpClient, bare", StartForwarderAsync),
        .. Installed("nginx", "nginx, bare", ProxyServer.NginxAsync),
    ];

    protected override ReadOnlyMemory<byte> Request(int number) => requests.Value[number % Tokens];

    private EdgeResources Resources() => new(
        new Dictionary<string, string>
        {
            ["token-issuer/default/main"] = JsonSerializer.Serialize(new
            {
                spec = new
                {
                    issuer = "https://id.example",
                    audiences = new[] { "shop" },
                    algorithms = new[] { "RS256" },
                    keys = new[] { new { id = "k1", pem = key.ExportSubjectPublicKeyInfoPem() } },
                },
            }),
            ["upstream/default/origin"] =
                """{"spec":{"service":"origin","resilience":{"breaker":{"errorPercent":50,"slowMs":800}}}}""",
            ["route/default/all"] =
                """
                {"spec":{"match":{"hosts":["*"],"path":"/**"},"upstream":"origin",
                "access":{"token":{"issuers":["main"],"scopes":["orders"]}},
                "limits":[{"name":"per-client","by":["client"],"bucket":{"requests":100000,"burst":100000}}]},
                "version":2}
                """,
        },
        AccessLog: true);

    private ReadOnlyMemory<byte> RequestOf(int number)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = string.Create(CultureInfo.InvariantCulture, $$"""
            {"iss":"https://id.example","aud":"shop","sub":"user-{{number}}","scope":"orders profile",
            "iat":{{now}},"exp":{{now + ValidSeconds}},"jti":"{{number}}"}
            """);
        var text = $"{Part("""{"alg":"RS256","typ":"JWT","kid":"k1"}""")}.{Part(claims)}";
        var signature = key.SignData(
            Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return Encoding.ASCII.GetBytes(
            "GET /api/items/42?page=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: load\r\n"
            + "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en\r\n"
            + $"Authorization: Bearer {text}.{Base64Url.EncodeToString(signature)}\r\n\r\n");
    }

    private static string Part(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
