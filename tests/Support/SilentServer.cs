using System.Net;
using System.Net.Sockets;

namespace Groundwork.Tests.Support;

/// <summary>A server that takes connections and never says a word.</summary>
public sealed class SilentServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly List<TcpClient> held = [];
    private readonly Task loop;
    private int taken;

    public SilentServer()
    {
        listener.Start();
        loop = Task.Run(TakeAsync);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Connections so far.</summary>
    public int Taken => Volatile.Read(ref taken);

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await loop;
        foreach (var client in held) client.Dispose();
        listener.Dispose();
        ending.Dispose();
    }

    private async Task TakeAsync()
    {
        try
        {
            while (true)
            {
                held.Add(await listener.AcceptTcpClientAsync(ending.Token));
                Interlocked.Increment(ref taken);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
