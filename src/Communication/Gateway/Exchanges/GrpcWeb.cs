using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>In which form a client that has no trailers speaks gRPC.</summary>
internal enum GrpcWebForm { None, Binary, Text }

/// <summary>
/// Translates one exchange between gRPC-Web and gRPC (the gRPC project's PROTOCOL-WEB): the messages are the same, in
/// Base64 where the client says text, and what gRPC says in trailers is a last message.
/// </summary>
internal sealed class GrpcWeb(GrpcWebForm form)
{
    private const byte TrailersFlag = 0x80;

    private static ReadOnlySpan<byte> Binary => "application/grpc-web"u8;

    private static ReadOnlySpan<byte> Text => "application/grpc-web-text"u8;

    private readonly byte[] waiting = new byte[4]; // Characters that are no group yet.
    private int waits;

    public bool IsText => form == GrpcWebForm.Text;

    /// <summary>Null for a request that is none.</summary>
    public static GrpcWeb? Of(FieldTable fields)
    {
        var type = fields.First(KnownField.ContentType);
        if (!Begins(type, Binary)) return null;
        return new GrpcWeb(Begins(type, Text) ? GrpcWebForm.Text : GrpcWebForm.Binary);
    }

    /// <summary>The media type as gRPC has it: what follows the name, such as <c>+proto</c>, stays.</summary>
    public string ToGrpc(string mediaType) =>
        "application/grpc" + mediaType[Math.Min(mediaType.Length, IsText ? Text.Length : Binary.Length)..];

    /// <summary>The media type as the client has it.</summary>
    public string FromGrpc(string mediaType) =>
        mediaType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            ? Encoding.ASCII.GetString(IsText ? Text : Binary) + mediaType["application/grpc".Length..]
            : mediaType;

    /// <summary>Decodes a piece of the request's body where it stands; the bytes that it comes to.</summary>
    /// <param name="count">Bytes of the piece, which begins at <see cref="Kept"/> of the buffer.</param>
    /// <exception cref="ClientBodyException">It is no Base64.</exception>
    public int Decode(Span<byte> buffer, int count)
    {
        if (!IsText) return count;
        waiting.AsSpan(0, waits).CopyTo(buffer);
        var all = buffer[..(waits + count)];
        waits = all.Length % 4;
        all[^waits..].CopyTo(waiting);
        all = all[..^waits];
        // Each group of four stands for itself: a client may close one, with its padding, in the middle of the stream.
        var written = 0;
        Span<byte> three = stackalloc byte[3];
        for (var at = 0; at < all.Length; at += 4)
        {
            if (Base64.DecodeFromUtf8(all.Slice(at, 4), three, out _, out var length) != OperationStatus.Done)
                throw new ClientBodyException(HeadFault.None, 400);
            three[..length].CopyTo(buffer[written..]);
            written += length;
        }
        return written;
    }

    /// <summary>Bytes that the next piece has to leave free before itself.</summary>
    public int Kept => waits;

    /// <summary>Writes a piece of the answer as the client reads it.</summary>
    public void Write(IClient client, ReadOnlySpan<byte> piece)
    {
        if (!IsText)
        {
            client.Write(piece);
            return;
        }
        var text = new byte[Base64.GetMaxEncodedToUtf8Length(piece.Length)];
        Base64.EncodeToUtf8(piece, text, out _, out var length);
        client.Write(text.AsSpan(0, length));
    }

    /// <summary>Writes the last message.</summary>
    public void WriteTrailers(IClient client, FieldTable trailers)
    {
        var message = new byte[5 + trailers.Filled + trailers.Count * 4];
        var writer = new HeadWriter(message.AsSpan(5));
        foreach (ref readonly var field in trailers.Fields)
            if (AnswerHead.IsPassedTrailer(field)) writer.Field(trailers, field);
        message[0] = TrailersFlag;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), writer.Length);
        Write(client, message.AsSpan(0, 5 + writer.Length));
    }

    private static bool Begins(ReadOnlySpan<byte> type, ReadOnlySpan<byte> with) =>
        type.Length >= with.Length && Ascii.EqualsIgnoreCase(type[..with.Length], with);
}
