using System.Net;
using System.Net.Sockets;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>Stands between two peers and counts the connections that the first one makes.</summary>
internal sealed class CountingRelay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Task loop;
    private int connections;

    public CountingRelay(IPEndPoint target)
    {
        listener.Start();
        Address = (IPEndPoint)listener.LocalEndpoint;
        loop = AcceptAsync(target);
    }

    public IPEndPoint Address { get; }

    public int Connections => Volatile.Read(ref connections);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await loop;
        stopping.Dispose();
    }

    private async Task AcceptAsync(IPEndPoint target)
    {
        var passing = new List<Task>();
        try
        {
            for (; ; )
            {
                var from = await listener.AcceptSocketAsync(stopping.Token);
                Interlocked.Increment(ref connections);
                passing.Add(PassAsync(from, target));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(passing);
        }
    }

    private async Task PassAsync(Socket from, IPEndPoint target)
    {
        using (from)
        using (var to = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })
        {
            from.NoDelay = true;
            try
            {
                await to.ConnectAsync(target, stopping.Token);
                await Task.WhenAll(CopyAsync(from, to), CopyAsync(to, from));
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException)
            {
                // One of the two went away.
            }
        }
    }

    // The end of one side is told to the other, and a reset, too.
    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, stopping.Token) is > 0 and var count)
                await to.SendAsync(buffer.AsMemory(0, count), stopping.Token);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            from.Close(0);
            to.Close(0);
        }
    }
}
