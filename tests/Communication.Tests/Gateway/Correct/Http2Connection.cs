using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>A frame of HTTP/2 as it came.</summary>
internal sealed record Http2Frame(byte Type, byte Flags, int Stream, byte[] Payload)
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Priority = 2;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;

    public bool EndsStream => Type is Data or Headers && (Flags & 1) != 0;
}

/// <summary>
/// A client of HTTP/2 by hand, frame by frame, so that it can send what no proper one would. Heads are written without
/// any compression, and are not read.
/// </summary>
internal sealed class Http2Connection : IDisposable
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly Stream stream;

    private Http2Connection(Stream stream) => this.stream = stream;

    /// <summary>Connects and says the preface with these settings; over TLS when there is a handler's word for it.
    /// </summary>
    public static async Task<Http2Connection> ToAsync(
        IPEndPoint address, RemoteCertificateValidationCallback? believes = null,
        params (ushort Id, uint Value)[] settings)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        Stream opened = new NetworkStream(socket, ownsSocket: true);
        if (believes is not null)
        {
            var secure = new SslStream(opened, leaveInnerStreamOpen: false, believes);
            await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
            });
            Assert.Equal(SslApplicationProtocol.Http2, secure.NegotiatedApplicationProtocol);
            opened = secure;
        }
        var connection = new Http2Connection(opened);
        await opened.WriteAsync(Preface);
        var payload = new byte[settings.Length * 6];
        for (var index = 0; index < settings.Length; index++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(index * 6), settings[index].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(index * 6 + 2), settings[index].Value);
        }
        await connection.SendAsync(Http2Frame.Settings, 0, 0, payload);
        return connection;
    }

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)payload.Length);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>Fields as literals that enter no table (RFC 7541, 6.2.2).</summary>
    public static byte[] Fields(IEnumerable<(string Name, string Value)> fields)
    {
        var bytes = new List<byte>();
        foreach (var (name, value) in fields)
        {
            bytes.Add(0);
            Text(bytes, name);
            Text(bytes, value);
        }
        return [.. bytes];
    }

    public async Task SendAsync(byte type, byte flags, int id, byte[] payload) =>
        await stream.WriteAsync(Frame(type, flags, id, payload));

    public async Task SendAsync(byte[] bytes) => await stream.WriteAsync(bytes);

    public Task SendHeadersAsync(int id, bool endStream, IEnumerable<(string Name, string Value)> fields) =>
        SendAsync(Http2Frame.Headers, (byte)(endStream ? 5 : 4), id, Fields(fields));

    public Task SendDataAsync(int id, bool endStream, byte[] bytes) =>
        SendAsync(Http2Frame.Data, (byte)(endStream ? 1 : 0), id, bytes);

    /// <summary>The next frame; null when the server has closed. Settings are answered.</summary>
    public async Task<Http2Frame?> ReadAsync()
    {
        try
        {
            var head = new byte[9];
            await stream.ReadExactlyAsync(head).AsTask().WaitAsync(Eventually.Patience);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await stream.ReadExactlyAsync(payload).AsTask().WaitAsync(Eventually.Patience);
            var frame = new Http2Frame(
                head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) & int.MaxValue, payload);
            if (frame is { Type: Http2Frame.Settings, Flags: 0 }) await SendAsync(Http2Frame.Settings, 1, 0, []);
            return frame;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>All frames up to one that is wanted, or to the end.</summary>
    public async Task<List<Http2Frame>> ReadUntilAsync(Func<Http2Frame, bool> wanted)
    {
        var read = new List<Http2Frame>();
        while (await ReadAsync() is { } frame)
        {
            read.Add(frame);
            if (wanted(frame)) break;
        }
        return read;
    }

    /// <summary>All frames up to the end of a stream, or of the connection.</summary>
    public Task<List<Http2Frame>> ReadUntilEndAsync(int id) => ReadUntilAsync(frame =>
        frame.Stream == id && (frame.EndsStream || frame.Type == Http2Frame.Reset) || frame.Type == Http2Frame.GoAway);

    public void Dispose() => stream.Dispose();

    // A length in seven bits and more (RFC 7541, 5.1), then the text as it is.
    private static void Text(List<byte> bytes, string text)
    {
        var octets = Encoding.Latin1.GetBytes(text);
        if (octets.Length < 127) bytes.Add((byte)octets.Length);
        else
        {
            bytes.Add(127);
            var rest = octets.Length - 127;
            for (; rest >= 128; rest >>= 7) bytes.Add((byte)((rest & 127) | 128));
            bytes.Add((byte)rest);
        }
        bytes.AddRange(octets);
    }
}
