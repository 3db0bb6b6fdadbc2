using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Groundwork.Load.Wire;

/// <summary>
/// One HTTP/2 connection in clear (RFC 9113) that makes unary gRPC calls one after the other, as bare as
/// <see cref="Http1Connection"/>, so that a peer that speaks gRPC is not charged for a heavier generator.
/// </summary>
internal sealed class GrpcConnection : IDisposable
{
    private const byte DataFrame = 0;
    private const byte HeadersFrame = 1;
    private const byte SettingsFrame = 4;
    private const byte PingFrame = 6;
    private const byte GoAwayFrame = 7;
    private const byte WindowUpdateFrame = 8;
    private const byte EndStream = 1; // On settings and pings the same bit is the acknowledgement.
    private const byte EndHeaders = 4;
    private const int FrameHead = 9;

    private readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] input = new byte[64 * 1024];
    private readonly byte[] headers;
    private int filled;
    private int stream = -1;

    private GrpcConnection(string path, int port)
    {
        // RFC 7541: indexed POST and http; the rest as literals that are not indexed.
        var block = new MemoryStream();
        block.Write([0x83, 0x86, 0x04]);
        WriteText(block, path);
        block.WriteByte(0x01);
        WriteText(block, $"127.0.0.1:{port}");
        block.Write([0x0f, 0x10]);
        WriteText(block, "application/grpc");
        block.WriteByte(0x00);
        WriteText(block, "te");
        WriteText(block, "trailers");
        headers = block.ToArray();
    }

    public static async Task<GrpcConnection> OpenAsync(string path, int port)
    {
        var connection = new GrpcConnection(path, port);
        await connection.socket.ConnectAsync(IPAddress.Loopback, port);
        var greeting = new MemoryStream();
        greeting.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        WriteFrame(greeting, SettingsFrame, 0, 0, []);
        // The connection's window is opened as far as it goes: the answers are small and are read at once.
        WriteFrame(greeting, WindowUpdateFrame, 0, 0, [0x7f, 0xfe, 0, 0]);
        await connection.socket.SendAsync(greeting.ToArray());
        return connection;
    }

    /// <summary>Calls with a message and waits for the end of the stream.</summary>
    /// <exception cref="InvalidDataException">The call failed: no message came before the trailers.</exception>
    public async ValueTask CallAsync(byte[] message)
    {
        stream += 2;
        var request = new MemoryStream(FrameHead * 2 + headers.Length + message.Length + 5);
        WriteFrame(request, HeadersFrame, EndHeaders, stream, headers);
        var data = new byte[message.Length + 5]; // A byte for "not compressed", four of length.
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(1), message.Length);
        message.CopyTo(data, 5);
        WriteFrame(request, DataFrame, EndStream, stream, data);
        await socket.SendAsync(request.GetBuffer().AsMemory(0, (int)request.Length));
        var answered = false;
        while (true)
        {
            var (type, flags, id, payload) = await ReadFrameAsync();
            if (type == GoAwayFrame) throw new InvalidDataException("The server closes the connection.");
            if (type is SettingsFrame or PingFrame && (flags & EndStream) == 0)
                await AcknowledgeAsync(type, type == PingFrame ? payload : default);
            if (id != stream) continue;
            answered |= type == DataFrame;
            if ((flags & EndStream) == 0 || type is not (DataFrame or HeadersFrame)) continue;
            if (!answered) throw new InvalidDataException("The call failed.");
            return;
        }
    }

    public void Dispose() => socket.Dispose();

    private async ValueTask AcknowledgeAsync(byte type, ReadOnlyMemory<byte> payload)
    {
        var frame = new MemoryStream();
        WriteFrame(frame, type, EndStream, 0, payload.Span);
        await socket.SendAsync(frame.GetBuffer().AsMemory(0, (int)frame.Length));
    }

    private async ValueTask<(byte Type, byte Flags, int Stream, byte[] Payload)> ReadFrameAsync()
    {
        while (filled < FrameHead) await FillAsync();
        var length = (input[0] << 16) | (input[1] << 8) | input[2];
        var (type, flags) = (input[3], input[4]);
        var id = BinaryPrimitives.ReadInt32BigEndian(input.AsSpan(5)) & int.MaxValue;
        while (filled < FrameHead + length) await FillAsync();
        var payload = input.AsSpan(FrameHead, length).ToArray();
        filled -= FrameHead + length;
        input.AsSpan(FrameHead + length, filled).CopyTo(input);
        return (type, flags, id, payload);
    }

    private async ValueTask FillAsync()
    {
        var read = await socket.ReceiveAsync(input.AsMemory(filled));
        if (read == 0) throw new EndOfStreamException("The server closed the connection.");
        filled += read;
    }

    private static void WriteFrame(MemoryStream output, byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[FrameHead];
        BinaryPrimitives.WriteInt32BigEndian(head, payload.Length << 8); // Three bytes of length.
        head[3] = type;
        head[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(head[5..], stream);
        output.Write(head);
        output.Write(payload);
    }

    private static void WriteText(MemoryStream output, string text)
    {
        output.WriteByte((byte)text.Length); // Not Huffman coded, below 127 bytes.
        output.Write(Encoding.ASCII.GetBytes(text));
    }
}
