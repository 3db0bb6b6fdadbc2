using System.Net.Sockets;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>Opens connections to instances: resolves, asks the guard, and connects within the route's time.</summary>
internal sealed class UpstreamConnector(AddressGuard guard, TimeProvider time)
{
    private readonly GuardedConnector connector = new(guard);

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
            var socket = await connector.ConnectAsync(target.Host, target.Port, either.Token);
            patience.Deadline.Opened(patience.ResponseHead);
            return new UpstreamStream(new NetworkStream(socket, ownsSocket: true));
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
}

/// <summary>What an exchange grants the opening of its connection.</summary>
internal sealed record UpstreamPatience(TimeSpan Connect, TimeSpan ResponseHead, Deadline Deadline);

/// <summary>No connection was made, so nothing was sent. Travels inside what the HTTP client throws.</summary>
internal sealed class UpstreamConnectException(string message, Exception? cause = null) : Exception(message, cause);
