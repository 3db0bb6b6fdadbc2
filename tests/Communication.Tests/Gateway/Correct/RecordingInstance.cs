using System.Net;
using System.Net.Sockets;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>
/// The instance of one case: keeps what it gets, byte by byte and connection by connection, and answers from the
/// case's script, or with <c>200 ok</c>.
/// </summary>
internal sealed class RecordingInstance : IAsyncDisposable
{
    private static readonly byte[] Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray();
    private static readonly byte[] Continue = "HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray();

    /// <summary>Long enough that two pieces are two to whoever reads them.</summary>
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(30);

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly List<List<byte>> connections = []; // Under the gate.
    private readonly ConformanceCase script;
    private readonly Task loop;
    private int answered; // Requests, over all connections. Under the gate.

    public RecordingInstance(ConformanceCase script)
    {
        this.script = script;
        listener.Start();
        Address = (IPEndPoint)listener.LocalEndpoint;
        loop = Task.Run(AcceptAsync);
    }

    public IPEndPoint Address { get; }

    /// <summary>All bytes so far.</summary>
    public int Bytes
    {
        get
        {
            lock (gate) return connections.Sum(connection => connection.Count);
        }
    }

    public List<byte[]> Recorded()
    {
        lock (gate) return [.. connections.Where(connection => connection.Count > 0).Select(all => all.ToArray())];
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await loop;
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            for (; ; ) serving.Add(ServeAsync(await listener.AcceptSocketAsync(stopping.Token)));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var mine = new List<byte>();
        lock (gate) connections.Add(mine);
        using (socket)
        {
            try
            {
                await ConverseAsync(socket, mine);
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException)
            {
                // The proxy ended the connection, or the case is over.
            }
        }
    }

    private async Task ConverseAsync(Socket socket, List<byte> mine)
    {
        var buffer = new byte[64 * 1024];
        var (done, continued) = (0, 0); // Requests of this connection that were answered, or told to go on.
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer, stopping.Token);
            if (count == 0) return;
            byte[] all;
            lock (gate)
            {
                mine.AddRange(buffer.AsSpan(0, count));
                all = [.. mine];
            }
            var requests = new MessageText(all, ended: false).Requests(script.Tunnels);
            for (; done < requests.Count; done++)
            {
                var answer = Next(peek: true);
                var request = requests[done];
                if (!request.Whole && answer?.Early != true)
                {
                    if (continued <= done && request.Fields.Any(
                        field => field.Key.Equals("expect", StringComparison.OrdinalIgnoreCase)))
                    {
                        continued = done + 1;
                        await SendAsync(socket, Continue);
                    }
                    break;
                }
                Next(peek: false);
                if (!await AnswerAsync(socket, answer)) return;
            }
        }
    }

    private InstanceAnswer? Next(bool peek)
    {
        lock (gate)
        {
            var next = answered < script.Instance.Count ? script.Instance[answered] : null;
            if (!peek) answered++;
            return next;
        }
    }

    private async Task<bool> AnswerAsync(Socket socket, InstanceAnswer? answer)
    {
        if (answer is null)
        {
            await SendAsync(socket, Ok);
            return true;
        }
        for (var index = 0; index < answer.Pieces.Count; index++)
        {
            if (index > 0) await Task.Delay(Breath, TimeProvider.System, stopping.Token);
            await SendAsync(socket, answer.Pieces[index]);
        }
        if (answer.Resets) socket.LingerState = new LingerOption(true, 0);
        else if (answer.Closes)
        {
            socket.Shutdown(SocketShutdown.Send);
            // A close with bytes unread would be a reset.
            var rest = new byte[4096];
            while (await socket.ReceiveAsync(rest, stopping.Token) > 0) continue;
        }
        return !answer.Resets && !answer.Closes;
    }

    private async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, stopping.Token)..];
    }
}
