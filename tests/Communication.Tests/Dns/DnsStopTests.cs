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

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    [InlineData("::")]
    public async Task Receivers_end_while_the_socket_stays_for_who_takes_it_over(string address)
    {
        var names = await TestNames.StartAsync();
        using var socket = new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        names.Server.Receive(socket);
        await names.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.False(socket.SafeHandle.IsClosed);
    }
}
