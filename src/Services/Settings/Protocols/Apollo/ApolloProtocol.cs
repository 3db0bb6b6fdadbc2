using Groundwork.Kernel.Hosting;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Releases;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Protocols.Apollo;

/// <summary>Apollo, put together.</summary>
internal sealed class ApolloProtocol : IAsyncDisposable
{
    private readonly ApolloNews news;
    private readonly ApolloApps apps;

    private ApolloProtocol(ApolloNews news, ApolloApps apps) => (this.news, this.apps) = (news, apps);

    /// <param name="draining">Ends polls that wait; their clients ask again.</param>
    public static ApolloProtocol Map(
        Node node, SettingReader reader, LiveReaders readers, GrayReleases releases, CancellationToken draining)
    {
        var changes = new ApolloNews(node.Snapshots, releases, node.Logs.CreateLogger<ApolloNews>());
        var signing = new ApolloApps(node.Snapshots, node.OpenSecrets, node.Logs.CreateLogger<ApolloApps>());
        var configs = new ApolloConfigs(reader, node.Authorizer);
        var polls = new ApolloPolls(changes, configs, node.Snapshots, node.Authorizer, node.Time);
        var callers = new ProtocolCallers(
            node.Authenticator, node.Authorizer, happened => node.Audit?.Append(happened));
        var api = new ApolloApi(
            configs, polls, new ApolloCallers(callers, signing, node.Time), node.Snapshots, readers,
            node.Time, draining);
        node.Listeners.MapProtocol(ProtocolListeners.Apollo.Name, api.MapShared, api.MapAlone);
        node.Listeners.WordFaults(ProtocolListeners.Apollo.Name, ApolloApi.Prefix, api.FailAsync);
        return new ApolloProtocol(changes, signing);
    }

    public async ValueTask DisposeAsync()
    {
        apps.Dispose();
        await news.DisposeAsync();
    }
}
