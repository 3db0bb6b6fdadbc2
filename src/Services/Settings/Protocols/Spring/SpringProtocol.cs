using Groundwork.Kernel.Hosting;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>Spring Cloud Config, put together.</summary>
internal sealed class SpringProtocol : IAsyncDisposable
{
    private SpringProtocol()
    {
    }

    public static SpringProtocol Map(Node node, SettingReader reader)
    {
        var callers = new ProtocolCallers(node.Authenticator, node.Authorizer, node.Audit);
        IConfigBackend[] backends = [new SettingsBackend(node.Snapshots, reader, node.Authorizer)];
        var api = new SpringApi(new SpringEnvironments(() => backends), callers, node.Time);
        node.Listeners.MapProtocol(ProtocolListeners.SpringConfig.Name, api.MapShared, api.MapAlone);
        return new SpringProtocol();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
