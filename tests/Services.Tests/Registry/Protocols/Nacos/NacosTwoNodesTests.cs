using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry.Protocols.Nacos;

/// <summary>Two nodes over one PostgreSQL: clients choose either for each call.</summary>
public sealed class NacosTwoNodesTests(PostgresServer server)
{
    [Fact]
    public async Task What_registers_at_one_node_is_listed_pushed_and_shown_as_gone_by_the_other()
    {
        await using var nodes = await RegistryNodes.StartAsync(server);
        var a = await OpenNacos.OverAsync(nodes.A, "a"); // Both end with the nodes.
        var b = await OpenNacos.OverAsync(nodes.B, "b");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port; // Bound above.
        await b.HostsAsync(string.Create(CultureInfo.InvariantCulture, $"serviceName=orders&udpPort={port}"));
        const string Instance = "serviceName=orders&ip=10.0.0.7&port=8080";
        await a.RegisterAsync(Instance);
        using (var patience = new CancellationTokenSource(Eventually.Patience, TimeProvider.System))
            Assert.True(await socket.ReceiveAsync(new byte[2_000], SocketFlags.None, patience.Token) > 0);
        Assert.Single(await b.HostsAsync("serviceName=orders"));
        // A beat at the node that has not registered it renews all the same.
        Assert.Contains("10200", await b.MustAsync("PUT", "v1/ns/instance/beat", Instance), StringComparison.Ordinal);
        await b.MustAsync("DELETE", "v1/ns/instance", Instance);
        await Eventually.PassesAsync(async () =>
        {
            Assert.Empty((await a.ServiceAsync()).Instances);
            var down = Assert.Single(await a.HostsAsync("serviceName=orders"));
            Assert.False(down.GetProperty("healthy").GetBoolean());
        });
    }
}
