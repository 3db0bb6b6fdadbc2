using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Storage;
using Groundwork.Services.KeyValue.Leases;
using Groundwork.Services.KeyValue.Protocols.Consul;
using Groundwork.Services.KeyValue.Protocols.Etcd;
using Groundwork.Services.KeyValue.Watching;
using Groundwork.Services.Registry.Protocols.Etcd;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.KeyValue;

/// <summary>
/// Keys and values with a revision for every change, leases that keys end with, and watches: what Consul's KV, sessions
/// and locks and etcd's KV are views of. Not resources: programs write them.
/// </summary>
/// <param name="naming">
/// The instances of the registry, which stand among the keys of etcd below <c>services/</c>. Called once, when the
/// registry has started; null: there is no registry, and those are keys like others.
/// </param>
public sealed partial class KeyValueModule(Func<NamingKeys?>? naming = null) : IModule
{
    public const string ModuleName = "keyvalue";

    private readonly CancellationTokenSource ending = new();
    private readonly List<Task> loops = [];
    private ILogger? logger;

    public string Name => ModuleName;

    private static Migration Tables { get; } = new(ModuleName, 1, [.. RowStore.Tables, .. LeaseStore.Tables]);

    public void Declare(ModuleDeclaration declaration) => declaration
        .Add(Tables)
        .Add(ProtocolListeners.Consul)
        .Add(ProtocolListeners.Grpc)
        .Add(ProtocolListeners.Etcd);

    public async Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        var storage = node.Storage
            ?? throw new InvalidOperationException("The module runs on nodes with a store alone.");
        logger = node.Logs.CreateLogger<KeyValueModule>();
        // A restore continues the revisions at a multiple of 2^32: its upper half tells that there was one.
        var epoch = node.Snapshots.Current.Revision >> 32;
        await storage.WriteAsync(
            session =>
            {
                RowStore.Begin(session, epoch);
                return true;
            },
            cancellationToken);
        var feed = new KeyFeed(storage, node.Time, node.Logs.CreateLogger<KeyFeed>());
        await feed.StartAsync(cancellationToken);
        var keys = new KeyValues(storage, feed);
        var access = new KeyAccess(node.Authorizer.Allows, happened => node.Audit?.Append(happened));
        MapConsul(node, keys, access);
        var instances = naming?.Invoke();
        MapEtcd(node, keys, access, instances);
        if (instances is not null)
        {
            var leases = new NamingLeases(keys, instances, node.Time, node.Logs.CreateLogger<NamingLeases>());
            loops.Add(RunAsync("leases of instances", leases.RunAsync));
        }
        var sweep = new LeaseSweep(keys, node.Time, node.Logs.CreateLogger<LeaseSweep>());
        var compaction = new Compaction(keys, node.Time, node.Logs.CreateLogger<Compaction>());
        loops.Add(RunAsync("changes", feed.RunAsync));
        loops.Add(RunAsync("leases", sweep.RunAsync));
        loops.Add(RunAsync("compaction", compaction.RunAsync));
    }

    /// <summary>Watches end with the listeners.</summary>
    public Task DrainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await ending.CancelAsync();
        await Task.WhenAll(loops);
        ending.Dispose();
    }

    private static void MapConsul(Node node, KeyValues keys, KeyAccess access)
    {
        var calls = new ConsulCalls(keys, access, node.Authenticator, node.Time, node.Listeners.Stopping);
        node.Listeners.MapProtocol(ProtocolListeners.Consul.Name, new ConsulKvApi(calls).Map);
        node.Listeners.MapProtocol(
            ProtocolListeners.Consul.Name, new ConsulSessionApi(calls, node.Name, node.Time).Map);
        node.Listeners.MapProtocol(ProtocolListeners.Consul.Name, new ConsulTransactionApi(calls).Map);
        foreach (var family in (PathString[])["/v1/kv", "/v1/session", "/v1/txn"])
            node.Listeners.WordFaults(
                ProtocolListeners.Consul.Name, family,
                static (context, fault) => ConsulCall.RefuseAsync(context, fault.Error.Status, fault.Detail));
    }

    private static void MapEtcd(Node node, KeyValues keys, KeyAccess access, NamingKeys? instances)
    {
        var calls = new EtcdCalls(node, keys, access, new EtcdTokens(node.SessionKey, node.Time), instances);
        var name = ProtocolListeners.Etcd.Name;
        node.Listeners.MapProtocol(name, new EtcdKvApi(calls).Map);
        node.Listeners.MapProtocol(name, new EtcdLeaseApi(calls).Map);
        node.Listeners.MapProtocol(name, new EtcdWatchApi(calls).Map);
        node.Listeners.MapProtocol(name, new EtcdClusterApi(calls, node.Name, node.Listeners).Map);
    }

    private async Task RunAsync(string loop, Func<CancellationToken, Task> run)
    {
        try
        {
            await Task.Run(() => run(ending.Token));
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The module stops.
        }
        catch (Exception failure)
        {
            LogLoopEnded(loop, failure);
        }
    }

    private void LogLoopEnded(string loop, Exception failure)
    {
        if (logger is not null) LogLoopEnded(logger, loop, failure);
    }

    [LoggerMessage(
        Level = LogLevel.Critical, Message = "The key-value loop for {Loop} ended by itself; restart the node")]
    private static partial void LogLoopEnded(ILogger logger, string loop, Exception failure);
}
