using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Groundwork.Tests.Support;

/// <summary>Answers every connection with the same bytes, whatever it was asked, and closes it.</summary>
public sealed class FixedAnswer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly byte[] answer;
    private readonly Task serving;

    public FixedAnswer(string answer)
    {
        this.answer = Encoding.UTF8.GetBytes(answer);
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
    }

    private async Task ServeAsync()
    {
        var buffer = new byte[8192];
        while (true)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync();
                var stream = client.GetStream();
                if (await stream.ReadAsync(buffer) > 0) await stream.WriteAsync(answer);
            }
            catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
            {
                return; // Stopped.
            }
            catch (IOException)
            {
                // This caller went away; the next may not.
            }
        }
    }
}
