using System.Net;
using System.Net.Sockets;

namespace Groundwork.Communication.Tests.Dns;

/// <summary>Starting and stopping, with no question asked.</summary>
public sealed class DnsStopTests
{
    [Fact]
    public async Task A_socket_that_closes_before_its_receivers_had_a_turn_is_no_fault()
    {
        var names = await TestNames.StartAsync();
        for (var round = 0; round < 200; round++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            names.Server.Receive(socket);
            socket.Dispose();
        }
        // What fails in a receiver comes out where the server ends.
        await names.DisposeAsync();
    }
}
