using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Groundwork.Tests.Support;

/// <summary>A service on a free port that answers with the status it is told, and counts who asks.</summary>
public sealed class StatusServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly Task loop;
    private int asked;

    public StatusServer()
    {
        listener.Start();
        loop = Task.Run(AnswerAsync);
    }

    public int Status { get; set; } = 200;

    /// <summary>Connections so far.</summary>
    public int Asked => Volatile.Read(ref asked);

    public string? LastRequest { get; private set; }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await loop;
        listener.Dispose();
        ending.Dispose();
    }

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(ending.Token);
                Interlocked.Increment(ref asked);
                await AnswerAsync(client);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        try
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            if (await reader.ReadLineAsync() is not { } line) return; // A connection was all that was wanted.
            LastRequest = line;
            while (await reader.ReadLineAsync() is { Length: > 0 })
            {
                // The head.
            }
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"HTTP/1.1 {Status} X\r\nContent-Length: 0\r\nLocation: http://169.254.169.254/\r\n"
                + "Connection: close\r\n\r\n"));
        }
        catch (IOException)
        {
            // The prober has gone.
        }
    }
}
