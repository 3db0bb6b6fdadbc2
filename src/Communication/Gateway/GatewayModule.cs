using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Forwarding;
using Groundwork.Communication.Gateway.Routing;
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
    private Forwarder? forwarder;

    public string Name => ModuleName;

    public void Declare(ModuleDeclaration declaration) => declaration
        .Add(RouteKind.Kind)
        .Add(new ListenerDefinition(
            ListenerDefinition.Gateway, ListenerProtocol.Http, "127.0.0.1:8080", MayBindPlain: true));

    public Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        node.Listeners.Handle(
            ListenerDefinition.Gateway, Build(node.Listeners, node.Snapshots, node.Time, node.Logs).HandleAsync);
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
        forwarder?.Dispose();
        counters.Dispose();
        return Task.CompletedTask;
    }

    internal GatewayRequests Build(
        Listeners listeners, Kernel.Resources.ISnapshotSource snapshots, TimeProvider time, ILoggerFactory logs)
    {
        var view = registry();
        var chooser = new InstanceChooser(view, options, time, Random.Shared);
        var guard = new AddressGuard(
            () => listeners.Addresses.Values.SelectMany(addresses => addresses), options.LinkLocalUpstreams);
        forwarder = new Forwarder(guard, options, time);
        routes = new RouteTableView(
            snapshots, table => chooser.Retain(table.Services), logs.CreateLogger<RouteTableView>());
        return new GatewayRequests(
            routes, snapshots, chooser, forwarder, view, underWay, counters, options, time,
                logs.CreateLogger<GatewayRequests>());
    }
}
