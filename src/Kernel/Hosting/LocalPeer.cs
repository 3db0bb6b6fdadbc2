using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// The process at the other end of a Unix socket, as the kernel of the operating system vouches for it.
/// </summary>
public sealed record LocalPeer(int ProcessId, int UserId)
{
    // From <sys/socket.h> on Linux; struct ucred is three 32-bit integers: pid, uid, gid.
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    internal static LocalPeer Of(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        var numbers = MemoryMarshal.Cast<byte, int>(credentials);
        return new LocalPeer(numbers[0], numbers[1]);
    }
}

/// <summary>The listener that took a connection. Set per connection, so it cannot be forged by a header.</summary>
/// <param name="Name">The listener's name.</param>
/// <param name="IsLoopback">True when the socket is bound to loopback or is the Unix socket; not when it merely was
/// reached through it.</param>
/// <param name="IsUnixSocket">True for <c>api.sock</c>.</param>
public sealed record ListenerBinding(string Name, bool IsLoopback, bool IsUnixSocket)
{
    /// <summary>True when proxies end TLS in front of it, so that what comes from elsewhere came over TLS.</summary>
    public bool TlsTerminated { get; init; }
}

/// <summary>What a request's connection says about where it came in.</summary>
public static class ConnectionFacts
{
    /// <summary>Null in a test without a listener.</summary>
    public static ListenerBinding? Listener(this HttpContext context) => context.Features.Get<ListenerBinding>();

    /// <summary>The caller's process, for a request over the Unix socket; null otherwise.</summary>
    public static LocalPeer? LocalPeer(this HttpContext context) => context.Features.Get<LocalPeer>();
}
