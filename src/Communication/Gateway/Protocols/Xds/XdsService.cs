using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>The discovery service of one node, from its start to its stop.</summary>
internal sealed partial class XdsService : IAsyncDisposable
{
    private readonly XdsStreams streams;
    private readonly XdsHosts hosts;
    private readonly CancellationTokenSource ending = new();
    private readonly Task looking;
    private readonly ILogger logger;

    private XdsService(XdsStreams streams, XdsHosts hosts, ILogger logger)
    {
        this.streams = streams;
        this.hosts = hosts;
        this.logger = logger;
        looking = LookAsync();
    }

    public static XdsService Start(Node node, IRegistryView registry)
    {
        var callers = new XdsCallers(
            node.Authenticator, node.Authorizer, happened => node.Audit?.Append(happened), node.Time);
        var all = new XdsStreams(registry, callers, node.Time);
        var routed = new XdsHosts(node.Snapshots);
        node.Metrics.Add(all);
        if (node.Listeners.Speaks(ProtocolListeners.Xds.Name)) registry.Sights.Add(new XdsSight(registry, all));
        node.Listeners.MapProtocol(
            ProtocolListeners.Xds.Name, new XdsApi(registry, routed, callers, all, node.Time, node.Logs).Map);
        return new XdsService(all, routed, node.Logs.CreateLogger<XdsService>());
    }

    /// <inheritdoc cref="XdsStreams.DrainAsync"/>
    public Task DrainAsync(CancellationToken cancellationToken) => streams.DrainAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await looking;
        ending.Dispose();
        streams.Dispose();
        hosts.Dispose();
    }

    private async Task LookAsync()
    {
        try
        {
            await Task.Run(() => streams.RunAsync(ending.Token));
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The module stops.
        }
        catch (Exception failure)
        {
            LogEnded(failure);
        }
    }

    [LoggerMessage(
        1, LogLevel.Critical, "The loop that looks for changes for xDS ended by itself; restart the node")]
    private partial void LogEnded(Exception failure);
}
