using Groundwork.Kernel.Hosting;
using Groundwork.Services.Settings.Protocols.Spring.Sources;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>Spring Cloud Config, put together.</summary>
internal sealed class SpringProtocol : IAsyncDisposable
{
    private readonly ConfigSources sources;

    private SpringProtocol(ConfigSources sources) => this.sources = sources;

    public static SpringProtocol Map(Node node, SettingReader reader)
    {
        var callers = new ProtocolCallers(node.Authenticator, node.Authorizer, node.Audit);
        var configured = new ConfigSources(
            node,
            spec => new SettingsBackend(node.Snapshots, reader, node.Authorizer)
            {
                Order = spec?.Order ?? 0, IsFor = spec is null ? null : spec.IsFor,
            });
        var api = new SpringApi(new SpringEnvironments(() => configured.Backends), callers, node.Time);
        node.Listeners.MapProtocol(ProtocolListeners.SpringConfig.Name, api.MapShared, api.MapAlone);
        return new SpringProtocol(configured);
    }

    public ValueTask DisposeAsync() => sources.DisposeAsync();
}
