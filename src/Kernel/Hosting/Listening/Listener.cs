using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>
/// One server with its own sockets, route table and pipeline. The web framework's container lives in here and is not
/// seen outside: modules are composed by hand.
/// </summary>
internal sealed partial class Listener : IAsyncDisposable
{
    private readonly ListenerDefinition definition;
    private readonly ListenerOptions options;
    private readonly ListenersOptions shared;
    private readonly FaultWords words = new();
    private readonly RequestSteps steps;
    private readonly TlsCertificate? certificate;
    private readonly WebApplication app;
    private readonly ILogger logger;
    private readonly List<EndPoint> bound = []; // Filled while the server starts; read after.
    private readonly List<Socket> sockets = []; // The same.
    private RequestDelegate? handler; // Of HTTP/2, beside whoever has HTTP/1.
    private Func<ConnectionContext, Task<bool>>? http1;
    private ConnectionDelegate? connections;
    private IConnectionGuard? guard;
    private bool mapped;

    public Listener(
        ListenerDefinition definition, ListenersOptions shared, RequestGuards guards, TimeProvider time,
            ILoggerFactory logs)
    {
        this.definition = definition;
        this.shared = shared;
        options = ListenerRules.For(definition, shared);
        logger = logs.CreateLogger($"Groundwork.Listener.{definition.Name}");
        steps = new RequestSteps(guards, options, words, logger);
        if (options.Tls is { } tls) certificate = new TlsCertificate(definition.Name, tls, time, logger);
        app = Build(logs);
    }

    public string Name => definition.Name;

    /// <summary>
    /// Where it really listens, once started: a configured port 0 or a taken port has become another.
    /// </summary>
    public IReadOnlyList<EndPoint> Bound => bound;

    /// <summary>What it listens with, but for Unix sockets.</summary>
    public IEnumerable<Socket> Sockets => sockets.Where(socket => socket.AddressFamily != AddressFamily.Unix);

    public string Scheme => IsSecure ? "https" : "http";

    private bool IsSecure => certificate is not null || definition.IsSecure;

    public void Map(Action<IEndpointRouteBuilder> map)
    {
        if (handler is not null || connections is not null) throw OneOwner();
        mapped = true;
        map(app);
    }

    public void WordFaults(PathString below, Func<HttpContext, Fault, Task> write) => words.Add(below, write);

    public void Serve(Func<ConnectionContext, Task<bool>> ofHttp1, RequestDelegate ofHttp2)
    {
        if (mapped || handler is not null || connections is not null) throw OneOwner();
        if (definition.Protocol != ListenerProtocol.Proxy)
            throw new InvalidOperationException($"Listener {Name} has routes of its own; map endpoints onto it.");
        (http1, handler) = (ofHttp1, ofHttp2);
    }

    public void Guard(IConnectionGuard by) => guard = guard is null ? by : throw OneOwner();

    public void Accept(ConnectionDelegate all)
    {
        if (definition.Protocol != ListenerProtocol.Tcp)
            throw new InvalidOperationException($"Listener {Name} speaks HTTP; map endpoints onto it.");
        if (mapped || handler is not null || connections is not null) throw OneOwner();
        connections = all;
    }

    /// <summary>
    /// The operations mapped here. Throws for one without a permission and for two owners of one path.
    /// </summary>
    public ImmutableArray<MappedEndpoint> Endpoints()
    {
        IEndpointRouteBuilder routes = app;
        return EndpointList.Of(Name, routes.DataSources.SelectMany(source => source.Endpoints));
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!mapped && handler is null && connections is null)
        {
            // One for protocols that are all off, or that do not run here.
            if (definition.CanBeOff) return;
            throw new InvalidOperationException($"Nothing is mapped onto the listener {Name}.");
        }
        certificate?.Load();
        if (connections is null)
            foreach (var step in handler is null ? steps.Routed : steps.Handled(handler)) step.Use(app);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (StartupException taken) when (ListenerRules.IsBesides(definition, shared))
        {
            LogNotBesides(Name, taken.Message);
            return;
        }
        foreach (var endPoint in bound) LogListening(Name, endPoint, Scheme);
    }

    /// <summary>Closes the sockets, waits for requests under way until the token ends, then cuts them.</summary>
    public Task StopAsync(CancellationToken patience) => app.StopAsync(patience);

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private WebApplication Build(ILoggerFactory logs)
    {
        // Empty, so that neither ASPNETCORE_* nor appsettings.json opens a port or changes a limit behind our
        // configuration.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "groundwork" });
        builder.Services.Replace(ServiceDescriptor.Singleton(logs));
        // The framework's own lifetime listens to SIGTERM and would stop one listener on its own.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        // How long a stop may take is the caller's token alone.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        builder.Services.Configure<SocketTransportOptions>(ConfigureSockets);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(ConfigureServer);
        if (definition.Protocol == ListenerProtocol.Proxy)
            builder.Services.Replace(ServiceDescriptor.Singleton<IMemoryPoolFactory<byte>>(new BlockPool.Factory()));
        builder.Services.AddRouting();
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json => ApiJson.Apply(json.SerializerOptions));
        if (Name == ListenerDefinition.Api) ApiDocument.Add(builder.Services);
        return builder.Build();
    }

    private void ConfigureSockets(SocketTransportOptions transport)
    {
        transport.Backlog = ListenerLimits.Backlog;
        transport.UnsafePreferInlineScheduling = shared.InlineScheduling;
        if (definition.Protocol == ListenerProtocol.Proxy)
            transport.MaxReadBufferSize = ListenerLimits.ProxyReadBufferBytes;
        transport.CreateBoundListenSocket = endPoint =>
        {
            // A well-known port is that one or none.
            var nextFreePort = shared.NextFreePort && !ListenerRules.IsBesides(definition, shared);
            var socket = ListenSocket.Bind(Name, endPoint, nextFreePort, shared.Inherited);
            sockets.Add(socket);
            // Never null once bound.
            bound.Add(socket.LocalEndPoint!);
            return socket;
        };
    }

    private void ConfigureServer(KestrelServerOptions server)
    {
        server.AddServerHeader = false;
        if (Name == ListenerDefinition.Gateway)
        {
            // What it passes on is not its to interpret: Latin-1 keeps every byte of a header as it is.
            server.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
            server.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
        }
        var limits = server.Limits;
        limits.MaxRequestBodySize = ListenerLimits.StreamedBodyBytes; // Lowered per endpoint by the body limit step.
        limits.MaxRequestHeaderCount = ListenerLimits.HeaderCount;
        limits.MaxRequestHeadersTotalSize = ListenerLimits.HeadersBytes;
        limits.MaxRequestLineSize = ListenerLimits.RequestLineBytes;
        limits.RequestHeadersTimeout = ListenerLimits.RequestHeadTimeout;
        limits.KeepAliveTimeout = ListenerLimits.KeepAlive;
        limits.MaxConcurrentConnections = ListenerLimits.Connections;
        limits.MaxConcurrentUpgradedConnections = ListenerLimits.Connections;
        limits.Http2.MaxStreamsPerConnection = ListenerLimits.Http2Streams;
        var address = ListenerRules.AddressOf(definition, options);
        server.Listen(address.ToEndPoint(), listen => Configure(listen, address.IsLoopback));
        if (Name == ListenerDefinition.Api && shared.ApiSocket is { } path)
            server.ListenUnixSocket(path, listen => Configure(listen, isLoopback: true));
    }

    private void Configure(ListenOptions listen, bool isLoopback)
    {
        var isUnixSocket = listen.EndPoint is UnixDomainSocketEndPoint;
        var binding = new ListenerBinding(Name, isLoopback, isUnixSocket)
        {
            TlsTerminated = !options.TlsTerminatedBy.IsEmpty,
        };
        listen.Use(next => connection => TakeAsync(connection, binding, next));
        if (definition.Protocol is ListenerProtocol.Grpc or ListenerProtocol.Proxy)
            listen.Protocols = HttpProtocols.Http2;
        else listen.Protocols = !IsSecure || isUnixSocket ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
        if (IsSecure && !isUnixSocket)
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = SecureAsync });
        if (definition.Protocol == ListenerProtocol.Proxy)
            listen.Use(next => connection => TakeHttpAsync(connection, next));
        if (definition.Protocol == ListenerProtocol.Tcp)
            listen.Run(connection => connections is { } accept
                ? accept(connection)
                : throw new InvalidOperationException($"Nothing accepts the connections of {Name}."));
    }

    private Task TakeAsync(ConnectionContext connection, ListenerBinding binding, ConnectionDelegate next)
    {
        connection.Features.Set(binding);
        if (binding.IsUnixSocket && connection.Features.Get<IConnectionSocketFeature>() is { } unix)
        {
            connection.Features.Set(LocalPeer.Of(unix.Socket));
            return next(connection);
        }
        if (!options.TlsTerminatedBy.IsEmpty && !IsTerminator(connection.RemoteEndPoint))
        {
            // What comes from elsewhere has travelled in clear.
            LogNotTerminated(Name, connection.RemoteEndPoint);
            connection.Abort();
            return Task.CompletedTask;
        }
        return guard is null ? next(connection) : guard.TakeAsync(connection, next);
    }

    private ValueTask<SslServerAuthenticationOptions> SecureAsync(TlsHandshakeCallbackContext handshake)
    {
        var secured = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate?.Current(),
            // Null: what the server software speaks, which on such a listener is HTTP/2 alone.
            ApplicationProtocols = definition.Protocol == ListenerProtocol.Proxy
                ? [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11]
                : null,
        };
        return guard is null
            ? new ValueTask<SslServerAuthenticationOptions>(secured)
            : guard.SecureAsync(handshake.Connection, handshake.ClientHelloInfo.ServerName, secured);
    }

    // HTTP/2 by the handshake or by how the connection begins; whatever else is left is HTTP/1, or to be refused as it.
    private async Task TakeHttpAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var chosen = connection.Features.Get<ITlsApplicationProtocolFeature>();
        var isHttp2 = chosen is not null
            && chosen.ApplicationProtocol.Span.SequenceEqual(SslApplicationProtocol.Http2.Protocol.Span);
        // Set before the listener starts, as is checked there.
        if (isHttp2 || !await http1!(connection)) await next(connection);
    }

    private bool IsTerminator(EndPoint? peer)
    {
        if (peer is not IPEndPoint { Address: var address }) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address)) return true;
        foreach (var network in options.TlsTerminatedBy)
            if (network.Contains(address)) return true;
        return false;
    }

    private InvalidOperationException OneOwner() => new($"Two owners want all of the listener {Name}.");

    [LoggerMessage(1, LogLevel.Information, "Listener {Listener} is open on {Address} ({Scheme})")]
    private partial void LogListening(string listener, EndPoint address, string scheme);

    [LoggerMessage(2, LogLevel.Warning, "Listener {Listener} refused {Peer}: not one of its tlsTerminatedBy")]
    private partial void LogNotTerminated(string listener, EndPoint? peer);

    [LoggerMessage(3, LogLevel.Warning, "The well-known port of {Listener} stays closed: {Reason}")]
    private partial void LogNotBesides(string listener, string reason);

    /// <summary>Starts at once and waits for nothing: the node decides when to stop.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
