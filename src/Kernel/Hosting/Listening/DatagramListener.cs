using System.Net;
using System.Net.Sockets;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>A UDP socket and a TCP listener at one address and port, as DNS has them.</summary>
internal sealed partial class DatagramListener(
    string name, ListenAddress wanted, ListenersOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>What the datagram socket is called where sockets are handed on; no listener can be called so.</summary>
    private const string DatagramSuffix = "/udp";

    /// <summary>Bytes of datagrams that wait while the process is busy: some thousands of queries.</summary>
    private const int ReceiveBufferBytes = 4 * 1024 * 1024;

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
            if (connections is { } tcp) yield return (name, tcp.Socket);
            if (datagrams is { } udp) yield return (name + DatagramSuffix, udp);
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
        var (tcp, udp) = Bind();
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
            var tcp = ListenSocket.Bind(name, next.ToEndPoint(), options.NextFreePort, options.Inherited);
            var bound = (IPEndPoint)tcp.LocalEndPoint!; // Never null once bound.
            try
            {
                return (tcp, BindDatagrams(bound));
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse
                && (wanted.Port == 0 || options.NextFreePort) && tries < ListenerLimits.NextPortTries)
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
                        $"Listener {name} cannot bind {bound} for datagrams (UDP): {refused.Message}."),
                    refused);
            }
        }
    }

    private Socket BindDatagrams(IPEndPoint address)
    {
        if (options.Inherited.Take(name + DatagramSuffix, address, SocketType.Dgram) is { } open) return open;
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
}
