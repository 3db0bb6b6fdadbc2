using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Groundwork.Wire.Proxying;

/// <summary>How far the reading of a header came.</summary>
public enum ProxyProgress { Incomplete, Complete, Bad }

/// <summary>
/// What a proxy says before anything else of a connection that it passes on: the PROXY protocol, versions 1 and 2
/// (haproxy's <c>doc/proxy-protocol.txt</c>). Read strictly and within bounds: both versions say their whole length.
/// </summary>
/// <param name="Source">The client; null when the proxy speaks for itself, or does not know.</param>
/// <param name="Destination">Where the client connected to.</param>
/// <param name="IsTls">True when the client spoke TLS with the proxy.</param>
public readonly record struct ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination, bool IsTls)
{
    /// <summary>Bytes of a header: addresses of both sides and the extensions of a TLS connection fit many times.
    /// </summary>
    public const int MaxBytes = 2048;

    /// <summary>Bytes of a header that we write, with the addresses of IPv6.</summary>
    public const int MaxWritten = 16 + 36;

    private const int MaxLine = 107; // As version 1 bounds itself.
    private const int FixedBytes = 16; // Of version 2, before the addresses.
    private const byte TlsExtension = 0x20; // PP2_TYPE_SSL
    private const byte ClientTls = 0x01; // PP2_CLIENT_SSL

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Reads a header from the beginning of a connection.</summary>
    /// <param name="consumed">Bytes of a complete one.</param>
    public static ProxyProgress Read(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int consumed)
    {
        (header, consumed) = (default, 0);
        if (bytes.IsEmpty) return ProxyProgress.Incomplete;
        return bytes[0] == 'P'
            ? ReadLine(bytes, out header, out consumed)
            : ReadBinary(bytes, out header, out consumed);
    }

    /// <summary>Writes a header of version 2; its bytes.</summary>
    /// <param name="output">At least <see cref="MaxWritten"/> bytes.</param>
    public static int WriteBinary(IPEndPoint? source, IPEndPoint? destination, Span<byte> output)
    {
        Signature.CopyTo(output);
        var isKnown = source is not null && destination is not null
            && source.AddressFamily == destination.AddressFamily;
        output[12] = (byte)(isKnown ? 0x21 : 0x20); // PROXY, or LOCAL.
        if (!isKnown)
        {
            output[13..FixedBytes].Clear();
            return FixedBytes;
        }
        var bytes = source!.AddressFamily == AddressFamily.InterNetwork ? 4 : 16; // Known, as are both.
        output[13] = (byte)(bytes == 4 ? 0x11 : 0x21);
        BinaryPrimitives.WriteUInt16BigEndian(output[14..], (ushort)(2 * bytes + 4));
        var at = FixedBytes;
        source.Address.TryWriteBytes(output[at..], out _); // The room is there.
        destination!.Address.TryWriteBytes(output[(at + bytes)..], out _);
        at += 2 * bytes;
        BinaryPrimitives.WriteUInt16BigEndian(output[at..], (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(output[(at + 2)..], (ushort)destination.Port);
        return at + 4;
    }

    private static ProxyProgress ReadLine(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int consumed)
    {
        (header, consumed) = (default, 0);
        var begun = "PROXY "u8;
        if (!begun.StartsWith(bytes[..Math.Min(begun.Length, bytes.Length)])) return ProxyProgress.Bad;
        var end = bytes[..Math.Min(bytes.Length, MaxLine)].IndexOf((byte)'\n');
        if (end < 0) return bytes.Length >= MaxLine ? ProxyProgress.Bad : ProxyProgress.Incomplete;
        if (end < begun.Length || bytes[end - 1] != '\r') return ProxyProgress.Bad;
        var line = bytes[begun.Length..(end - 1)];
        consumed = end + 1;
        if (line.SequenceEqual("UNKNOWN"u8) || line.StartsWith("UNKNOWN "u8)) return ProxyProgress.Complete;
        var isIpv4 = line.StartsWith("TCP4 "u8);
        if (!isIpv4 && !line.StartsWith("TCP6 "u8)) return ProxyProgress.Bad;
        // Both families are ASCII, and a line is short.
        var words = Encoding.Latin1.GetString(line[5..]).Split(' ');
        if (words.Length != 4 || !TryParse(words[0], isIpv4, out var source)
            || !TryParse(words[1], isIpv4, out var destination) || !TryPort(words[2], out var from)
            || !TryPort(words[3], out var to)) return ProxyProgress.Bad;
        header = new ProxyHeader(new IPEndPoint(source, from), new IPEndPoint(destination, to), IsTls: false);
        return ProxyProgress.Complete;
    }

    // IPAddress.Parse also reads "1" and a zone behind a percent sign.
    private static bool TryParse(string text, bool isIpv4, out IPAddress address)
    {
        address = IPAddress.None;
        if (text.Length > 45 || text.Contains('%', StringComparison.Ordinal)) return false;
        if (isIpv4 && text.Count(character => character == '.') != 3) return false;
        var family = isIpv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        if (!IPAddress.TryParse(text, out var parsed) || parsed.AddressFamily != family) return false;
        address = parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
        return true;
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= IPEndPoint.MaxPort
        && text.Length <= 5 && (text.Length == 1 || text[0] != '0');

    private static ProxyProgress ReadBinary(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int consumed)
    {
        (header, consumed) = (default, 0);
        if (!Signature.StartsWith(bytes[..Math.Min(Signature.Length, bytes.Length)])) return ProxyProgress.Bad;
        if (bytes.Length < FixedBytes) return ProxyProgress.Incomplete;
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (bytes[12] >> 4 != 2 || (bytes[12] & 0xf) > 1 || length > MaxBytes - FixedBytes) return ProxyProgress.Bad;
        if (bytes.Length < FixedBytes + length) return ProxyProgress.Incomplete;
        consumed = FixedBytes + length;
        // LOCAL: the proxy's own, such as a look whether we are well. Whatever follows is to be passed over.
        if ((bytes[12] & 0xf) == 0) return ProxyProgress.Complete;
        var rest = bytes.Slice(FixedBytes, length);
        var size = bytes[13] switch { 0x11 => 4, 0x21 => 16, _ => 0 };
        // Other families, such as datagrams or sockets with a path, tell no address of the Internet.
        var isKnown = bytes[13] is 0x00 or 0x31 or 0x32 or 0x12 or 0x22;
        if (size == 0) return isKnown ? ProxyProgress.Complete : ProxyProgress.Bad;
        if (rest.Length < 2 * size + 4) return ProxyProgress.Bad;
        var source = End(rest[..size], rest[(2 * size)..]);
        var destination = End(rest.Slice(size, size), rest[(2 * size + 2)..]);
        if (!TryReadExtensions(rest[(2 * size + 4)..], out var isTls)) return ProxyProgress.Bad;
        header = new ProxyHeader(source, destination, isTls);
        return ProxyProgress.Complete;
    }

    private static IPEndPoint End(ReadOnlySpan<byte> address, ReadOnlySpan<byte> port)
    {
        var parsed = new IPAddress(address);
        return new IPEndPoint(
            parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed, BinaryPrimitives.ReadUInt16BigEndian(port));
    }

    private static bool TryReadExtensions(ReadOnlySpan<byte> rest, out bool isTls)
    {
        isTls = false;
        while (!rest.IsEmpty)
        {
            if (rest.Length < 3) return false;
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[1..]);
            if (rest.Length < 3 + length) return false;
            var value = rest.Slice(3, length);
            if (rest[0] == TlsExtension)
            {
                if (length < 5) return false;
                isTls |= (value[0] & ClientTls) != 0;
            }
            rest = rest[(3 + length)..];
        }
        return true;
    }
}
