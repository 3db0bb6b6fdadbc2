using System.Net.Security;
using System.Net.Sockets;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Communication.Gateway.Calling;

/// <summary>
/// The connections to one instance. Kept ones lie in stacks, one for each processor, and the one that came back last is
/// taken first: what a processor has just used is in its cache, and what nobody needs grows old. A processor without
/// any takes from the others before it opens one.
/// </summary>
internal sealed class InstancePool : IDisposable
{
    private readonly Shard[] shards;
    private readonly Uri address;
    private readonly Upstreams.UpstreamTls? tls;
    private readonly GuardedConnector connector;
    private readonly GatewayOptions options;
    private readonly TimeProvider time;
    private int open; // Interlocked.
    private long usedAt; // Timestamp of the last request.
    private bool retired; // Written once, by the sweep.

    public InstancePool(Upstream upstream, GuardedConnector connector, GatewayOptions options, TimeProvider time)
    {
        address = upstream.Address;
        tls = upstream.Tls;
        this.connector = connector;
        this.options = options;
        this.time = time;
        Authority = System.Text.Encoding.ASCII.GetBytes(upstream.Authority ?? address.Authority);
        shards = new Shard[Environment.ProcessorCount];
        for (var index = 0; index < shards.Length; index++) shards[index] = new Shard();
        Streams = new InstanceStreams(ConnectAsync, options);
    }

    public Uri Address => address;

    /// <summary>The connections to an instance that speaks HTTP/2.</summary>
    public InstanceStreams Streams { get; }

    /// <summary>What a request to the instance says under Host.</summary>
    public byte[] Authority { get; }

    public int Open => Volatile.Read(ref open);

    /// <summary>A kept connection that can be used; null when there is none.</summary>
    /// <param name="now">Timestamp.</param>
    public InstanceConnection? TryTake(long now)
    {
        var own = Thread.GetCurrentProcessorId() % shards.Length;
        Volatile.Write(ref usedAt, now);
        for (var step = 0; step < shards.Length; step++)
        {
            var shard = shards[(own + step) % shards.Length];
            while (shard.Pop() is { } connection)
            {
                if (connection.IsQuiet && time.GetElapsedTime(connection.OpenedAt, now) < options.UpstreamLifetime)
                    return connection;
                Close(connection);
            }
        }
        return null;
    }

    /// <summary>Takes a place for a request over HTTP/2; false when there are as many as there may be.</summary>
    public bool TryEnter()
    {
        Volatile.Write(ref usedAt, time.GetTimestamp());
        if (Interlocked.Increment(ref open) <= options.MaxRequestsPerInstance) return true;
        Leave();
        return false;
    }

    /// <summary>Gives that place back.</summary>
    public void Leave() => Interlocked.Decrement(ref open);

    /// <summary>Opens a connection within the limit.</summary>
    public async ValueTask<(InstanceConnection? Connection, CallFailure Failure, Exception? Cause)> OpenAsync(
        TimeSpan limit)
    {
        if (Interlocked.Increment(ref open) > options.MaxRequestsPerInstance)
        {
            Interlocked.Decrement(ref open);
            return (null, CallFailure.Full, null);
        }
        Socket? socket = null;
        SslStream? secure = null;
        var opened = false;
        using var patience = new CancellationTokenSource(limit, time);
        try
        {
            socket = await connector.ConnectAsync(address.IdnHost.Trim('[', ']'), address.Port, patience.Token);
            if (address.Scheme == Uri.UriSchemeHttps)
            {
                secure = new SslStream(new NetworkStream(socket, ownsSocket: true));
                await secure.AuthenticateAsClientAsync(SecurityOptions(), patience.Token);
            }
            opened = true;
            return (new InstanceConnection(socket, secure, time.GetTimestamp()), CallFailure.None, null);
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException or IOException
            or AddressForbiddenException or System.Security.Authentication.AuthenticationException)
        {
            return (null, fault is AddressForbiddenException ? CallFailure.Forbidden : CallFailure.Connect, fault);
        }
        finally
        {
            if (!opened)
            {
                Interlocked.Decrement(ref open);
                if (secure is not null) await secure.DisposeAsync();
                socket?.Dispose();
            }
        }
    }

    private SslClientAuthenticationOptions SecurityOptions()
    {
        var host = address.IdnHost.Trim('[', ']');
        var secured = tls?.For(host) ?? new SslClientAuthenticationOptions { TargetHost = host };
        secured.ApplicationProtocols = [SslApplicationProtocol.Http11];
        return secured;
    }

    /// <summary>Keeps a connection whose exchange is over, to its last byte both ways.</summary>
    /// <param name="now">Timestamp; one of a little while ago will do.</param>
    public void Keep(InstanceConnection connection, long now)
    {
        if (Volatile.Read(ref retired) || time.GetElapsedTime(connection.OpenedAt, now) >= options.UpstreamLifetime)
        {
            Close(connection);
            return;
        }
        connection.IsReused = true;
        connection.KeptAt = now;
        try
        {
            connection.ReadAhead();
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            Close(connection);
            return;
        }
        shards[Thread.GetCurrentProcessorId() % shards.Length].Push(connection);
    }

    public void Close(InstanceConnection connection)
    {
        connection.Dispose();
        Interlocked.Decrement(ref open);
    }

    /// <summary>Closes what has been kept for too long. True when the pool itself is of no more use.</summary>
    public bool Sweep()
    {
        foreach (var shard in shards)
            foreach (var connection in shard.TakeWhere(IsOld)) Close(connection);
        if (Open > 0 || time.GetElapsedTime(Volatile.Read(ref usedAt)) <= options.UpstreamLifetime) return false;
        // Somebody may have found it just now: what comes back then is not kept, since nobody would look after it.
        Volatile.Write(ref retired, true);
        return true;
    }

    public void Dispose()
    {
        Volatile.Write(ref retired, true);
        Streams.Dispose();
        foreach (var shard in shards)
            foreach (var connection in shard.TakeWhere(static _ => true)) Close(connection);
    }

    private async ValueTask<Stream> ConnectAsync(System.Net.DnsEndPoint place, CancellationToken stop) =>
        new NetworkStream(await connector.ConnectAsync(place.Host.Trim('[', ']'), place.Port, stop), ownsSocket: true);

    private bool IsOld(InstanceConnection connection) =>
        !connection.IsQuiet || time.GetElapsedTime(connection.KeptAt) >= options.UpstreamIdle;

    /// <summary>The kept connections of one processor.</summary>
    private sealed class Shard
    {
        private readonly Lock gate = new();
        private readonly List<InstanceConnection> kept = []; // Under the gate; the newest last.

        public InstanceConnection? Pop()
        {
            lock (gate)
            {
                if (kept.Count == 0) return null;
                var last = kept[^1];
                kept.RemoveAt(kept.Count - 1);
                return last;
            }
        }

        public void Push(InstanceConnection connection)
        {
            lock (gate) kept.Add(connection);
        }

        public List<InstanceConnection> TakeWhere(Predicate<InstanceConnection> chosen)
        {
            lock (gate)
            {
                var taken = new List<InstanceConnection>();
                kept.RemoveAll(connection =>
                {
                    if (!chosen(connection)) return false;
                    taken.Add(connection);
                    return true;
                });
                return taken;
            }
        }
    }
}

/// <summary>The pools of all instances that are called.</summary>
internal sealed class InstancePools : IDisposable
{
    /// <summary>How often kept connections are looked through: they may idle up to so much longer.</summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly System.Collections.Concurrent.ConcurrentDictionary<Upstream, InstancePool> pools = new();
    private readonly GuardedConnector connector;
    private readonly GatewayOptions options;
    private readonly TimeProvider time;
    private readonly ITimer timer;

    public InstancePools(AddressGuard guard, GatewayOptions options, TimeProvider time)
    {
        connector = new GuardedConnector(guard);
        this.options = options;
        this.time = time;
        timer = time.CreateTimer(static self => ((InstancePools)self!).Sweep(), this, SweepEvery, SweepEvery);
    }

    /// <summary>The pool of an instance; the gateway's memory of the instance stands for it.</summary>
    public InstancePool Of(Upstream upstream)
    {
        if (pools.TryGetValue(upstream, out var known)) return known;
        return pools.GetOrAdd(
            upstream,
            static (key, self) => new InstancePool(key, self.connector, self.options, self.time),
            this);
    }

    /// <summary>Connections to an instance, used or kept.</summary>
    public int OpenTo(Upstream upstream) => pools.TryGetValue(upstream, out var pool) ? pool.Open : 0;

    public void Dispose()
    {
        timer.Dispose();
        foreach (var pool in pools.Values) pool.Dispose();
    }

    private void Sweep()
    {
        foreach (var (upstream, pool) in pools)
            if (pool.Sweep() && pools.TryRemove(upstream, out _)) pool.Streams.Rest();
    }
}
