using System.Net;
using System.Net.Sockets;

namespace Groundwork.Tests.Support;

/// <summary>
/// Ports for servers that cannot be told "any". They lie below the range from which the kernel takes the ports of
/// outgoing connections (32768 and up), so that none is taken between this look and the server's bind; processes that
/// test in parallel start at different places.
/// </summary>
public static class FreePort
{
    private const int First = 20_000;
    private const int Count = 12_000;

    private static readonly int Offset = Environment.ProcessId * 61 % Count;
    private static int handedOut;

    /// <summary>A loopback TCP port that nobody listens on and that this process was not given before.</summary>
    public static int Next()
    {
        for (var attempt = 0; attempt < Count; attempt++)
        {
            var port = First + (Offset + Interlocked.Increment(ref handedOut)) % Count;
            if (IsFree(port)) return port;
        }
        throw new InvalidOperationException($"No free port between {First} and {First + Count}.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
