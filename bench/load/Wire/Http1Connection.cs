using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Groundwork.Load.Wire;

/// <summary>
/// One keep-alive connection that sends requests as bytes and reads answers without a client library, so that the
/// generator takes little of the processors that it shares with the server.
/// </summary>
internal sealed class Http1Connection : IDisposable
{
    private const int UsualBufferBytes = 64 * 1024;

    private readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] buffer;
    private int filled;

    private Http1Connection(int bufferBytes) => buffer = new byte[bufferBytes];

    /// <param name="bufferBytes">An answer of <see cref="SendAsync"/> must fit.</param>
    public static async Task<Http1Connection> OpenAsync(int port, int bufferBytes = UsualBufferBytes)
    {
        var connection = new Http1Connection(bufferBytes);
        await connection.socket.ConnectAsync(IPAddress.Loopback, port);
        return connection;
    }

    /// <summary>A whole request. Without a body there is no content type.</summary>
    public static byte[] Request(string method, string path, string? accessKey, string? body = null)
    {
        var credential = accessKey is null ? "" : $"Authorization: Bearer {accessKey}\r\n";
        var content = body is null
            ? ""
            : $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n";
        return Encoding.UTF8.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{credential}{content}\r\n{body}");
    }

    /// <summary>Sends a request and reads the answer to its end.</summary>
    /// <exception cref="InvalidDataException">The answer is not 200 to 299.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> request)
    {
        await WriteAsync(request);
        filled = 0;
        int end;
        while ((end = EndOfAnswer()) < 0) await FillAsync();
        if (end != filled) throw new InvalidDataException("The server said more than one answer.");
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> request)
    {
        while (request.Length > 0) request = request[await socket.SendAsync(request)..];
    }

    /// <summary>Whatever comes next, for streams; empty at the end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync() => buffer.AsMemory(0, await socket.ReceiveAsync(buffer));

    public void Dispose() => socket.Dispose();

    private async ValueTask FillAsync()
    {
        var read = await socket.ReceiveAsync(buffer.AsMemory(filled));
        if (read == 0) throw new EndOfStreamException("The server closed the connection.");
        filled += read;
    }

    /// <summary>Bytes of the answer when all of it is in the buffer, else -1.</summary>
    private int EndOfAnswer()
    {
        var seen = buffer.AsSpan(0, filled);
        var headLength = seen.IndexOf("\r\n\r\n"u8);
        if (headLength < 0) return -1;
        var head = seen[..headLength];
        var body = headLength + 4;
        var at = head.IndexOf("\r\nContent-Length: "u8);
        if (at < 0) at = head.IndexOf("\r\ncontent-length: "u8); // As HAProxy writes it.
        if (at >= 0)
        {
            var length = head[(at + 18)..];
            if (length.IndexOf((byte)'\r') is var stop and >= 0) length = length[..stop];
            body += int.Parse(length, NumberStyles.None, CultureInfo.InvariantCulture);
            if (filled < body) return -1;
        }
        else if (head.IndexOf("\r\nTransfer-Encoding: chunked"u8) >= 0)
        {
            var last = seen[(headLength + 2)..].IndexOf("\r\n0\r\n\r\n"u8);
            if (last < 0) return -1;
            body = headLength + 2 + last + 7;
        }
        if (head[9] != '2') throw new InvalidDataException(Encoding.UTF8.GetString(seen));
        return body;
    }
}
