using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire.Proxying;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>
/// Lets clients in: as many as the listener takes, behind what their proxy says of them, with the certificate for what
/// they ask for.
/// </summary>
internal sealed class GatewayGuard(ListenerTable listeners, GatewayCounters counters, TimeProvider time)
    : IConnectionGuard
{
    /// <summary>A fatal alert of TLS (RFC 8446, 6): its last byte says why.</summary>
    private const byte UnrecognizedName = 112;

    public async Task TakeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var binding = connection.Features.Get<ListenerBinding>();
        var listener = listeners.Of(binding?.Name);
        var plan = listener.Plan;
        if (!listener.Connections.TryEnter(plan.MaxConnections))
        {
            Refuse(connection, listener, "connections");
            return;
        }
        try
        {
            var arrival = new Arrival(listener);
            connection.Features.Set(arrival);
            var peer = AddressOf(connection);
            arrival.CameOverTls = binding is { TlsTerminated: true } && peer is not null && !IPAddress.IsLoopback(peer);
            if (plan.Caller.Proxies.Contains(peer) && !await ReadProxyAsync(connection, arrival, plan))
            {
                Refuse(connection, listener, "proxy header");
                return;
            }
            await TakeAsync(connection, listener, plan, next);
        }
        finally
        {
            listener.Connections.Leave();
        }
    }

    public async ValueTask<SslServerAuthenticationOptions> SecureAsync(
        ConnectionContext connection, string serverName, SslServerAuthenticationOptions options)
    {
        var arrival = connection.Features.Get<Arrival>();
        if ((arrival?.Plan ?? listeners.Of(connection.Features.Get<ListenerBinding>()?.Name).Plan).Tls is not { } tls)
            return options;
        var served = tls.Certificates.Select(serverName, options.ServerCertificateContext is not null);
        if (served is not null) options.ServerCertificateContext = served.Context;
        if (options.ServerCertificateContext is not { } context)
        {
            // Before anything of the handshake has gone out: the alert is all that the client gets.
            await connection.Transport.Output.WriteAsync(new byte[] { 21, 3, 3, 0, 2, 2, UnrecognizedName });
            throw new AuthenticationException($"There is no certificate for '{serverName}'.");
        }
        arrival?.Secured(serverName, served?.Hosts ?? ServedCertificate.HostsOf(context.TargetCertificate));
        tls.Apply(options);
        return options;
    }

    private async Task TakeAsync(
        ConnectionContext connection, ListenerState listener, ListenerPlan plan, ConnectionDelegate next)
    {
        var address = AddressOf(connection);
        if (!listener.Connections.TryEnter(address, plan.MaxConnectionsPerAddress))
        {
            Refuse(connection, listener, "connections of one address");
            return;
        }
        try
        {
            await next(connection);
        }
        finally
        {
            listener.Connections.Leave(address);
        }
    }

    // What the header says of the client is true of the connection from then on.
    private async ValueTask<bool> ReadProxyAsync(ConnectionContext connection, Arrival arrival, ListenerPlan plan)
    {
        using var patience = new CancellationTokenSource(plan.Limits.HeadTimeout, time);
        var input = connection.Transport.Input;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(patience.Token);
                switch (Read(read.Buffer, out var header, out var consumed))
                {
                    case ProxyProgress.Complete:
                        input.AdvanceTo(read.Buffer.GetPosition(consumed));
                        if (header.Source is { } source) connection.RemoteEndPoint = source;
                        if (header.IsTls) arrival.CameOverTls = true;
                        return true;
                    case ProxyProgress.Bad:
                        input.AdvanceTo(read.Buffer.End);
                        return false;
                    default:
                        input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                        if (read.IsCompleted) return false;
                        break;
                }
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException)
        {
            return false; // It took too long, or went away.
        }
    }

    private static ProxyProgress Read(in ReadOnlySequence<byte> bytes, out ProxyHeader header, out int consumed)
    {
        if (bytes.IsSingleSegment) return ProxyHeader.Read(bytes.FirstSpan, out header, out consumed);
        var some = bytes.Slice(0, Math.Min(bytes.Length, ProxyHeader.MaxBytes));
        Span<byte> begun = stackalloc byte[(int)some.Length];
        some.CopyTo(begun);
        return ProxyHeader.Read(begun, out header, out consumed);
    }

    private static IPAddress? AddressOf(ConnectionContext connection) =>
        (connection.RemoteEndPoint as IPEndPoint)?.Address is { } address
            ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address
            : null;

    // Without an answer: to write one costs what the bound is there to save.
    private void Refuse(ConnectionContext connection, ListenerState listener, string why)
    {
        counters.ConnectionRefused(listener.Name, why);
        connection.Abort(new ConnectionAbortedException($"The listener has its {why} reached."));
    }
}
