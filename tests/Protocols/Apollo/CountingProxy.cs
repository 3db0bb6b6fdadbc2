using System.Net;
using System.Net.Sockets;

namespace Groundwork.Tests.Protocols.Apollo;

/// <summary>Passes bytes on to a server, and counts the requests that go by: each begins with GET.</summary>
internal sealed class CountingProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Task loop;
    private int requests;

    private CountingProxy(Uri server)
    {
        listener.Start();
        loop = AcceptAsync(server);
    }

    public Uri Address => new($"http://{listener.LocalEndpoint}");

    public int Requests => Volatile.Read(ref requests);

    public static Task<CountingProxy> StartAsync(Uri server) => Task.FromResult(new CountingProxy(server));

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await loop;
        listener.Dispose();
        stopping.Dispose();
    }

    private async Task AcceptAsync(Uri server)
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(stopping.Token);
                connections.Add(PassAsync(client, server));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task PassAsync(TcpClient client, Uri server)
    {
        using (client)
        {
            using var upstream = new TcpClient();
            try
            {
                await upstream.ConnectAsync(server.Host, server.Port, stopping.Token);
                await Task.WhenAny(
                    CopyAsync(client.GetStream(), upstream.GetStream(), counts: true),
                    CopyAsync(upstream.GetStream(), client.GetStream(), counts: false));
            }
            catch (Exception end) when (end is OperationCanceledException or IOException or SocketException)
            {
                // One of them has gone.
            }
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool counts)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReadAsync(buffer, stopping.Token) is > 0 and var read)
        {
            if (counts && buffer.AsSpan(0, read).StartsWith("GET "u8)) Interlocked.Increment(ref requests);
            await to.WriteAsync(buffer.AsMemory(0, read), stopping.Token);
        }
    }
}
