using Groundwork.Kernel.Hosting;
using Groundwork.Services.Settings.Protocols.Spring.Bus;
using Groundwork.Services.Settings.Protocols.Spring.Ciphers;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>Spring Cloud Config, put together.</summary>
internal sealed class SpringProtocol : IAsyncDisposable
{
    private readonly ConfigSources sources;
    private readonly CipherKeys keys;
    private readonly ConfigBuses buses;
    private readonly RefreshNews news;

    private SpringProtocol(ConfigSources sources, CipherKeys keys, ConfigBuses buses, RefreshNews news) =>
        (this.sources, this.keys, this.buses, this.news) = (sources, keys, buses, news);

    public static SpringProtocol Map(Node node, SettingReader reader)
    {
        var callers = new ProtocolCallers(
            node.Authenticator, node.Authorizer, happened => node.Audit?.Append(happened));
        var configured = new ConfigSources(
            node,
            spec => new SettingsBackend(node.Snapshots, reader, node.Authorizer)
            {
                Order = spec?.Order ?? 0, IsFor = spec is null ? null : spec.IsFor,
            });
        var ciphers = new CipherKeys(node.Snapshots, node.OpenSecrets, node.Logs.CreateLogger<CipherKeys>());
        var values = new CipherValues(ciphers, node.Authorizer, node.Audit);
        var api = new SpringApi(new SpringEnvironments(() => configured.Backends, values), callers, node.Time);
        var cipherApi = new CipherApi(ciphers, callers, node.Audit, node.Time);
        var told = new ConfigBuses(node);
        var waiting = new RefreshNews(told, node.Time);
        waiting.Start();
        var monitor = new MonitorApi(configured, told, waiting, callers, node.Authorizer, node.Time);
        node.Listeners.MapProtocol(
            ProtocolListeners.SpringConfig.Name,
            endpoints => Map(endpoints.MapGroup(SpringApi.Prefix), skip: 1, "config"),
            endpoints => Map(endpoints, skip: 0, "root"));
        node.Listeners.WordFaults(
            ProtocolListeners.SpringConfig.Name, SpringApi.Prefix,
            (context, fault) => BootAnswers.FailAsync(context, fault, node.Time));
        return new SpringProtocol(configured, ciphers, told, waiting);

        void Map(IEndpointRouteBuilder endpoints, int skip, string at)
        {
            api.Map(endpoints, skip, at);
            cipherApi.Map(endpoints, at);
            monitor.Map(endpoints, at);
        }
    }

    public async ValueTask DisposeAsync()
    {
        keys.Dispose();
        await news.DisposeAsync();
        await buses.DisposeAsync();
        await sources.DisposeAsync();
    }
}
