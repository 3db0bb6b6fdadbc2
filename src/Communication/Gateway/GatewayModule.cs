using System.Net;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.Forwarding;
using Groundwork.Communication.Gateway.Limits;
using Groundwork.Communication.Gateway.Resilience;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Timing;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway;

/// <summary>The public edge: routes requests of the outside to instances that the registry knows.</summary>
/// <param name="registry">Gives the registry's view, or a follower's; asked once, when the registry has
/// started.</param>
public sealed class GatewayModule(Func<IRegistryView> registry, GatewayOptions options) : IModule
{
    internal const string ModuleName = "gateway";

    private readonly RequestsUnderWay underWay = new();
    private readonly GatewayCounters counters = new();
    private LimitMaker? limits;
    private ProcessGuard? guard;
    private readonly TrafficCounters traffic = new();
    private GatewayFigures? figures;
    private ExchangeRecorder? recorder;
    private TrafficWindow? window;
    private AccessLog? accessLog;
    private RouteTableView? routes;
    private UpstreamTable? upstreams;
    private AccessSteps? access;
    private InstancePools? pools;
    private Deadlines? ofInstances;
    private Deadlines? ofClients;

    public string Name => ModuleName;

    public void Declare(ModuleDeclaration declaration) => declaration
        .Add(RouteKind.Kind)
        .Add(UpstreamKind.Kind)
        .Add(AccessListKind.Kind)
        .Add(TokenIssuerKind.Kind)
        .Add(new ListenerDefinition(
            ListenerDefinition.Gateway, ListenerProtocol.Proxy, "127.0.0.1:8080", MayBindPlain: true));

    public Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        var server = Build(
            new GatewayGround(node.Listeners, node.Snapshots, node.Time, node.Time, node.Logs)
            {
                SessionKey = node.SessionKey,
                OpenSecrets = node.OpenSecrets,
                Counters = node.Cluster?.Counters,
            });
        // Not null: just built.
        node.Listeners.Map(ListenerDefinition.Api, new GatewayApi(routes!, node.Authorizer).Map);
        node.Listeners.Map(ListenerDefinition.Api, new IdentityKeysApi(access!.Signer).Map);
        node.Listeners.Map(
            ListenerDefinition.Api, new TrafficApi(recorder!, window!, underWay, node.Authorizer, node.Name).Map);
        node.Metrics.Add(figures!);
        node.Listeners.Serve(ListenerDefinition.Gateway, server.ServeAsync, server.ServeAsync);
        return Task.CompletedTask;
    }

    /// <summary>Requests that come meanwhile are still served; their connections are told to close.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        var drained = underWay.DrainAsync();
        // The end of the host's patience is no failure: the listener cuts what is left.
        await Task.WhenAny(drained, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken));
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        routes?.Dispose();
        access?.Dispose();
        upstreams?.Dispose();
        limits?.Dispose();
        guard?.Dispose();
        pools?.Dispose();
        ofInstances?.Dispose();
        ofClients?.Dispose();
        counters.Dispose();
        accessLog?.Dispose();
        window?.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>The public keys of <c>Groundwork-Identity</c>; for tests.</summary>
    internal string IdentityKeySet => access?.Signer.KeySet ?? "";

    /// <summary>Requests under way; for tests.</summary>
    internal int UnderWay => underWay.Count;

    /// <summary>Callers that limits remember; for tests.</summary>
    internal int LimitedCallers => limits?.Callers ?? 0;
    /// <summary>What <c>/metrics</c> says of it, and what is kept of its requests; for tests.</summary>
    internal (GatewayFigures Figures, ExchangeRecorder Recorder) Seen => (figures!, recorder!); // Once built.

    /// <summary>Waits for instances that have a limit and are not over; for tests.</summary>
    internal int WaitsForInstances => ofInstances?.Armed ?? 0;

    /// <summary>Requests that are not over; for tests.</summary>
    internal int RequestsUnderWay => underWay.Count;

    internal GatewayServer Build(GatewayGround ground)
    {
        var (listeners, snapshots, time, clientTime, logs) = ground;
        var view = registry();
        var addresses = new AddressGuard(
            () => listeners.Addresses.Values.SelectMany(all => all), options.LinkLocalUpstreams);
        upstreams = new UpstreamTable(
            snapshots,
            new UpstreamParts(
                addresses.Explain, static (name, stop) => Dns.GetHostAddressesAsync(name, stop), ground.SessionKey,
                time, logs.CreateLogger<UpstreamTable>()));
        var chooser = new InstanceChooser(view, upstreams, options, time, Random.Shared, traffic);
        var guards = new UpstreamGuards(upstreams, time, logs.CreateLogger<UpstreamGuards>());
        guard = new ProcessGuard(underWay, options, time);
        pools = new InstancePools(addresses, options, time);
        ofInstances = new Deadlines(time);
        ofClients = new Deadlines(clientTime);
        access = new AccessSteps(new AccessParts(
            snapshots, addresses, ground.SessionKey, ground.OpenSecrets, time, logs.CreateLogger<AccessSteps>()));
        limits = new LimitMaker(ground.Counters, time);
        var steps = new StepCompiler([
            access,
            limits,
        ]);
        routes = new RouteTableView(
            snapshots, steps,
            table =>
            {
                chooser.Retain(table.Targets);
                guards.Retain(table.Targets);
            },
            logs.CreateLogger<RouteTableView>());
        var answers = new OwnAnswers(snapshots, counters);
        var forwarder = new Forwarder(
            chooser, guards, view, answers, counters, time, logs.CreateLogger<Forwarder>());
        if (options.AccessLog is { } written)
            accessLog = new AccessLog(written, clientTime, logs.CreateLogger<AccessLog>());
        recorder = new ExchangeRecorder(traffic, new RequestRing(clientTime), accessLog, snapshots, clientTime);
        window = new TrafficWindow(traffic, clientTime);
        figures = new GatewayFigures(traffic, routes, chooser, pools, underWay, recorder);
        var requests = new GatewayRequests(
            routes, chooser, forwarder, answers, underWay, guard, recorder, options, clientTime,
            logs.CreateLogger<GatewayRequests>());
        var exchanges = new ExchangePool(pools, ofInstances, options.Client, options, clientTime);
        return new GatewayServer(requests, exchanges, ofClients, options.Client, clientTime);
    }
}
