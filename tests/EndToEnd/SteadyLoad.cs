using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// Clients that ask one request after another, each over a connection for as long as the gateway keeps it, until the
/// end. Whatever is not 200 is a failure, and so is a connection that ends without having said so.
/// </summary>
internal sealed class SteadyLoad : IAsyncDisposable
{
    private static readonly byte[] Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray();
    private static readonly byte[] Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nwork"u8.ToArray();

    private readonly CancellationTokenSource stop = new();
    private readonly List<Task> clients;
    private int answers;

    /// <param name="readers">Clients that only read: what they ask may be repeated.</param>
    /// <param name="writers">Clients whose requests nobody may repeat.</param>
    public SteadyLoad(IPEndPoint address, int readers, int writers = 0)
    {
        clients =
        [
            .. Enumerable.Range(0, readers + writers).Select(
                number => Task.Run(() => CallAsync(address, number < readers ? Get : Post))),
        ];
    }

    public ConcurrentQueue<string> Failures { get; } = new();

    public int Answers => Volatile.Read(ref answers);

    /// <summary>Waits for so many more.</summary>
    public Task AnswersAsync(int more)
    {
        var wanted = Answers + more;
        return Eventually.TrueAsync(() => Answers >= wanted, $"{more} more answers", TimeSpan.FromMinutes(1));
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        stop.Dispose();
    }

    private async Task CallAsync(IPEndPoint address, byte[] request)
    {
        var buffer = new byte[4096];
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(address, CancellationToken.None);
                while (!stop.IsCancellationRequested)
                {
                    await socket.SendAsync(request);
                    var answer = await ReadAsync(socket, buffer);
                    if (!answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
                    {
                        Failures.Enqueue($"{Encoding.ASCII.GetString(request, 0, 4)}was answered: {answer}");
                        break;
                    }
                    Interlocked.Increment(ref answers);
                    if (answer.Contains("Connection: close", StringComparison.OrdinalIgnoreCase)) break;
                }
            }
            catch (SocketException fault)
            {
                Failures.Enqueue(fault.SocketErrorCode.ToString());
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private static async Task<string> ReadAsync(Socket socket, byte[] buffer)
    {
        var text = new StringBuilder();
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer);
            if (count == 0) return $"nothing more after '{text}'";
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            var all = text.ToString();
            var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0) continue;
            var at = all.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
            if (at < 0) return all;
            var length = int.Parse(all.AsSpan(at + 16, all.IndexOf('\r', at) - at - 16), CultureInfo.InvariantCulture);
            if (all.Length >= end + 4 + length) return all;
        }
    }
}
