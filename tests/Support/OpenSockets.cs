using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Groundwork.Tests.Support;

/// <summary>The TCP sockets that a process listens on, from what Linux shows under /proc.</summary>
public static class OpenSockets
{
    private const string ListenState = "0A"; // TCP_LISTEN in the st column of /proc/net/tcp.

    public static IReadOnlyList<IPEndPoint> Listening(int process)
    {
        var inodes = Directory.EnumerateFileSystemEntries($"/proc/{process}/fd")
            .Select(descriptor => new FileInfo(descriptor).LinkTarget)
            .OfType<string>()
            .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal))
            .Select(target => target[8..^1])
            .ToHashSet(StringComparer.Ordinal);
        return
        [
            .. new[] { "tcp", "tcp6" }
                .SelectMany(file => File.ReadLines($"/proc/{process}/net/{file}").Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(columns => columns[3] == ListenState && inodes.Contains(columns[9]))
                .Select(columns => ToEndPoint(columns[1])),
        ];
    }

    // The address is written as 32-bit words in the machine's byte order, the port in the network's.
    private static IPEndPoint ToEndPoint(string text)
    {
        var (address, port) = (text.Split(':')[0], text.Split(':')[1]);
        var bytes = new byte[address.Length / 2];
        for (var word = 0; word < address.Length; word += 8)
        {
            var value = uint.Parse(address.AsSpan(word, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(word / 2), value);
        }
        return new IPEndPoint(
            new IPAddress(bytes), int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
