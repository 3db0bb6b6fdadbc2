using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>An instance that is a script over bytes: for what no proper server would do.</summary>
internal sealed class RawInstance : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Task loop;
    private int connections;

    private RawInstance(Func<RawConnection, Task> script)
    {
        listener.Start();
        Address = (IPEndPoint)listener.LocalEndpoint;
        loop = Task.Run(() => AcceptAsync(script));
    }

    public IPEndPoint Address { get; }

    public int Connections => Volatile.Read(ref connections);

    /// <summary>Runs the script on every connection.</summary>
    public static RawInstance Start(Func<RawConnection, Task> script) => new(script);

    /// <summary>Reads each request's head and answers with these bytes, then closes.</summary>
    public static RawInstance Answering(string answer) => new(async connection =>
    {
        await connection.ReadHeadAsync();
        await connection.WriteAsync(answer);
    });

    /// <summary>Takes connections and never says a word, as a stopped process does.</summary>
    public static RawInstance Silent() => new(connection => connection.ReadToEndAsync());

    /// <summary>An address where nobody listens.</summary>
    public static IPEndPoint Refusing()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return (IPEndPoint)probe.LocalEndpoint;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await loop;
        stopping.Dispose();
    }

    private async Task AcceptAsync(Func<RawConnection, Task> script)
    {
        var scripts = new List<Task>();
        try
        {
            for (; ; )
            {
                var socket = await listener.AcceptSocketAsync(stopping.Token);
                Interlocked.Increment(ref connections);
                scripts.Add(RunAsync(script, new RawConnection(socket, stopping.Token)));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(scripts);
        }
    }

    private static async Task RunAsync(Func<RawConnection, Task> script, RawConnection connection)
    {
        using (connection)
        {
            try
            {
                await script(connection);
            }
            catch (Exception end) when (end is IOException or OperationCanceledException or SocketException)
            {
                // The gateway ended the connection, or the test did.
            }
        }
    }
}

/// <summary>One TCP connection of a test, in Latin-1 text.</summary>
internal sealed class RawConnection(Socket socket, CancellationToken ending) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly NetworkStream stream = new(socket, ownsSocket: true);

    public static async Task<RawConnection> ToAsync(IPEndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        return new RawConnection(socket, CancellationToken.None);
    }

    public async Task WriteAsync(string text) => await stream.WriteAsync(Encoding.Latin1.GetBytes(text), ending);

    /// <summary>Up to and with the empty line.</summary>
    public Task<string> ReadHeadAsync() => ReadUntilAsync("\r\n\r\n");

    public async Task<string> ReadUntilAsync(string end)
    {
        var read = new StringBuilder();
        while (!read.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            var next = await ReadByteAsync();
            if (next < 0) throw new IOException($"The connection ended after: {read}");
            read.Append((char)next);
        }
        return read.ToString();
    }

    /// <summary>One whole answer with its head; a chunked body is left in chunks.</summary>
    public async Task<string> ReadAnswerAsync()
    {
        var head = await ReadHeadAsync();
        if (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            return head + await ReadUntilAsync("0\r\n\r\n");
        var at = head.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return head;
        var length = int.Parse(
            head[(at + 16)..head.IndexOf('\r', at)], System.Globalization.CultureInfo.InvariantCulture);
        var body = new StringBuilder();
        while (body.Length < length) body.Append((char)await ReadByteAsync());
        return head + body;
    }

    /// <summary>Everything until the peer closes or resets.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var read = new StringBuilder();
        try
        {
            for (; ; )
            {
                var next = await ReadByteAsync();
                if (next < 0) return read.ToString();
                read.Append((char)next);
            }
        }
        catch (IOException)
        {
            return read.ToString();
        }
    }

    /// <summary>Says that nothing more is sent, and still reads.</summary>
    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes with a reset instead of an orderly end.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    public void Dispose() => stream.Dispose();

    private async Task<int> ReadByteAsync()
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, ending);
        var one = new byte[1];
        return await stream.ReadAsync(one, either.Token) == 0 ? -1 : one[0];
    }
}
