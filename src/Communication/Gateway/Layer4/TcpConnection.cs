using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Timing;
using Groundwork.Services.Registry;
using Groundwork.Wire.Proxying;
using Groundwork.Wire.Tls;

namespace Groundwork.Communication.Gateway.Layer4;

/// <summary>
/// One connection of a TCP route, from its first byte to its last: what its proxy says of it, whom it asks for, whether
/// it may, an instance, and then bytes both ways until both sides have ended.
/// </summary>
internal sealed class TcpConnection(Socket socket, TcpPort port, TcpParts parts) : IExpiring
{
    /// <summary>How long a client may take to say what it is asked for before it is let in.</summary>
    private static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Instances that are tried when they cannot be connected.</summary>
    private const int MaxAttempts = 3;

    /// <summary>The alert that says that there is nobody of that name (RFC 6066, 3).</summary>
    private static readonly byte[] UnrecognizedName = [21, 3, 3, 0, 2, 2, 112];

    private Socket? instance; // Set once, before anybody may abort it.

    /// <summary>Serves it to its end, and closes it. Never throws for what a peer does.</summary>
    public async Task ServeAsync()
    {
        var limit = parts.Deadlines.Add(this);
        using (socket)
        {
            try
            {
                socket.NoDelay = true;
                limit.Arm(HelloTimeout, this);
                await using var begun = new PeekedStream(new NetworkStream(socket, ownsSocket: false));
                await ServeAsync(begun, limit);
            }
            catch (Exception fault) when (fault is IOException or SocketException or ObjectDisposedException
                or AuthenticationException or OperationCanceledException)
            {
                // One of the two has gone, or its time is over: nobody is left to be told.
            }
            finally
            {
                parts.Deadlines.Remove(limit);
                instance?.Dispose();
            }
        }
    }

    public void Expire(object target) => Abort();

    /// <summary>Ends it at once, from any thread.</summary>
    public void Abort()
    {
        socket.Dispose();
        instance?.Dispose();
    }

    private async Task ServeAsync(PeekedStream begun, Deadline limit)
    {
        var source = Plain((IPEndPoint?)socket.RemoteEndPoint);
        var destination = Plain((IPEndPoint?)socket.LocalEndPoint);
        if (port.Proxies.Contains(source?.Address))
        {
            if (await ReadProxyAsync(begun) is not { } said)
            {
                parts.Counters.ConnectionRefused("tcp", "proxy header");
                return;
            }
            if (said.Source is not null) (source, destination) = (said.Source, said.Destination);
        }
        var isTls = false;
        var name = "";
        if (port.LooksAtNames && await ReadNameAsync(begun) is var hello) (isTls, name) = hello;
        if (port.Find(name) is not { } route || !route.Admits(source?.Address))
        {
            if (isTls) await begun.WriteAsync(UnrecognizedName);
            parts.Counters.ConnectionRefused("tcp", "nobody takes it");
            return;
        }
        if (!route.Connections.TryEnter(route.Spec.MaxConnections))
        {
            parts.Counters.ConnectionRefused("tcp", "connections");
            return;
        }
        try
        {
            if (!route.Connections.TryEnter(source?.Address, route.Spec.MaxConnectionsPerAddress))
            {
                parts.Counters.ConnectionRefused("tcp", "connections of one address");
                return;
            }
            try
            {
                await PassAsync(begun, route, source, destination, limit);
            }
            finally
            {
                route.Connections.Leave(source?.Address);
            }
        }
        finally
        {
            route.Connections.Leave();
        }
    }

    private async Task PassAsync(
        PeekedStream begun, TcpRoute route, IPEndPoint? source, IPEndPoint? destination, Deadline limit)
    {
        Stream client = begun;
        if (route.Tls() is { } tls)
        {
            var secured = new SslStream(begun, leaveInnerStreamOpen: true);
            client = secured;
            await secured.AuthenticateAsServerAsync((_, hello, _, _) => SecureAsync(begun, tls, hello), null, default);
        }
        limit.Disarm(); // Connecting has its own.
        await using var closing = client;
        if (await ConnectAsync(route, source?.Address) is not (var call, var to)) return;
        try
        {
            if (route.Spec.SendProxyProtocol)
            {
                var header = new byte[ProxyHeader.MaxWritten];
                await to.WriteAsync(header.AsMemory(0, ProxyHeader.WriteBinary(source, destination, header)));
            }
            await using var served = call.Upstream.Address.Scheme == Uri.UriSchemeHttps
                ? await SecureAsync(to, call.Upstream, route.ConnectTimeout)
                : to;
            var relay = new TcpRelay(this, limit, route.IdleTimeout);
            await relay.RunAsync(client, socket, served, instance!); // Set with the connection.
        }
        finally
        {
            await to.DisposeAsync();
            call.End();
        }
    }

    private static ValueTask<SslServerAuthenticationOptions> SecureAsync(
        PeekedStream begun, Listening.TlsRules tls, SslClientHelloInfo hello)
    {
        if (tls.Certificates.Select(hello.ServerName) is not { } served) return RefuseAsync(begun, hello.ServerName);
        var options = new SslServerAuthenticationOptions { ServerCertificateContext = served.Context };
        tls.Apply(options);
        return ValueTask.FromResult(options);

        static async ValueTask<SslServerAuthenticationOptions> RefuseAsync(PeekedStream to, string name)
        {
            await to.WriteAsync(UnrecognizedName);
            throw new AuthenticationException($"There is no certificate for '{name}'.");
        }
    }

    private static async Task<Stream> SecureAsync(Stream to, Upstream upstream, TimeSpan patience)
    {
        var host = upstream.Address.IdnHost.Trim('[', ']');
        var secured = new SslStream(to, leaveInnerStreamOpen: true);
        using var limit = new CancellationTokenSource(patience, TimeProvider.System);
        await secured.AuthenticateAsClientAsync(
            upstream.Tls?.For(host) ?? new SslClientAuthenticationOptions { TargetHost = host }, limit.Token);
        return secured;
    }

    private async ValueTask<(UpstreamCall Call, NetworkStream Stream)?> ConnectAsync(TcpRoute route, IPAddress? caller)
    {
        var destination = new Destination(route.Target, KeyOf(caller), null);
        Upstream? failed = null;
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            if (!parts.Chooser.Choose(destination, true, parts.Time.GetTimestamp(), failed)
                .TryGet(out var call, out _)) break;
            if (await ConnectAsync(call.Upstream, call, route.ConnectTimeout) is { } connected)
            {
                Volatile.Write(ref instance, connected);
                return (call, new NetworkStream(connected, ownsSocket: false));
            }
            call.End();
            failed = call.Upstream;
        }
        parts.Counters.ConnectionRefused("tcp", "no instance");
        return null;
    }

    private async ValueTask<Socket?> ConnectAsync(Upstream upstream, UpstreamCall call, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience, parts.Time);
        call.Asked(parts.Time.GetTimestamp());
        Socket? connected = null;
        try
        {
            connected = await parts.Connector.ConnectAsync(
                upstream.Address.IdnHost.Trim('[', ']'), upstream.Address.Port, limit.Token);
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException
            or Kernel.Hosting.AddressForbiddenException)
        {
            // The next one, then.
        }
        call.Heard(connected is not null, parts.Time.GetTimestamp());
        if (upstream.IsRegistered)
            parts.Registry.ReportOutcome(
                upstream.Key, connected is null ? CallOutcome.ConnectFailed : CallOutcome.Answered);
        if (connected is null) upstream.Ejection.Fail();
        else upstream.Ejection.Succeed();
        return connected;
    }

    private static async ValueTask<ProxyHeader?> ReadProxyAsync(PeekedStream begun)
    {
        while (true)
        {
            switch (ProxyHeader.Read(begun.Peeked.Span, out var header, out var consumed))
            {
                case ProxyProgress.Complete:
                    begun.Consume(consumed);
                    return header;
                case ProxyProgress.Bad:
                    return null;
                default:
                    if (!await begun.PeekMoreAsync()) return null;
                    break;
            }
        }
    }

    // Who speaks no TLS asks for nobody.
    private static async ValueTask<(bool IsTls, string Name)> ReadNameAsync(PeekedStream begun)
    {
        while (true)
        {
            switch (ClientHello.Read(begun.Peeked.Span, out var name))
            {
                case HelloProgress.Complete:
                    return (true, name);
                case HelloProgress.Bad:
                    return (false, "");
                default:
                    if (!await begun.PeekMoreAsync()) return (false, "");
                    break;
            }
        }
    }

    private static IPEndPoint? Plain(IPEndPoint? end) =>
        end is { Address.IsIPv4MappedToIPv6: true } ? new IPEndPoint(end.Address.MapToIPv4(), end.Port) : end;

    // One household has a /64 of IPv6, and changes addresses in it.
    private static ulong? KeyOf(IPAddress? address)
    {
        if (address is null) return null;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length); // 16 are enough for either family.
        return KeyHash.Of(bytes[..Math.Min(length, 8)]);
    }
}
