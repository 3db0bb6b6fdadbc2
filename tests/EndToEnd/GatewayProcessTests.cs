using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Tests.EndToEnd;

/// <summary>What the process configuration says to the gateway of the real process.</summary>
public sealed class GatewayProcessTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly HttpClient outside = new();

    [Theory]
    [InlineData("", "127.0.0.1")]
    [InlineData("10.0.0.0/8", "127.0.0.1")]
    [InlineData("10.0.0.0/8,127.0.0.0/8", "203.0.113.7, 127.0.0.1")]
    public async Task Only_a_trusted_proxy_is_believed_about_the_client(string trusted, string expected)
    {
        using var echo = new TcpListener(IPAddress.Loopback, 0);
        echo.Start();
        await using var node = await StartAsync(trusted.Length == 0 ? [] : ["--trusted-proxies", trusted]);
        await PrepareAsync(node, "127.0.0.1", ((IPEndPoint)echo.LocalEndpoint).Port);
        var received = ReceiveAsync(echo);

        using var request = new HttpRequestMessage(HttpMethod.Get, node.Node.Listeners["gateway"]);
        request.Headers.Add("X-Forwarded-For", "203.0.113.7");
        using var answer = await outside.SendAsync(request);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Contains($"X-Forwarded-For: {expected}\r\n", await received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "upstream_forbidden")]
    [InlineData("fe80::/64", "upstream_connect")]
    public async Task Link_local_instance_is_called_only_where_its_network_is_listed(string listed, string code)
    {
        await using var node = await StartAsync(listed.Length == 0 ? [] : ["--link-local-upstreams", listed]);
        await PrepareAsync(node, "fe80::7", 9); // Without a scope nothing can be sent to it.

        using var answer = await outside.GetAsync(node.Node.Listeners["gateway"]);

        var problem = await answer.Content.ReadFromJsonAsync(WireJson.Lenient.ProblemDocument);
        Assert.Equal(code, problem?.Code);
    }

    public void Dispose()
    {
        outside.Dispose();
        directory.Dispose();
    }

    private Task<GroundworkProcess> StartAsync(string[] flags) => GroundworkProcess.StartAsync(
        directory.Combine("data"),
        [
            "run", .. GroundworkProcess.AnyPorts,
            .. flags,
        ]);

    private async Task PrepareAsync(GroundworkProcess node, string host, int port)
    {
        var (exit, output, error) = await node.VerbAsync("", "apply", "-f", directory.Write("route.yaml", """
            kind: route
            name: all
            spec: { hosts: ["*"], path: /**, service: echo }
            """));
        Assert.True(exit == 0, output + error);
        using var local = node.Local();
        using var registered = await local.PutAsJsonAsync(
            "registry/instances", new InstanceDocument("echo", host, port) { LeaseSeconds = 600 },
            WireJson.Strict.InstanceDocument);
        Assert.Equal(HttpStatusCode.OK, registered.StatusCode);
        await Eventually.TrueAsync(
            async () =>
            {
                using var none = await outside.GetAsync($"{node.Node.Listeners["api"]}/health/ready");
                return none.IsSuccessStatusCode;
            },
            "the node is ready");
    }

    /// <summary>The head of one request, as it arrived.</summary>
    private static async Task<string> ReceiveAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer);
            if (count == 0) break;
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        await stream.WriteAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"u8.ToArray());
        return text.ToString();
    }
}
