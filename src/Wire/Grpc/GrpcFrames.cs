using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Groundwork.Wire.Grpc;

/// <summary>
/// Messages of gRPC over HTTP/2: each is a byte that says whether it is compressed, four of its length, highest first,
/// and the message itself (gRPC over HTTP2, "Length-Prefixed-Message").
/// </summary>
public static class GrpcFrames
{
    /// <summary>Bytes before each message.</summary>
    public const int HeadBytes = 5;

    /// <summary>What stands in the body so far.</summary>
    public enum Found
    {
        /// <summary>A whole message.</summary>
        Message,

        /// <summary>The beginning of one, or nothing.</summary>
        TooLittle,

        /// <summary>One that is longer than is allowed.</summary>
        TooLarge,

        /// <summary>One that is compressed; nobody was told that this is understood.</summary>
        Compressed,

        /// <summary>Something else than a message.</summary>
        Malformed,
    }

    /// <summary>Takes the first message off what has come.</summary>
    /// <param name="most">Bytes that a message may have.</param>
    public static Found TryTake(ref ReadOnlySequence<byte> buffer, int most, out ReadOnlySequence<byte> message)
    {
        message = default;
        if (buffer.Length < HeadBytes) return Found.TooLittle;
        Span<byte> head = stackalloc byte[HeadBytes];
        buffer.Slice(0, HeadBytes).CopyTo(head);
        if (head[0] > 1) return Found.Malformed;
        var length = BinaryPrimitives.ReadUInt32BigEndian(head[1..]);
        if (length > (uint)most) return Found.TooLarge;
        if (head[0] == 1) return Found.Compressed;
        if (buffer.Length < HeadBytes + length) return Found.TooLittle;
        message = buffer.Slice(HeadBytes, length);
        buffer = buffer.Slice(HeadBytes + length);
        return Found.Message;
    }

    /// <summary>Writes what stands before a message of so many bytes.</summary>
    public static void WriteHead(IBufferWriter<byte> output, int length)
    {
        var head = output.GetSpan(HeadBytes);
        head[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(head[1..], length);
        output.Advance(HeadBytes);
    }

    /// <summary>A text as <c>grpc-message</c> carries it: what is not plain ASCII, and the percent sign, as %XX of its
    /// UTF-8.</summary>
    public static string EncodeText(string text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var one in Encoding.UTF8.GetBytes(text))
        {
            if (one is >= 0x20 and <= 0x7e and not (byte)'%') encoded.Append((char)one);
            else encoded.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
        }
        return encoded.ToString();
    }
}
