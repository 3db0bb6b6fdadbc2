using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Running;

/// <summary>
/// Opens a node's own store: root key, database, migrations under the store's lock, working keys, snapshot, change log,
/// leases, and at the very first start the first operator.
/// </summary>
internal static class StoreOpening
{
    public static async Task<NodeCore> OpenAsync(
        NodeHostParts parts,
        DataDirectory directory,
        ModuleDeclaration declared,
        KindCatalog kinds,
        OpenParts open,
        CancellationToken cancellationToken)
    {
        var configuration = parts.Configuration;
        var root = Known(RootKeyFile.ReadOrCreate(configuration.RootKeyFile));
        var storage = await NodeStorage.OpenAsync(configuration, directory, parts.Time, parts.Logs, cancellationToken);
        open.Add("storage", storage);
        await storage.MigrateAsync(NodeStorage.MigrationsOf(declared), cancellationToken);

        var security = Known(await NodeSecurity.OpenAsync(
            new NodeSecurityParts(
                storage, root, configuration.NodeName, directory.Path, parts.Time, parts.Logs), cancellationToken));
        open.Add("security", security);
        // Stopped before it is disposed, so that the last checkpoint is written within the patience of the stop.
        open.Add("audit", token => new ValueTask(security.StopAsync(token)));
        var changes = await ChangeLog.OpenAsync(
            new ChangeLogParts(
                storage, kinds, security.Authorizer, security.Secrets, security.ChangeChain, parts.Time, parts.Logs),
            cancellationToken);
        open.Add("change log", changes);
        security.Start(changes.Snapshots);

        var cluster = await JoinAsync(parts, storage, open, cancellationToken);
        var first = Known(await AdminBootstrap.RunAsync(changes, directory.Path, cancellationToken));
        return new NodeCore
        {
            Snapshots = changes.Snapshots,
            Authorizer = security.Authorizer,
            Authenticator = security.Authenticator,
            Store = new StoreParts(storage, changes, security, cluster),
            FirstPassword = first,
        };
    }

    private static async Task<NodeCluster> JoinAsync(
        NodeHostParts parts, IStorage storage, OpenParts open, CancellationToken cancellationToken)
    {
        var name = parts.Configuration.NodeName;
        var about = new NodeAbout(
            "", NodeApi.Version, [.. parts.Configuration.Modules.InStartOrder.Select(module => module.Name)]);
        var nodes = await NodeLeases.StartAsync(
            storage, name, about.ToJson(), parts.Time, parts.Logs, cancellationToken);
        open.Add("node lease", nodes);
        var counters = new SharedCounters(storage, nodes, parts.Time, parts.Logs);
        open.Add("shared counters", counters);
        return new NodeCluster(nodes, new Cluster.Leases(storage, name, parts.Time, parts.Logs), counters);
    }

    private static T Known<T>(Outcome<T> outcome) =>
        outcome.TryGet(out var value, out var fault) ? value : throw new StartupException(fault);
}
