using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Services.Settings.Comparing;
using Groundwork.Services.Settings.Groups;
using Groundwork.Services.Settings.Protocols.Apollo;
using Groundwork.Services.Settings.Protocols.Nacos;
using Groundwork.Services.Settings.Protocols.Spring;
using Groundwork.Services.Settings.Protocols.Spring.Bus;
using Groundwork.Services.Settings.Protocols.Spring.Ciphers;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Releases;
using Groundwork.Services.Settings.Sealing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings;

/// <summary>Settings: texts that services read and follow, published, checked and versioned as resources.</summary>
/// <param name="isRegistered">True for an instance that the registry has (namespace, group, service, id): it is waited
/// for though it is silent. Null: only signs of life count.</param>
public sealed partial class SettingsModule(Func<string, string, string, string, bool>? isRegistered = null) : IModule
{
    public const string ModuleName = "settings";

    /// <summary>How often signs of life of readers are looked through.</summary>
    private static readonly TimeSpan TendEvery = TimeSpan.FromSeconds(15);

    /// <summary>How often readers that are long gone are cleared away.</summary>
    private static readonly TimeSpan PurgeEvery = TimeSpan.FromMinutes(10);

    private readonly CancellationTokenSource ending = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly List<Task> loops = [];
    private readonly List<IAsyncDisposable> protocols = [];
    private readonly SealedTexts sealedTexts = new();
    private SettingsSignal? signal;
    private RemovedSettings? removed;
    private ReaderWriter? writer;
    private NacosConfigApi? nacos;

    public string Name => ModuleName;

    public void Declare(ModuleDeclaration declaration) => declaration
        .Add(SettingKind.With(sealedTexts))
        .Add(GrayReleaseKind.With(sealedTexts))
        .Add(SettingGroupKind.Kind)
        .Add(ProtocolListeners.Nacos)
        .Add(ApolloAppKind.Kind)
        .Add(ConfigSourceKind.Kind)
        .Add(CipherKeyKind.Kind)
        .Add(ConfigBusKind.Kind)
        .Add(ProtocolListeners.SpringConfig)
        .Add(ProtocolListeners.Apollo)
        .Add(ReaderStore.Schema);

    public Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        if (node is not { Changes: { } changes, Storage: { } storage })
            throw new InvalidOperationException(
                "A node without a store has no settings to serve; ask the node that it follows.");
        signal = new SettingsSignal(node.Snapshots);
        removed = new RemovedSettings(node.Snapshots);
        var logger = node.Logs.CreateLogger<SettingsModule>();
        var releases = new GrayReleases(changes);
        sealedTexts.Use(node.Sealing, logger);
        var contents = new SettingContents(changes, sealedTexts);
        var store = new ReaderStore(storage);
        var news = new ReceiptNews();
        node.Events.Add(new ReceiptEvents(news, node.Authorizer, node.Time));
        writer = new ReaderWriter(
            store,
            news,
            (@namespace, setting, cancel) =>
                InForceAsync(node.Snapshots.Current, releases, @namespace, setting, cancel),
            node.Time,
            node.Logs.CreateLogger<ReaderWriter>());
        var readers = new LiveReaders(node.Name, writer, removed, node.Time);
        var reader = new SettingReader(contents, releases, node.Authorizer, node.Audit);
        var watch = new SettingsWatch(
            node.Snapshots, node.Authorizer, reader, readers, signal, node.Time, ending.Token);
        var access = new SettingAccess(node.Authorizer, node.Audit);
        var desk = new ReaderDesk(
            node.Snapshots,
            new ReaderParts(
                store, writer, new ReceiptRules(removed), contents, releases, node.Authorizer, node.Name, node.Time)
            {
                IsRegistered = isRegistered,
            });
        node.Listeners.Map(ListenerDefinition.Api, new SettingsApi(changes, reader, watch, readers).Map);
        var summaries = new SettingSummaries(changes, releases, node.Authorizer);
        node.Listeners.Map(ListenerDefinition.Api, new SummariesApi(summaries, node.Snapshots).Map);
        node.Listeners.Map(ListenerDefinition.Api, new ReceiptsApi(desk, access).Map);
        node.Listeners.Map(ListenerDefinition.Api, new ReleasesApi(changes, access).Map);
        var comparer = new SettingComparer(changes, node.Authorizer, node.Audit);
        var promoter = new SettingPromoter(changes, comparer, node.Authorizer);
        node.Listeners.Map(ListenerDefinition.Api, new ComparingApi(changes, comparer, promoter).Map);
        nacos = new NacosConfigApi(
            node, new NacosConfigParts(changes, contents, releases, reader, readers, access), ending.Token);
        node.Listeners.MapProtocol(ProtocolListeners.Nacos.Name, nacos.Map);
        node.Metrics.Add(nacos);
        protocols.Add(SpringProtocol.Map(node, reader));
        protocols.Add(ApolloProtocol.Map(node, reader, readers, releases, ending.Token));
        loops.Add(RunAsync(logger, "what readers say", writer.RunAsync));
        loops.Add(RunAsync(logger, "signs of life", cancel => TendAsync(readers, store, node.Time, logger, cancel)));
        return Task.CompletedTask;
    }

    /// <summary>
    /// Ends the watches; their readers come back to another node, or to this one when it is up again.
    /// </summary>
    public Task DrainAsync(CancellationToken cancellationToken) => ending.CancelAsync();

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        await Task.WhenAll(loops);
        foreach (var protocol in protocols) await protocol.DisposeAsync();
        if (writer is not null) await writer.RoundAsync(cancellationToken);
        signal?.Dispose();
        removed?.Dispose();
        nacos?.Dispose();
        ending.Dispose();
        stopping.Dispose();
    }

    private static async ValueTask<IReadOnlyList<long>> InForceAsync(
        Snapshot now, GrayReleases releases, string @namespace, string setting, CancellationToken cancellationToken)
    {
        var found = await releases.AtAsync(now, cancellationToken);
        var revisions = found.TryGet(out var inForce, out _)
            ? inForce.Of(@namespace, setting).Select(rule => rule.Resource.Revision)
            : [];
        return now.Find(SettingKind.Name, @namespace, setting) is { } own
            ? [.. revisions, own.Revision]
            : [.. revisions];
    }

    private static async Task TendAsync(
        LiveReaders readers, ReaderStore store, TimeProvider time, ILogger logger, CancellationToken stop)
    {
        var purged = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(TendEvery, time, stop);
            readers.Tend();
            if (time.GetElapsedTime(purged) < PurgeEvery) continue;
            purged = time.GetTimestamp();
            try
            {
                await store.PurgeAsync(stop);
            }
            catch (Kernel.Storage.StorageException away)
            {
                LogNotPurged(logger, away.Fault.Detail);
            }
        }
    }

    private async Task RunAsync(ILogger logger, string loop, Func<CancellationToken, Task> run)
    {
        try
        {
            await Task.Run(() => run(stopping.Token));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The module stops.
        }
        catch (Exception failure)
        {
            LogLoopEnded(logger, loop, failure);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Critical, Message = "The settings' loop for {Loop} ended by itself; restart the node")]
    private static partial void LogLoopEnded(ILogger logger, string loop, Exception failure);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Readers that are long gone were not cleared away: {Detail}")]
    private static partial void LogNotPurged(ILogger logger, string detail);
}
