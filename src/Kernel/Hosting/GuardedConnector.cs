using System.Net;
using System.Net.Sockets;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// Opens connections to hosts that others have named: resolves, asks the guard about each address, and connects to the
/// first that takes it.
/// </summary>
public sealed class GuardedConnector(AddressGuard guard)
{
    /// <summary>Addresses of one name that are tried: they share the caller's time.</summary>
    private const int MaxAddresses = 4;

    /// <summary>Connects; the caller owns the socket, and bounds the time by its token.</summary>
    /// <exception cref="SocketException">No address took it, or the name has none.</exception>
    /// <exception cref="AddressForbiddenException">Every address that could be tried is a forbidden one.</exception>
    public async Task<Socket> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(host, out var literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(host, cancellationToken);
        string? forbidden = null;
        SocketException? failed = null;
        foreach (var address in addresses.Take(MaxAddresses))
        {
            if (guard.Explain(address, port) is { } reason)
            {
                forbidden = reason;
                continue;
            }
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
                return socket;
            }
            catch (SocketException fault)
            {
                socket.Dispose();
                failed = fault;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        if (failed is not null) throw failed;
        throw forbidden is null
            ? new SocketException((int)SocketError.HostNotFound)
            : new AddressForbiddenException(forbidden);
    }

    /// <summary>The same, as <see cref="SocketsHttpHandler.ConnectCallback"/> has it.</summary>
    public async ValueTask<Stream> OpenAsync(
        SocketsHttpConnectionContext wanted, CancellationToken cancellationToken) =>
        new NetworkStream(
            await ConnectAsync(wanted.DnsEndPoint.Host, wanted.DnsEndPoint.Port, cancellationToken), ownsSocket: true);
}

/// <summary>The address is one that is never called.</summary>
/// <param name="reason">What it is, such as <c>a link-local address</c>.</param>
public sealed class AddressForbiddenException(string reason) : Exception($"the address is {reason}");
