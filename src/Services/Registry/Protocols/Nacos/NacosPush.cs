using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Services.Registry.Watching;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>
/// Tells clients of changes by datagrams, as Nacos does. A datagram goes to the address that the client's own call came
/// from and to no other that it may name: who could name one would have us write to others.
/// </summary>
internal sealed partial class NacosPush : IMetricsSource, IDisposable
{
    /// <summary>Bytes of an acknowledgement: three short members.</summary>
    private const int MaxAcknowledgementBytes = 512;

    private static readonly TimeSpan TendInterval = TimeSpan.FromMilliseconds(500);

    private readonly InstanceRegistry registry;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly NacosSubscriptions subscriptions;
    private readonly WatchSession? session;
    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, Socket> sockets = []; // Guarded by the gate.
    private readonly CancellationTokenSource ending = new();
    private long lastNumber; // Interlocked.

    public NacosPush(InstanceRegistry registry, TimeProvider time, ILogger logger)
    {
        this.registry = registry;
        this.time = time;
        this.logger = logger;
        subscriptions = new NacosSubscriptions(time);
        session = registry.Watches.Open([], NacosWords.Protocol);
        // Above what an earlier process gave out, and exact as a number of JavaScript for centuries.
        lastNumber = time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
    }

    /// <summary>Follows a service for the caller; false when it cannot be pushed to.</summary>
    /// <param name="port">The caller's port for datagrams; 0: it wants none.</param>
    public bool Subscribe(HttpContext context, ServiceKey service, string clusters, int port, string? app)
    {
        if (port is < NacosLimits.MinPushPort or > ushort.MaxValue || session is null) return false;
        // Where a proxy ends TLS the caller's own address is not known.
        if (context.Listener() is { IsUnixSocket: true } or { TlsTerminated: true }) return false;
        if (Plain(context.Connection.RemoteIpAddress) is not { } peer
            || Plain(context.Connection.LocalIpAddress) is not { } local) return false;
        if (Find(local) is null) return false;
        var key = new SubscriptionKey(new IPEndPoint(peer, port), service, clusters);
        if (!subscriptions.See(key, Make, out var isFirst)) return false;
        if (isFirst) registry.Watches.Follow(session, service);
        return true;

        NacosSubscription Make() => new(
            key, local, ProtocolCalls.Clean(context.Request.Headers.UserAgent.ToString()),
            ProtocolCalls.Clean(app ?? ""));
    }

    public IReadOnlyList<NacosSubscription> SubscribersOf(ServiceKey service) => subscriptions.Of(service);

    /// <summary>Pushes what changes until the token ends.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (session is null) return;
        using var stop = session.Changed.EndWith(cancellationToken);
        var tending = TendAsync(session, cancellationToken);
        var touched = new List<ServiceState>();
        do
        {
            session.Take(touched);
            foreach (var service in touched) Push(session, service);
            touched.Clear();
            await Task.Delay(NacosLimits.PushCoalescing, time, cancellationToken);
        }
        while (await session.Changed.WaitAsync() != Woken.Ended);
        await tending;
    }

    public void Write(MetricsText text)
    {
        text.Family("groundwork_nacos_subscriptions", "gauge", "Subscriptions of services that are pushed to.");
        text.Sample(subscriptions.Count);
    }

    public void Dispose()
    {
        ending.Cancel();
        lock (gate)
        {
            foreach (var socket in sockets.Values) socket.Dispose();
            sockets.Clear();
        }
        ending.Dispose();
    }

    private void Push(WatchSession watch, ServiceState service)
    {
        try
        {
            // Before the lists are made, so that no more is said to be sent than is.
            var index = registry.FindFresh(service.Key)?.Index ?? 0;
            foreach (var same in subscriptions.Of(service.Key).GroupBy(one => one.Key.Clusters))
            {
                var list = NacosList.Of(registry, service.Key, same.Key, isHealthyOnly: false);
                // An empty list says nothing to clients that take none; to the others it might be a mistake of ours.
                if (list.Hosts.Count == 0) continue;
                foreach (var one in same) Push(one, list);
            }
            watch.Sent(service, index);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(service.Key, failure);
        }
    }

    private void Push(NacosSubscription to, NacosList list)
    {
        var number = Interlocked.Increment(ref lastNumber);
        var datagram = Datagram(list, number);
        if (datagram.Length > NacosLimits.MaxDatagramBytes) return;
        subscriptions.Begin(to, new PendingPush(number, datagram));
        Send(to, datagram);
    }

    /// <summary>Sends again what is not acknowledged, and ends subscriptions that nobody renews.</summary>
    private async Task TendAsync(WatchSession watch, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TendInterval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var (subscription, push) in subscriptions.TakeDue()) Send(subscription, push.Datagram);
            foreach (var service in subscriptions.Expire())
            {
                registry.Watches.Unfollow(watch, service);
                // Somebody may have come meanwhile, and found the service followed.
                if (subscriptions.Of(service).Count > 0) registry.Watches.Follow(watch, service);
            }
        }
    }

    private void Send(NacosSubscription to, ReadOnlyMemory<byte> datagram)
    {
        if (Find(to.Local) is not { } socket) return;
        try
        {
            socket.SendTo(datagram.Span, to.Key.Peer);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // It is sent again, and its client looks anyway; nobody listening there is the usual reason.
            LogUnsent(to.Key.Peer, failure.Message);
        }
    }

    private static byte[] Datagram(NacosList list, long number)
    {
        using var inner = new MemoryStream();
        using (var json = new Utf8JsonWriter(inner)) list.Write(json, NacosLimits.PushedCacheMilliseconds, number);
        using var outer = new MemoryStream();
        using (var json = new Utf8JsonWriter(outer))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "dom"u8);
            json.WriteString("data"u8, inner.GetBuffer().AsSpan(0, (int)inner.Length));
            json.WriteNumber("lastRefTime"u8, number);
            json.WriteEndObject();
        }
        if (outer.Length < NacosLimits.CompressedFrom) return outer.ToArray();
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) outer.WriteTo(zip);
        return packed.ToArray();
    }

    /// <summary>The socket of one of our addresses; null when there are too many or it cannot be made.</summary>
    private Socket? Find(IPAddress local)
    {
        lock (gate)
        {
            if (sockets.TryGetValue(local, out var known)) return known;
            if (sockets.Count >= NacosLimits.MaxPushSockets || ending.IsCancellationRequested) return null;
            var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                socket.Bind(new IPEndPoint(local, 0));
            }
            catch (SocketException failure)
            {
                LogNoSocket(local, failure.Message);
                socket.Dispose();
                return null;
            }
            sockets[local] = socket;
            _ = Task.Run(() => ReceiveAsync(socket, ending.Token));
            return socket;
        }
    }

    private async Task ReceiveAsync(Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxAcknowledgementBytes];
        var any = new IPEndPoint(
            socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, any, cancellationToken);
                if (ReadAcknowledgement(buffer.AsSpan(0, received.ReceivedBytes)) is { } number
                    && received.RemoteEndPoint is IPEndPoint from) subscriptions.Acknowledge(number, from);
            }
            catch (SocketException)
            {
                // An earlier datagram came back, or one that is too long: neither is an acknowledgement.
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static long? ReadAcknowledgement(ReadOnlySpan<byte> datagram)
    {
        try
        {
            var reader = new Utf8JsonReader(datagram);
            long? number = null;
            var isAcknowledgement = false;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isType, isNumber) = (reader.ValueTextEquals("type"u8), reader.ValueTextEquals("lastRefTime"u8));
                reader.Read();
                if (isType && reader.TokenType == JsonTokenType.String)
                    isAcknowledgement = reader.ValueTextEquals("push-ack"u8);
                else if (isNumber && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var given))
                    number = given;
                else reader.Skip();
            }
            return isAcknowledgement ? number : null;
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException)
        {
            return null; // Anybody may send us anything.
        }
    }

    private static IPAddress? Plain(IPAddress? address) =>
        address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;

    [LoggerMessage(Level = LogLevel.Error, Message = "The change of {Service} could not be pushed to Nacos's clients")]
    private partial void LogFailed(ServiceKey service, Exception failure);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A push to {Peer} was not sent: {Detail}")]
    private partial void LogUnsent(IPEndPoint peer, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No pushes leave from {Address}: {Detail}")]
    private partial void LogNoSocket(IPAddress address, string detail);
}
