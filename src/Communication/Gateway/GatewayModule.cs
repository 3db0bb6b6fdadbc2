using System.Net;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Explaining;
using Groundwork.Communication.Gateway.Forwarding;
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
    private RouteTableView? routes;
    private UpstreamTable? upstreams;
    private InstancePools? pools;
    private Deadlines? ofInstances;
    private Deadlines? ofClients;

    public string Name => ModuleName;

    public void Declare(ModuleDeclaration declaration) => declaration
        .Add(RouteKind.Kind)
        .Add(UpstreamKind.Kind)
        .Add(new ListenerDefinition(
            ListenerDefinition.Gateway, ListenerProtocol.Proxy, "127.0.0.1:8080", MayBindPlain: true));

    public Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        var server = Build(node.Listeners, node.Snapshots, node.Time, node.Time, node.Logs, node.SessionKey);
        // Not null: just built.
        node.Listeners.Map(ListenerDefinition.Api, new GatewayApi(routes!, node.Authorizer).Map);
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
        upstreams?.Dispose();
        pools?.Dispose();
        ofInstances?.Dispose();
        ofClients?.Dispose();
        counters.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Waits for instances that have a limit and are not over; for tests.</summary>
    internal int WaitsForInstances => ofInstances?.Armed ?? 0;

    /// <summary>Requests that are not over; for tests.</summary>
    internal int RequestsUnderWay => underWay.Count;

    /// <param name="time">The clock by which instances are waited for.</param>
    /// <param name="clientTime">The clock by which clients are.</param>
    /// <param name="sessionKey">Signs sticky cookies.</param>
    internal GatewayServer Build(
        Listeners listeners,
        Kernel.Resources.ISnapshotSource snapshots,
        TimeProvider time,
        TimeProvider clientTime,
        ILoggerFactory logs,
        ReadOnlyMemory<byte> sessionKey = default)
    {
        var view = registry();
        var guard = new AddressGuard(
            () => listeners.Addresses.Values.SelectMany(addresses => addresses), options.LinkLocalUpstreams);
        upstreams = new UpstreamTable(
            snapshots,
            new UpstreamParts(
                guard.Explain, static (name, stop) => Dns.GetHostAddressesAsync(name, stop), sessionKey, time,
                logs.CreateLogger<UpstreamTable>()));
        var chooser = new InstanceChooser(view, upstreams, options, time, Random.Shared);
        pools = new InstancePools(guard, options, time);
        ofInstances = new Deadlines(time);
        ofClients = new Deadlines(clientTime);
        var steps = new StepCompiler([]);
        routes = new RouteTableView(
            snapshots, steps, table => chooser.Retain(table.Targets), logs.CreateLogger<RouteTableView>());
        var answers = new OwnAnswers(snapshots, counters);
        var forwarder = new Forwarder(chooser, view, answers, counters, logs.CreateLogger<Forwarder>());
        var requests = new GatewayRequests(
            routes, chooser, forwarder, answers, underWay, options, clientTime,
            logs.CreateLogger<GatewayRequests>());
        var exchanges = new ExchangePool(pools, ofInstances, options.Client, options, clientTime);
        return new GatewayServer(requests, exchanges, ofClients, options.Client, clientTime);
    }
}
