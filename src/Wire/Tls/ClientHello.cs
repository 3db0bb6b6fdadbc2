using System.Buffers.Binary;

namespace Groundwork.Wire.Tls;

/// <summary>How far the reading of a client's first message came.</summary>
public enum HelloProgress { Incomplete, Complete, Bad }

/// <summary>
/// Reads which server a client asks for from the first message of its handshake (RFC 8446, 4.1.2; RFC 6066, 3), without
/// taking part in it. Every length is held to what surrounds it, and all of it to a bound.
/// </summary>
public static class ClientHello
{
    /// <summary>
    /// Bytes that are looked at: a hello with a key share of after quantum computers has 2 KiB, with tickets 4 KiB.
    /// </summary>
    public const int MaxBytes = 16 * 1024;

    private const int RecordHeader = 5;
    private const int MaxRecord = 16 * 1024; // RFC 8446, 5.1.
    private const byte Handshake = 22;
    private const byte HelloMessage = 1;

    /// <summary>Reads the name that the client asks for.</summary>
    /// <param name="serverName">In lower case; empty when it asks for none.</param>
    public static HelloProgress Read(ReadOnlySpan<byte> bytes, out string serverName)
    {
        serverName = "";
        // The message may be cut over several records; their contents are put together.
        Span<byte> message = stackalloc byte[Math.Min(bytes.Length, MaxBytes)];
        var filled = 0;
        var rest = bytes;
        while (true)
        {
            if (rest.Length < RecordHeader)
                return rest.IsEmpty || rest[0] == Handshake ? More(bytes) : HelloProgress.Bad;
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            if (rest[0] != Handshake || rest[1] != 3 || length is 0 or > MaxRecord) return HelloProgress.Bad;
            var here = rest.Slice(RecordHeader, Math.Min(length, rest.Length - RecordHeader));
            if (filled + here.Length > message.Length) return HelloProgress.Bad;
            here.CopyTo(message[filled..]);
            filled += here.Length;
            if (filled > 0 && message[0] != HelloMessage) return HelloProgress.Bad;
            if (filled >= 4)
            {
                var size = (message[1] << 16) | (message[2] << 8) | message[3];
                if (size > MaxBytes - 4) return HelloProgress.Bad;
                if (filled >= size + 4) return ReadMessage(message.Slice(4, size), out serverName);
            }
            if (here.Length < length) return More(bytes);
            rest = rest[(RecordHeader + length)..];
        }
    }

    private static HelloProgress More(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= MaxBytes ? HelloProgress.Bad : HelloProgress.Incomplete;

    private static HelloProgress ReadMessage(ReadOnlySpan<byte> hello, out string serverName)
    {
        serverName = "";
        if (hello.Length < 34) return HelloProgress.Bad;
        var rest = hello[34..]; // Version and random.
        if (!TryTake(ref rest, 1, out _) || !TryTake(ref rest, 2, out _) || !TryTake(ref rest, 1, out _))
            return HelloProgress.Bad;
        if (rest.IsEmpty) return HelloProgress.Complete; // A client from before extensions.
        if (!TryTake(ref rest, 2, out var extensions) || !rest.IsEmpty) return HelloProgress.Bad;
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < 4) return HelloProgress.Bad;
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var value)) return HelloProgress.Bad;
            if (type != 0) continue;
            if (serverName.Length > 0 || !TryReadName(value, out serverName)) return HelloProgress.Bad;
        }
        return HelloProgress.Complete;
    }

    private static bool TryReadName(ReadOnlySpan<byte> value, out string name)
    {
        name = "";
        if (!TryTake(ref value, 2, out var list) || !value.IsEmpty || list.IsEmpty || list[0] != 0) return false;
        list = list[1..];
        // One name of the one type there is.
        if (!TryTake(ref list, 2, out var host) || !list.IsEmpty || host.Length is 0 or > 255) return false;
        Span<char> text = stackalloc char[host.Length];
        for (var at = 0; at < host.Length; at++)
        {
            var character = (char)host[at];
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('-' or '.' or '_')) return false;
            text[at] = char.ToLowerInvariant(character);
        }
        name = new string(text);
        return true;
    }

    // What has its length before it, in so many bytes.
    private static bool TryTake(ref ReadOnlySpan<byte> rest, int lengthBytes, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (rest.Length < lengthBytes) return false;
        var length = lengthBytes == 1 ? rest[0] : BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length < lengthBytes + length) return false;
        value = rest.Slice(lengthBytes, length);
        rest = rest[(lengthBytes + length)..];
        return true;
    }
}
