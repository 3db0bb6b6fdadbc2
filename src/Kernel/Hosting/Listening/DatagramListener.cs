using System.Net;
using System.Net.Sockets;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>A UDP socket and a TCP listener at one address and port, as DNS has them.</summary>
/// <param name="isBesides">True for a well-known port beside its own: where it cannot be open, the rest is.</param>
internal sealed partial class DatagramListener(
    string name, ListenAddress wanted, bool isBesides, ListenersOptions options, TimeProvider time, ILogger logger)
    : IDisposable
{
    /// <summary>What the sockets of a well-known port are called where sockets are handed on.</summary>
    private const string BesidesSuffix = "/well-known";

    /// <summary>What the datagram socket is called where sockets are handed on; no listener can be called so.</summary>
    private const string DatagramSuffix = "/udp";

    /// <summary>Bytes of datagrams that wait while the process is busy: some thousands of queries.</summary>
    private const int ReceiveBufferBytes = 4 * 1024 * 1024;

    // Any other port would be no well-known one.
    private readonly bool nextFreePort = options.NextFreePort && !isBesides;
    private readonly string socketName = isBesides ? name + BesidesSuffix : name;
    private Func<Socket, IDisposable>? take;
    private Action<Socket>? connection;
    private Socket? datagrams;
    private IDisposable? receiving;
    private SocketListener? connections;

    public string Name => name;

    /// <summary>Where it listens; null while it does not.</summary>
    public IPEndPoint? Address => connections?.Address;

    /// <summary>What it listens with.</summary>
    public IEnumerable<(string Name, Socket Socket)> Sockets
    {
        get
        {
            if (connections is { } tcp) yield return (socketName, tcp.Socket);
            if (datagrams is { } udp) yield return (socketName + DatagramSuffix, udp);
        }
    }

    public void Receive(Func<Socket, IDisposable> takeDatagrams, Action<Socket> takeConnection)
    {
        if (take is not null) throw new InvalidOperationException($"Two owners want all of the listener {name}.");
        (take, connection) = (takeDatagrams, takeConnection);
    }

    /// <exception cref="StartupException">The address is taken; its holder is named.</exception>
    public void Open()
    {
        if (take is null || connection is null)
            throw new InvalidOperationException($"Nothing receives the datagrams of {name}.");
        Socket tcp, udp;
        try
        {
            (tcp, udp) = Bind();
        }
        catch (StartupException refused) when (isBesides)
        {
            LogNotBesides(name, refused.Message);
            return;
        }
        datagrams = udp;
        connections = new SocketListener(name, tcp, connection, static () => { }, time, logger);
        receiving = take(udp);
    }

    public void Dispose()
    {
        connections?.Dispose();
        receiving?.Dispose();
        datagrams?.Dispose();
        (connections, receiving, datagrams) = (null, null, null);
    }

    private (Socket Tcp, Socket Udp) Bind()
    {
        var next = wanted;
        // A port may be free for the one and taken for the other: then another one where any will do.
        for (var tries = 0; ; tries++)
        {
            var tcp = ListenSocket.Bind(name, next.ToEndPoint(), nextFreePort, options.Inherited, socketName);
            var bound = (IPEndPoint)tcp.LocalEndPoint!; // Never null once bound.
            try
            {
                return (tcp, BindDatagrams(bound));
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse
                && (wanted.Port == 0 || nextFreePort) && tries < ListenerLimits.NextPortTries)
            {
                tcp.Dispose();
                if (wanted.Port != 0) next = wanted with { Port = bound.Port + 1 };
            }
            catch (SocketException refused)
            {
                tcp.Dispose();
                throw new StartupException(
                    new Fault(
                        refused.SocketErrorCode == SocketError.AddressAlreadyInUse
                            ? ErrorCodes.AddressInUse
                            : ErrorCodes.AddressUnavailable,
                        $"Listener {name} cannot bind {bound} for datagrams (UDP): {ListenSocket.Why(refused)}."),
                    refused);
            }
        }
    }

    private Socket BindDatagrams(IPEndPoint address)
    {
        if (options.Inherited.Take(socketName + DatagramSuffix, address, SocketType.Dgram) is { } open) return open;
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (address.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.ReceiveBufferSize = ReceiveBufferBytes;
            socket.Bind(address);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        LogOpen(name, address);
        return socket;
    }

    [LoggerMessage(1, LogLevel.Information, "Listener {Listener} is open on {Address} (udp)")]
    private partial void LogOpen(string listener, IPEndPoint address);

    [LoggerMessage(2, LogLevel.Warning, "The well-known port of {Listener} stays closed: {Reason}")]
    private partial void LogNotBesides(string listener, string reason);
}
