using System.Collections.Immutable;
using Groundwork.Communication.Gateway;
using Groundwork.Host.Pages;
using Groundwork.Host.Processes;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Presentation;
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
                    FileRoots = configuration.FileRoots,
                }),
        ];
    }

    private static ImmutableArray<IModule> Modules(ProcessConfiguration configuration) =>
        [.. All(configuration).Where(module => configuration.Modules.Involves(module.Name))];
}
