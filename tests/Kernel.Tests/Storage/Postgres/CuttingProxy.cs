using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Groundwork.Kernel.Tests.Storage.Postgres;

/// <summary>
/// A TCP proxy before PostgreSQL that breaks a connection at the moment that matters: after the server has committed
/// and before the client hears of it, or before the server hears of what the client asks.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentBag<Task> connections = [];
    private readonly int serverPort;
    private readonly Task accepting;
    private int answersToCut;
    private int requestsToCut;

    public CuttingProxy(int serverPort)
    {
        this.serverPort = serverPort;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Cuts made so far.</summary>
    public int Cuts { get; private set; }

    /// <summary>The next commit happens, and its answer is lost with the connection.</summary>
    public void CutNextCommit() => Interlocked.Increment(ref answersToCut);

    /// <summary>The next thing that any client sends is lost with its connection.</summary>
    public void CutNextRequest() => Interlocked.Increment(ref requestsToCut);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(connections);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync(stopping.Token);
                connections.Add(Task.Run(() => ServeAsync(client)));
            }
        }
        catch (Exception exception) when (
            exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, serverPort, stopping.Token);
            }
            catch (SocketException)
            {
                return; // The server is away, and so are we.
            }

            using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            var requests = PumpAsync(client, server, chunk => !Take(ref requestsToCut), end);
            var answers = PumpAsync(
                server, client, chunk => chunk.Span.IndexOf("COMMIT\0"u8) < 0 || !Take(ref answersToCut), end);
            await Task.WhenAll(requests, answers);
        }
    }

    /// <summary>Passes bytes on until one side ends or a chunk is not to be passed.</summary>
    private static async Task PumpAsync(
        Socket from, Socket to, Func<ReadOnlyMemory<byte>, bool> mayPass, CancellationTokenSource end)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, end.Token)) > 0 && mayPass(buffer.AsMemory(0, read)))
                await to.SendAsync(buffer.AsMemory(0, read), end.Token);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            // One side is gone, or the other direction has ended.
        }

        await end.CancelAsync();
    }

    private bool Take(ref int left)
    {
        while (true)
        {
            var now = Volatile.Read(ref left);
            if (now == 0) return false;
            if (Interlocked.CompareExchange(ref left, now - 1, now) != now) continue;
            Cuts++;
            return true;
        }
    }
}
