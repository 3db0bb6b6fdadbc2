using System.Net;
using System.Net.Sockets;

namespace Groundwork.Load.Peers;

/// <summary>Ports of servers that are started for a run.</summary>
internal static class LoopbackPort
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until somebody listens on the port.</summary>
    public static async Task ConnectableAsync(int port)
    {
        using var patience = new CancellationTokenSource(StartPatience, TimeProvider.System);
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                return;
            }
            catch (SocketException)
            {
                // It does not listen yet.
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
            }
        }
    }
}
