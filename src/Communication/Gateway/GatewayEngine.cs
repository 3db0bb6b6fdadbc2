using System.Net;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Callers;
using Groundwork.Communication.Gateway.Certificates;
using Groundwork.Communication.Gateway.Content.Caching;
using Groundwork.Communication.Gateway.Content.Calling;
using Groundwork.Communication.Gateway.Content.Composing;
using Groundwork.Communication.Gateway.Content.Compression;
using Groundwork.Communication.Gateway.Content.Cors;
using Groundwork.Communication.Gateway.Content.Files;
using Groundwork.Communication.Gateway.Content.Referers;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Forwarding;
using Groundwork.Communication.Gateway.Injection;
using Groundwork.Communication.Gateway.Inspection;
using Groundwork.Communication.Gateway.Layer4;
using Groundwork.Communication.Gateway.Limits;
using Groundwork.Communication.Gateway.Listening;
using Groundwork.Communication.Gateway.Mirroring;
using Groundwork.Communication.Gateway.OpenApi;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.SignedUrls;
using Groundwork.Communication.Gateway.States;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Timing;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway;

/// <summary>The gateway put together, by hand and in one place: from the addresses it may call to the server.</summary>
internal sealed class GatewayEngine : IAsyncDisposable
{
    private readonly GatewayCounters counters = new();
    private readonly TrafficCounters traffic = new();
    private readonly CertificateTable certificates;
    private readonly Listeners listeners;
    private readonly InstancePools pools;
    private readonly Deadlines ofInstances;
    private readonly Deadlines ofClients;
    private readonly AccessLog? accessLog;
    private readonly SignedUrlMaker signedUrls;
    private readonly OpenApiMaker openApi;

    public GatewayEngine(GatewayGround ground, IRegistryView registry, GatewayOptions options)
    {
        var (snapshots, time, clientTime, logs) = (ground.Snapshots, ground.Time, ground.ClientTime, ground.Logs);
        listeners = ground.Listeners;
        var addresses = new AddressGuard(
            () => listeners.Addresses.Values.SelectMany(all => all), options.LinkLocalUpstreams);
        certificates = new CertificateTable(
            snapshots, ground.OpenSpec, clientTime, logs.CreateLogger<CertificateTable>());
        Upstreams = new UpstreamTable(
            snapshots,
            new UpstreamParts(
                addresses.Explain, static (name, stop) => System.Net.Dns.GetHostAddressesAsync(name, stop),
                ground.SessionKey, time, logs.CreateLogger<UpstreamTable>())
            {
                Certificates = certificates,
            });
        var chooser = Chooser = new InstanceChooser(registry, Upstreams, options, time, Random.Shared, traffic);
        Guards = new UpstreamGuards(Upstreams, time, logs.CreateLogger<UpstreamGuards>());
        Guard = new ProcessGuard(UnderWay, options, time);
        pools = new InstancePools(addresses, options, time);
        ofInstances = new Deadlines(time);
        ofClients = new Deadlines(clientTime);
        var answers = new OwnAnswers(snapshots, counters);

        Access = new AccessSteps(new AccessParts(
            snapshots, registry, ground.Authenticate, addresses, ground.SessionKey, ground.OpenSpec, time,
            logs.CreateLogger<AccessSteps>()));
        Limits = new LimitMaker(ground.Counters, time);
        Mirrors = new MirrorSender(chooser, pools, time, logs.CreateLogger<MirrorSender>());
        Cache = new ResponseCache(options.CacheMegabytes * 1024L * 1024, snapshots, answers, counters, Calls, time);
        signedUrls = new SignedUrlMaker(snapshots, ground.OpenSpec, time, logs.CreateLogger<SignedUrlMaker>());
        Inspection = new InspectionFigures(time, logs.CreateLogger<InspectionFigures>());
        OpenApi = new OpenApiFigures(time, logs.CreateLogger<OpenApiFigures>());
        openApi = new OpenApiMaker(snapshots, OpenApi);
        var steps = Steps(answers, ground, options);

        Listening = new ListenerTable(snapshots, certificates, steps, options);
        var doors = new GatewayGuard(Listening, counters, clientTime);
        foreach (var name in new[] { ListenerDefinition.Gateway, ListenerDefinition.GatewayHttps })
            if (listeners.Has(name)) listeners.Guard(name, doors);
        Tcp = new TcpServer(
            new TcpParts(chooser, new GuardedConnector(addresses), registry, counters, ofClients, clientTime),
            logs.CreateLogger<TcpServer>());
        TcpRoutes = new TcpRouteTable(
            snapshots, listeners, certificates, Tcp, clientTime, logs.CreateLogger<TcpRouteTable>());
        Routes = new RouteTableView(
            snapshots, steps,
            table =>
            {
                var targets = table.Targets.Concat(TcpRoutes.Targets);
                chooser.Retain(targets);
                Guards.Retain(targets);
            },
            logs.CreateLogger<RouteTableView>());

        if (options.AccessLog is { } written)
            accessLog = new AccessLog(written, clientTime, logs.CreateLogger<AccessLog>());
        Recorder = new ExchangeRecorder(traffic, new RequestRing(clientTime), accessLog, snapshots, clientTime);
        Window = new TrafficWindow(traffic, clientTime);
        Figures = new GatewayFigures(traffic, Routes, chooser, pools, UnderWay, Recorder);
        var forwarder = new Forwarder(
            chooser, Guards, registry, answers, counters, time, logs.CreateLogger<Forwarder>());
        var requests = new GatewayRequests(
            Routes, chooser, forwarder, answers, UnderWay, Guard, Recorder, options,
            logs.CreateLogger<GatewayRequests>());
        var exchanges = new ExchangePool(pools, ofInstances, options.Client, options, clientTime);
        var inside = new ListenerState("", ListenerPlan.Compile(null, NetworkList.Empty, options.Client));
        StateFigures = new StateFigures(this, Guards);
        UpstreamStates = new UpstreamStates(Guards, chooser, clientTime);
        Calls.Serve(exchanges, requests, new Arrival(inside));
        Server = new GatewayServer(requests, exchanges, ofClients, Listening, clientTime);
    }

    public GatewayServer Server { get; }

    public RequestsUnderWay UnderWay { get; } = new();

    public RouteTableView Routes { get; }

    public UpstreamTable Upstreams { get; }

    public InstanceChooser Chooser { get; }

    public AccessSteps Access { get; }

    public LimitMaker Limits { get; }

    public MirrorSender Mirrors { get; }

    /// <summary>What is kept of answers.</summary>
    public ResponseCache Cache { get; }

    public ListenerTable Listening { get; }

    public ProcessGuard Guard { get; }

    public UpstreamGuards Guards { get; }

    public UpstreamStates UpstreamStates { get; }

    public StateFigures StateFigures { get; }

    /// <summary>Requests of the gateway's own.</summary>
    public InnerCalls Calls { get; } = new();

    public TcpServer Tcp { get; }

    public TcpRouteTable TcpRoutes { get; }

    public ExchangeRecorder Recorder { get; }

    public TrafficWindow Window { get; }

    public GatewayFigures Figures { get; }

    /// <summary>What was found in requests that are looked through.</summary>
    public InspectionFigures Inspection { get; }

    /// <summary>What became of requests that are held to a document.</summary>
    public OpenApiFigures OpenApi { get; }

    /// <summary>Connections of clients, of whatever protocol; and exchanges that somebody has.</summary>
    public (int Connections, int Exchanges) Held => (
        Listening.Of(ListenerDefinition.Gateway).Connections.All
            + Listening.Of(ListenerDefinition.GatewayHttps).Connections.All,
        Server.Exchanges.Out);

    /// <summary>Waits for clients that have a limit and are not over.</summary>
    public int WaitsForClients => ofClients.Armed;

    /// <summary>Waits for instances that have a limit and are not over.</summary>
    public int WaitsForInstances => ofInstances.Armed;

    /// <summary>True for a listener that this node has.</summary>
    public bool IsOpen(string listener) => listeners.Has(listener);

    // In no order: each step says at which stage it stands.
    private StepCompiler Steps(OwnAnswers answers, GatewayGround ground, GatewayOptions options) => new(
    [
        Access,
        Limits,
        new CorsMaker(answers),
        new RefererMaker(),
        new InspectionMaker(Inspection),
        openApi,
        signedUrls,
        new InjectionMaker(answers, ground.Time),
        new MirrorMaker(Mirrors),
        Cache,
        new FilesMaker(options.FileRoots, answers, counters, ground.ClientTime),
        new ComposeMaker(Calls, answers, ground.ClientTime),
        new CompressionMaker(),
    ]);

    /// <summary>Ends all of it, from where requests come in to where they go.</summary>
    public async ValueTask DisposeAsync()
    {
        TcpRoutes.Dispose();
        await Tcp.CutAsync();
        await Mirrors.DisposeAsync();
        Cache.Dispose();
        Routes.Dispose();
        Listening.Dispose();
        Access.Dispose();
        signedUrls.Dispose();
        openApi.Dispose();
        Limits.Dispose();
        Guard.Dispose();
        Guards.Dispose();
        Upstreams.Dispose();
        certificates.Dispose();
        pools.Dispose();
        ofInstances.Dispose();
        ofClients.Dispose();
        counters.Dispose();
        accessLog?.Dispose();
        Window.Dispose();
    }
}
