using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Communication.Gateway.Content.Caching;
using Groundwork.Communication.Gateway.Drafting;
using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.Layer4;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Mirroring;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Communication.Gateway.Protocols.Xds;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.States;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Secrets;
using Groundwork.Services.Registry;

namespace Groundwork.Communication.Gateway;

/// <summary>The public edge: routes requests of the outside to instances that the registry knows.</summary>
/// <param name="registry">Gives the registry's view, or a follower's; asked once, when the registry has
/// started.</param>
public sealed class GatewayModule(Func<IRegistryView> registry, GatewayOptions options) : IModule
{
    internal const string ModuleName = "gateway";

    private GatewayEngine? engine; // Set by the start.
    private XdsService? xds; // The same.

    public string Name => ModuleName;

    public void Declare(ModuleDeclaration declaration)
    {
        declaration
            .Add(RouteKind.Kind)
            .Add(UpstreamKind.Kind)
            .Add(AccessListKind.Kind)
            .Add(TokenIssuerKind.Kind)
            .Add(SigningKeyKind.Kind)
            .Add(CertificateKind.Kind)
            .Add(GatewayListenerKind.Kind)
            .Add(TcpRouteKind.Kind)
            .Add(CachePurgeKind.Kind)
            .Add(OpenApiDocumentKind.Kind)
            .Add(ProtocolListeners.Grpc)
            .Add(ProtocolListeners.Xds)
            .Add(new ListenerDefinition(
                ListenerDefinition.Gateway, ListenerProtocol.Proxy, "127.0.0.1:8080", MayBindPlain: true));
        // Only where the process configuration names it: without a certificate it could speak with nobody.
        if (options.Listeners.Contains(ListenerDefinition.GatewayHttps))
            declaration.Add(new ListenerDefinition(
                ListenerDefinition.GatewayHttps, ListenerProtocol.Proxy, "127.0.0.1:8443", IsSecure: true));
        foreach (var name in options.Listeners.Where(
            name => name.StartsWith(TcpRouteTable.ListenerPrefix, StringComparison.Ordinal)))
            declaration.Add(new ListenerDefinition(
                name, ListenerProtocol.Sockets, "127.0.0.1:0", MayBindPlain: true));
    }

    public Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        var server = Build(
            new GatewayGround(node.Listeners, node.Snapshots, node.Time, node.Time, node.Logs)
            {
                SessionKey = node.SessionKey,
                OpenSpec = SecretSource.Of(node),
                Authenticate = node.Authenticator.AuthenticateKey,
                Counters = node.Cluster?.Counters,
            });
        var built = engine!; // By Build.
        node.Listeners.Map(
            ListenerDefinition.Api, new GatewayApi(built.Routes, built.Upstreams, node.Authorizer).Map);
        node.Listeners.Map(ListenerDefinition.Api, new IdentityKeysApi(built.Access.Signer).Map);
        node.Listeners.Map(
            ListenerDefinition.Api,
            new TrafficApi(built.Recorder, built.Window, built.UnderWay, node.Authorizer, node.Name).Map);
        node.Listeners.Map(
            ListenerDefinition.Api,
            new CacheApi(built.Cache, built.Routes, built.Calls, node.Changes, node.Authorizer, node.Time).Map);
        node.Listeners.Map(ListenerDefinition.Api, new StateApi(built, node.Authorizer, node.Name, node.Time).Map);
        var shares = new InstanceShares(node.Time);
        node.Listeners.Map(
            ListenerDefinition.Api,
            new DraftApi(
                built.Routes, built.Upstreams, node.Snapshots,
                new RequestTrial(built.Chooser, shares, options.MaxHops, node.Time), built.Recorder, node.Authorizer,
                options, node.Time, node.Name).Map);
        node.Listeners.Map(
            ListenerDefinition.Api,
            new GatewayPartsApi(
                built.Routes, built.Upstreams, built.Listening, node.Listeners, built.Chooser, shares, node.Snapshots,
                node.Authorizer, node.Name).Map);
        node.Metrics.Add(built.Figures);
        node.Metrics.Add(built.StateFigures);
        node.Metrics.Add(built.Access.Figures);
        node.Metrics.Add(built.Inspection);
        node.Metrics.Add(built.OpenApi);
        registry().Sights.Add(
            new GatewaySight(registry(), built.Routes, built.Upstreams, node.Authorizer));
        // A node that follows another has no clients of its own to tell: they ask the one with the store.
        if (node.Storage is not null) xds = XdsService.Start(node, registry());
        node.Listeners.Serve(ListenerDefinition.Gateway, server.ServeAsync, server.ServeAsync);
        if (node.Listeners.Has(ListenerDefinition.GatewayHttps))
            node.Listeners.Serve(ListenerDefinition.GatewayHttps, server.ServeAsync, server.ServeAsync);
        return Task.CompletedTask;
    }

    /// <summary>Requests that come meanwhile are still served; their connections are told to close.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        if (engine is not { } built) return;
        built.TcpRoutes.Close();
        var drained = Task.WhenAll(
            built.UnderWay.DrainAsync(), built.Tcp.DrainAsync(cancellationToken),
            xds?.DrainAsync(cancellationToken) ?? Task.CompletedTask);
        // The end of the host's patience is no failure: the listener cuts what is left.
        await Task.WhenAny(drained, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (xds is not null) await xds.DisposeAsync();
        if (engine is { } built) await built.DisposeAsync();
    }

    /// <summary>The public keys of <c>Groundwork-Identity</c>; for tests.</summary>
    internal string IdentityKeySet => engine?.Access.Signer.KeySet ?? "";

    /// <summary>Requests under way; for tests.</summary>
    internal int UnderWay => engine?.UnderWay.Count ?? 0;

    /// <summary>What has become of copies of requests; for tests, of a gateway that is built.</summary>
    internal MirrorSender Mirrored => engine!.Mirrors;

    /// <summary>What is kept of answers; null before the start.</summary>
    internal ResponseCache? Cache => engine?.Cache;

    /// <summary>Callers that limits remember; for tests.</summary>
    internal int LimitedCallers => engine?.Limits.Callers ?? 0;

    /// <summary>What <c>/metrics</c> says of it, and what is kept of its requests; for tests, once it is
    /// built.</summary>
    internal (GatewayFigures Figures, ExchangeRecorder Recorder) Seen => (engine!.Figures, engine.Recorder);

    /// <summary>All of it; for tests, once it is built.</summary>
    internal GatewayEngine Engine => engine!;

    /// <summary>What was found in requests that are looked through; for tests, once it is built.</summary>
    internal Inspection.InspectionFigures Inspected => engine!.Inspection;

    /// <summary>What became of requests that are held to a document; for tests, once it is built.</summary>
    internal OpenApi.OpenApiFigures HeldToDocuments => engine!.OpenApi;

    /// <summary>Connections of clients, exchanges in use, waits with a limit; for tests.</summary>
    internal (int Connections, int Exchanges, int Waits) Held => engine is { } built
        ? (built.Held.Connections, built.Held.Exchanges, built.WaitsForClients + built.WaitsForInstances)
        : default;

    /// <summary>Waits for instances that have a limit and are not over; for tests.</summary>
    internal int WaitsForInstances => engine?.WaitsForInstances ?? 0;

    internal GatewayServer Build(GatewayGround ground)
    {
        engine = new GatewayEngine(ground, registry(), options);
        return engine.Server;
    }
}
