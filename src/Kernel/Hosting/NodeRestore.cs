using System.Globalization;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Backup;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting;

/// <summary>What a restore is made of.</summary>
/// <param name="Modules">All of the product: their tables are in the backup, whatever will run here.</param>
/// <param name="By">The principal in the audit trail.</param>
public sealed record NodeRestoreParts(
    ProcessConfiguration Configuration,
    IReadOnlyCollection<IModule> Modules,
    string By,
    TimeProvider Time,
    ILoggerFactory Logs);

/// <summary>A store after its restore.</summary>
/// <param name="StoreId">A new one, so that a watch of the store before is told and not misled.</param>
/// <param name="Revision">Beyond all that the backup's store, or the one replaced, can have given out.</param>
public sealed record RestoredStore(string StoreId, long Revision, BackupManifest Backup);

/// <summary>Replaces a store by a backup, while no node runs on it.</summary>
public sealed class NodeRestore(NodeRestoreParts parts)
{
    /// <summary>Bits of a revision below its epoch: a restore goes on at the next multiple of 2^32.</summary>
    private const int EpochBits = 32;

    /// <summary>Reads the archive to its end before anything is touched; all of it is restored, or nothing.</summary>
    /// <param name="archive">Seekable.</param>
    /// <param name="force">Replace what is there.</param>
    /// <exception cref="StartupException">The data directory is in use or cannot be used.</exception>
    /// <exception cref="StorageException">The database is away or full, or of another root key.</exception>
    public async Task<Outcome<RestoredStore>> RunAsync(
        Stream archive, bool force, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var configuration = parts.Configuration;
        using var directory = DataDirectory.Open(configuration.DataDirectory);
        if (!RootKeyFile.Read(configuration.RootKeyFile).TryGet(out var root, out var missing))
        {
            return new Fault(
                missing.Error,
                $"{missing.Detail} A backup is opened with the root key of its install; bring it here first.");
        }
        await using var storage = await NodeStorage.OpenAsync(
            configuration, directory, parts.Time, parts.Logs, cancellationToken);
        var before = await storage.ReadAsync(ReadBefore, cancellationToken);
        // Of the embedded database the directory's lock has told already.
        if (configuration.Database.IsPostgres && before.LiveNodes is { Count: > 0 } live)
        {
            return new Fault(
                ErrorCodes.DirectoryLocked,
                $"The store is in use by {string.Join(", ", live)}; stop them, and wait for their leases to end "
                + $"({NodeLeases.Lease.TotalSeconds:0} s).");
        }
        var migrations = NodeStorage.MigrationsOf(Declared());
        RestoredStore? restored = null;
        var outcome = await BackupArchive.RestoreAsync(
            archive, storage, migrations, force,
            (session, manifest) => restored = Adjust(session, manifest, before.Revision, root),
            progress, cancellationToken);
        if (!outcome.TryGet(out _, out var fault)) return fault;
        await storage.MigrateAsync(migrations, cancellationToken);
        await BeginAuditAsync(storage, directory, root, outcome.Value, cancellationToken);
        return restored ?? throw new InvalidOperationException("A restore that succeeded has run its last step.");
    }

    private ModuleDeclaration Declared()
    {
        var declaration = new ModuleDeclaration();
        foreach (var module in parts.Modules) module.Declare(declaration);
        return declaration;
    }

    /// <summary>What was in the store, as far as there was one.</summary>
    private static (long Revision, List<string> LiveNodes) ReadBefore(ISqlSession session)
    {
        var seen = MigrationStore.Seen(session);
        var revision = seen.ContainsKey("resource") ? ResourceStore.ReadHead(session)?.Revision ?? 0 : 0;
        if (!seen.ContainsKey("cluster")) return (revision, []);
        var now = session.ReadClock();
        return (revision, [.. ClusterStore.ReadNodes(session).Where(node => node.LeaseUntil > now)
            .Select(node => node.Name)]);
    }

    /// <summary>The last step of the transaction.</summary>
    private RestoredStore Adjust(ISqlSession session, BackupManifest manifest, long revisionBefore, RootKey root)
    {
        var owner = SecurityStore.ClaimInstall(
            session, root.Fingerprint, parts.Time.GetUtcNow().ToUnixTimeMilliseconds());
        if (owner != root.Fingerprint)
        {
            throw new StorageException(new Fault(
                ErrorCodes.RootKeyMismatch,
                $"The backup belongs to the root key {owner}; {parts.Configuration.RootKeyFile} holds "
                + $"{root.Fingerprint}. Nothing was changed."));
        }
        var head = ResourceStore.ReadHead(session)
            ?? throw new StorageException(new Fault(ErrorCodes.BackupInvalid, "The backup has no change log."));
        var revision = ((Math.Max(head.Revision, revisionBefore) >> EpochBits) + 1) << EpochBits;
        var storeId = Guid.CreateVersion7(parts.Time.GetUtcNow()).ToString("N");
        ResourceStore.MoveOn(session, storeId, revision);
        // What was ended after the backup must not come to life again.
        SignInStore.DeleteAll(session);
        SignInLinkStore.DeleteAll(session);
        InvitationStore.DeleteAll(session);
        return new RestoredStore(storeId, revision, manifest);
    }

    /// <summary>
    /// The old checkpoints vouch for what the backup lacks; the file that begins here vouches for what is there now.
    /// </summary>
    private async Task BeginAuditAsync(
        IStorage storage, DataDirectory directory, RootKey root, BackupManifest backup,
            CancellationToken cancellationToken)
    {
        var file = new AuditCheckpointFileStore(directory.Combine(AuditCheckpointFileStore.Name));
        file.SetAside(parts.Time.GetUtcNow());
        var node = parts.Configuration.NodeName;
        var audit = new AuditLog(
            storage, root.EventChain(), node, parts.Time, parts.Logs.CreateLogger<AuditLog>());
        audit.Append(new AuditEvent(
            parts.By, "restore", $"node {node}", AuditLog.Ok,
            Detail: string.Create(
                CultureInfo.InvariantCulture, $"store {backup.StoreId:n} at revision {backup.Revision}")));
        await audit.FlushAsync(closing: true, cancellationToken);
        var checkpoints = new AuditCheckpoints(
            storage, file, audit, root, node, parts.Time, parts.Logs.CreateLogger<AuditCheckpoints>());
        await checkpoints.WriteAsync(cancellationToken);
        await audit.FlushAsync(closing: true, cancellationToken);
    }
}
