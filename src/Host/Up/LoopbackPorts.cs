using System.Net;
using System.Net.Sockets;

namespace Groundwork.Host.Up;

/// <summary>
/// Hands out free loopback ports, each once. They lie below the range of outgoing connections (32768 and up), so that
/// none is lost to one between our look and the child's bind; two <c>up</c> at once start at different places.
/// </summary>
internal sealed class LoopbackPorts
{
    private const int First = 21_000;
    private const int Count = 9_000;

    private readonly int offset = Environment.ProcessId * 61 % Count;
    private int handedOut;

    /// <summary>The wanted port while nobody listens on it, else the next free one.</summary>
    public int Take(int? wanted = null)
    {
        if (wanted is { } port && IsFree(port)) return port;
        for (var attempt = 0; attempt < Count; attempt++)
        {
            port = First + ((offset + Interlocked.Increment(ref handedOut)) % Count);
            if (IsFree(port)) return port;
        }
        throw new IOException($"No loopback port between {First} and {First + Count} is free.");
    }

    public static bool IsFree(int port)
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
