using System.Net;
using System.Net.Sockets;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>Opens connections to instances: resolves, asks the guard, and connects within the route's time.</summary>
internal sealed class UpstreamConnector(AddressGuard guard, TimeProvider time)
{
    /// <summary>Addresses of one name that are tried: they share the time-out.</summary>
    private const int MaxAddresses = 4;

    /// <summary>Carries the exchange that a connection is opened for.</summary>
    public static readonly HttpRequestOptionsKey<UpstreamPatience> Patience = new("patience");

    public async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (!context.InitialRequestMessage.Options.TryGetValue(Patience, out var patience))
            throw new InvalidOperationException("A request to an instance has no patience set.");
        var target = context.DnsEndPoint;
        using var timeout = new CancellationTokenSource(patience.Connect, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            var stream = await ConnectAsync(target, either.Token);
            patience.Deadline.Opened(patience.ResponseHead);
            return stream;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested
            && !cancellationToken.IsCancellationRequested)
        {
            throw new UpstreamConnectException($"no connection within {patience.Connect.TotalMilliseconds} ms");
        }
        catch (SocketException fault)
        {
            throw new UpstreamConnectException(fault.Message, fault);
        }
    }

    private async Task<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(target.Host, out var literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(target.Host, cancellationToken);
        string? forbidden = null;
        SocketException? failed = null;
        foreach (var address in addresses.Take(MaxAddresses))
        {
            if (guard.Explain(address, target.Port) is { } reason)
            {
                forbidden = reason;
                continue;
            }
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, target.Port), cancellationToken);
                return new UpstreamStream(new NetworkStream(socket, ownsSocket: true));
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
            ? new UpstreamConnectException("the name has no address")
            : new UpstreamForbiddenException(forbidden);
    }
}

/// <summary>What an exchange grants the opening of its connection.</summary>
internal sealed record UpstreamPatience(TimeSpan Connect, TimeSpan ResponseHead, Deadline Deadline);

/// <summary>No connection was made, so nothing was sent. Travels inside what the HTTP client throws.</summary>
internal sealed class UpstreamConnectException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The address is one that the gateway never calls. Travels inside what the HTTP client throws.</summary>
internal sealed class UpstreamForbiddenException(string reason) : Exception($"the address is {reason}");
