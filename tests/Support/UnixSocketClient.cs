using System.Net.Sockets;

namespace Groundwork.Tests.Support;

/// <summary>HTTP over a node's Unix socket, as its own verbs call it.</summary>
public static class UnixSocketClient
{
    public static HttpClient Over(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    }) { BaseAddress = new Uri("http://localhost") };
}
