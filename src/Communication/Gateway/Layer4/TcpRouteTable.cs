using System.Collections.Immutable;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Layer4;

/// <summary>
/// The TCP routes in force and the sockets that they listen with, kept in step with the snapshots. An address that is
/// taken is tried again until it is free.
/// </summary>
internal sealed partial class TcpRouteTable : IDisposable
{
    /// <summary>Before the name that a route gives, in the process configuration.</summary>
    public const string ListenerPrefix = "tcp-";

    /// <summary>Between two attempts to open an address that is taken.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private readonly Listeners listeners;
    private readonly CertificateTable certificates;
    private readonly TcpServer server;
    private readonly ILogger logger;
    private readonly Lock gate = new(); // Held to change any of these.
    private readonly Dictionary<string, Place> places = new(StringComparer.Ordinal);
    private readonly IDisposable subscription;
    private readonly ITimer retry;
    private ImmutableDictionary<ResourceKey, TcpRoute> routes = ImmutableDictionary<ResourceKey, TcpRoute>.Empty;
    private bool closed;

    public TcpRouteTable(
        ISnapshotSource snapshots, Listeners listeners, CertificateTable certificates, TcpServer server,
        TimeProvider time, ILogger<TcpRouteTable> logger)
    {
        this.listeners = listeners;
        this.certificates = certificates;
        this.server = server;
        this.logger = logger;
        retry = time.CreateTimer(static self => ((TcpRouteTable)self!).Retry(), this, RetryAfter, RetryAfter);
        subscription = snapshots.Subscribe(Apply); // Calls back at once with the current snapshot.
    }

    /// <summary>Where connections may go.</summary>
    public IEnumerable<Target> Targets => Volatile.Read(ref routes).Values.Select(route => route.Target);

    /// <summary>Takes no new connections.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            foreach (var place in places.Values) place.Close();
            places.Clear();
        }
    }

    public void Dispose()
    {
        subscription.Dispose();
        retry.Dispose();
        Close();
    }

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(TcpRouteKind.Name)) return;
        lock (gate)
        {
            if (closed) return;
            var next = ImmutableDictionary.CreateBuilder<ResourceKey, TcpRoute>();
            foreach (var (key, resource) in change.After.Of(TcpRouteKind.Name))
            {
                var known = routes.GetValueOrDefault(key)?.Connections;
                if (TcpRoute.TryCompile(resource, certificates, known) is { } route) next.Add(key, route);
                else LogSkipped(key);
            }
            Volatile.Write(ref routes, next.ToImmutable());
            var wanted = routes.Values.GroupBy(route => route.Spec.Listen, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => new TcpPort([.. group.OrderBy(route => route.Key)]));
            foreach (var gone in places.Keys.Where(listen => !wanted.ContainsKey(listen)).ToList())
            {
                places[gone].Close();
                places.Remove(gone);
            }
            foreach (var (listen, port) in wanted)
            {
                if (places.TryGetValue(listen, out var place)) place.Port = port;
                else places.Add(listen, place = new Place { Port = port });
                Open(listen, place);
            }
        }
    }

    private void Retry()
    {
        lock (gate)
            foreach (var (listen, place) in places) Open(listen, place);
    }

    private void Open(string listen, Place place)
    {
        if (place.Socket is not null) return;
        try
        {
            place.Socket = listeners.Open(
                ListenerPrefix + listen, TcpRouteRules.LoopbackOf(listen), socket => server.Serve(socket, place.Port));
        }
        catch (StartupException refused)
        {
            if (!place.IsTold) LogRefused(listen, refused.Fault.Detail);
            place.IsTold = true;
        }
    }

    /// <summary>One address, with its socket once that is open.</summary>
    private sealed class Place
    {
        private TcpPort? port;

        /// <summary>Changed under the gate, read by each connection.</summary>
        public TcpPort Port
        {
            get => Volatile.Read(ref port) ?? throw new InvalidOperationException("A place has routes.");
            set => Volatile.Write(ref port, value);
        }

        public IDisposable? Socket { get; set; }

        public bool IsTold { get; set; }

        public void Close()
        {
            Socket?.Dispose();
            Socket = null;
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The {Route} is not served: its target is not understood")]
    private partial void LogSkipped(ResourceKey route);

    [LoggerMessage(2, LogLevel.Error, "TCP routes of {Listen} wait for their address: {Why}")]
    private partial void LogRefused(string listen, string why);
}
