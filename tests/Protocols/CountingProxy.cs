using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Groundwork.Tests.Protocols;

/// <summary>
/// Passes bytes on to a server and counts the requests of HTTP that go by, and breaks its connections when it is told
/// to.
/// </summary>
internal sealed class CountingProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<TcpClient, bool> open = new();
    private readonly Task loop;
    private int requests;
    private int refused;

    private CountingProxy(Uri server)
    {
        listener.Start();
        loop = AcceptAsync(server);
    }

    public Uri Address => new($"http://{listener.LocalEndpoint}");

    public int Port => Address.Port;

    public int Requests => Volatile.Read(ref requests);

    /// <summary>Connections that found no server.</summary>
    public int Refused => Volatile.Read(ref refused);

    public static Task<CountingProxy> StartAsync(Uri server) => Task.FromResult(new CountingProxy(server));

    /// <summary>Resets every connection of a client (TCP's RST), and says how many there were.</summary>
    public int Reset()
    {
        var count = 0;
        foreach (var client in open.Keys)
        {
            try
            {
                client.LingerState = new LingerOption(enable: true, seconds: 0);
                client.Close();
                count++;
            }
            catch (Exception gone) when (gone is ObjectDisposedException or SocketException)
            {
                // It has just ended by itself.
            }
        }
        return count;
    }

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
        open[client] = true;
        using (client)
        {
            using var upstream = new TcpClient();
            try
            {
                await upstream.ConnectAsync(server.Host, server.Port, stopping.Token);
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException)
            {
                Interlocked.Increment(ref refused);
                open.TryRemove(client, out _);
                return;
            }
            try
            {
                await Task.WhenAny(
                    CopyAsync(client.GetStream(), upstream.GetStream(), counts: true),
                    CopyAsync(upstream.GetStream(), client.GetStream(), counts: false));
            }
            catch (Exception end) when (end is InvalidOperationException or ObjectDisposedException)
            {
                // It was reset before it began.
            }
            open.TryRemove(client, out _);
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool counts)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, stopping.Token) is > 0 and var read)
            {
                if (counts && IsRequest(buffer.AsSpan(0, read))) Interlocked.Increment(ref requests);
                await to.WriteAsync(buffer.AsMemory(0, read), stopping.Token);
            }
        }
        catch (Exception end) when (
            end is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // One of them has gone.
        }
    }

    private static bool IsRequest(ReadOnlySpan<byte> sent) => sent.StartsWith("GET "u8) || sent.StartsWith("POST "u8)
        || sent.StartsWith("PUT "u8) || sent.StartsWith("DELETE "u8);
}
