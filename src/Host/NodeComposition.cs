using System.Collections.Immutable;
using Groundwork.Communication.Dns;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Host.Pages;
using Groundwork.Host.Processes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Presentation;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Services.Settings;

namespace Groundwork.Host;

/// <summary>
/// Puts a node together by hand: the modules that the configuration selects, each given what it needs.
/// </summary>
internal static class NodeComposition
{
    /// <summary>Starts a node; when it returns, its listeners are open.</summary>
    /// <exception cref="StartupException">Something that the operator can mend is in the way.</exception>
    public static Task<NodeHost> StartAsync(
        ProcessConfiguration configuration, TimeProvider time, ConsoleLogs logs, CancellationToken cancellationToken)
    {
        SocketCompletions.Choose(inline: configuration.IsEdge);
        var modules = Modules(configuration);
        return NodeHost.StartAsync(
            new NodeHostParts(configuration, modules, time, logs)
            {
                Revision = logs.Revision,
                Inherited = InheritedSockets.OfProcess(),
                Pages = new ConsolePages(ConsoleFiles.Carried).Map,
            },
            cancellationToken);
    }

    /// <summary>Every module of the product, whatever runs here.</summary>
    public static ImmutableArray<IModule> All(ProcessConfiguration configuration)
    {
        var registry = new RegistryModule();
        return
        [
            registry,
            new SettingsModule(
                (@namespace, group, service, id) => configuration.Modules.Involves(registry.Name)
                    && registry.View.Find(new ServiceKey(@namespace, group, service)) is { } view
                    && view.Instances.Any(instance => instance.Key.Id == id)),
            new GatewayModule(
                () => registry.View,
                new GatewayOptions
                {
                    TrustedProxies = configuration.TrustedProxies,
                    LinkLocalUpstreams = configuration.LinkLocalUpstreams,
                    Zone = configuration.Zone,
                    AccessLog = configuration.AccessLog is { } log
                        ? new AccessLogOptions(
                            log.Path, log.IsCombined ? AccessLogFormat.Combined : AccessLogFormat.Json)
                        {
                            MaxFileBytes = log.Megabytes * 1024L * 1024,
                            KeptFiles = log.Files,
                        }
                        : null,
                    TraceHeaders = TraceHeadersOf(configuration),
                    Listeners = [.. configuration.Listeners.Keys],
                    FileRoots = configuration.FileRoots,
                    CacheMegabytes = configuration.CacheMegabytes,
                    MaxUnderWay = configuration.MaxRequestsUnderWay,
                }),
            new KeyValueModule(() => registry.Naming),
            new DnsModule(() => registry.View, configuration.TrustedProxies),
        ];
    }

    private static TraceHeaders TraceHeadersOf(ProcessConfiguration configuration) =>
        configuration.TraceHeaders.Aggregate(default(TraceHeaders), (all, name) => all | name switch
        {
            "b3" => TraceHeaders.B3,
            "b3-multi" => TraceHeaders.B3Multi,
            _ => TraceHeaders.W3C,
        });

    private static ImmutableArray<IModule> Modules(ProcessConfiguration configuration) =>
        [.. All(configuration).Where(module => configuration.Modules.Involves(module.Name))];
}
