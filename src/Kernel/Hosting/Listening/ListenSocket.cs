using System.Net;
using System.Net.Sockets;
using Groundwork.Wire;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>Binds the socket of a listener, and says who is in the way when that fails.</summary>
internal static class ListenSocket
{
    /// <summary>Only the owner of the process may connect; the peer's user id is asked besides.</summary>
    private const UnixFileMode SocketMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <param name="socketName">What it is called where sockets are handed on, if not as the listener.</param>
    public static Socket Bind(
        string listener, EndPoint endPoint, bool nextFreePort, InheritedSockets inherited,
        string? socketName = null) => endPoint switch
    {
        IPEndPoint wanted when inherited.Take(socketName ?? listener, wanted) is { } open => open,
        UnixDomainSocketEndPoint unix => BindUnix(listener, unix),
        IPEndPoint ip when nextFreePort && ip.Port != 0 => BindNext(listener, ip),
        _ => BindIp(listener, (IPEndPoint)endPoint),
    };

    /// <summary>Why an address cannot be bound, and what helps.</summary>
    public static string Why(SocketException refused) => refused.SocketErrorCode == SocketError.AccessDenied
        ? $"{refused.Message}; ports below 1024 need the capability CAP_NET_BIND_SERVICE (of systemd: "
            + "AmbientCapabilities), or the kernel's net.ipv4.ip_unprivileged_port_start"
        : refused.Message;

    private static Socket BindUnix(string listener, UnixDomainSocketEndPoint endPoint)
    {
        var path = endPoint.ToString() ?? throw new ArgumentException("The socket has no path.", nameof(endPoint));
        // Left behind by a process that was killed. The data directory's lock says that nobody uses it.
        File.Delete(path);
        try
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
            // Nobody can connect before Listen, which comes after this.
            File.SetUnixFileMode(path, SocketMode);
            return socket;
        }
        catch (SocketException refused)
        {
            throw new StartupException(
                new Fault(ErrorCodes.AddressUnavailable, $"Listener {listener} cannot open {path}: {refused.Message}."),
                    refused);
        }
    }

    private static Socket BindNext(string listener, IPEndPoint wanted)
    {
        var last = Math.Min(wanted.Port + ListenerLimits.NextPortTries, IPEndPoint.MaxPort);
        for (var port = wanted.Port; port < last; port++)
        {
            try
            {
                return SocketTransportOptions.CreateDefaultBoundListenSocket(new IPEndPoint(wanted.Address, port));
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one, then.
            }
        }
        return BindIp(listener, wanted);
    }

    private static Socket BindIp(string listener, IPEndPoint endPoint)
    {
        try
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new StartupException(
                new Fault(
                    ErrorCodes.AddressInUse,
                    $"Listener {listener} needs {endPoint}, and {PortHolder.Describe(endPoint.Port)} holds port "
                    + $"{endPoint.Port}."),
                taken);
        }
        catch (SocketException refused)
        {
            throw new StartupException(
                new Fault(ErrorCodes.AddressUnavailable,
                    $"Listener {listener} cannot bind {endPoint}: {Why(refused)}."), refused);
        }
    }
}
