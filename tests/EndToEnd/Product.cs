using Groundwork.Communication.Dns;
using Groundwork.Communication.Gateway;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Services.Settings;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>A node with every module of the product, in this process.</summary>
internal static class Product
{
    public static Task<RunningNode> StartAsync() => RunningNode.StartAsync([.. AllModules()]);

    private static IEnumerable<IModule> AllModules()
    {
        var registry = new RegistryModule();
        return
        [
            registry, new GatewayModule(() => registry.View, new GatewayOptions()), new SettingsModule(),
            new KeyValueModule(() => registry.Naming), new DnsModule(() => registry.View),
        ];
    }

    /// <summary>The gateway and the registry that it needs.</summary>
    public static IReadOnlyCollection<IModule> EdgeModules()
    {
        var registry = new RegistryModule();
        return [registry, new GatewayModule(() => registry.View, new GatewayOptions())];
    }
}
