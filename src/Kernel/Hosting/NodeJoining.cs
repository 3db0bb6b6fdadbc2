using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting;

/// <summary>What a node has after it has joined.</summary>
/// <param name="DatabaseFile">
/// Holds the connection string that came with the invitation; null when the configuration names the database itself.
/// </param>
public sealed record JoinedNode(string RootKeyFile, string? DatabaseFile, string Fingerprint);

/// <summary>Brings an install's root key to this machine, by an invitation that the shared store takes once.</summary>
public static class NodeJoining
{
    /// <summary>In the data directory, 0600; named to the next start by <c>databaseFile</c>.</summary>
    public const string DatabaseFileName = "database";

    private const string DatabaseHint = "database";

    /// <exception cref="StartupException">The data directory is in use or cannot be used.</exception>
    /// <exception cref="StorageException">The database is away.</exception>
    public static async Task<Outcome<JoinedNode>> RunAsync(
        ProcessConfiguration configuration,
        string bundle,
        string code,
        TimeProvider time,
        ILoggerFactory logs,
        CancellationToken cancellationToken)
    {
        if (!NodeInvitation.Open(bundle, code, time.GetUtcNow()).TryGet(out var invitation, out var fault))
            return fault;
        var hint = configuration.Database.IsPostgres ? null : invitation.Hints.GetValueOrDefault(DatabaseHint);
        if (!configuration.Database.IsPostgres && hint is null)
        {
            return new Fault(
                ErrorCodes.ConfigurationInvalid,
                "The inviting node has an embedded database, which no other node can share: give it a PostgreSQL one.");
        }
        using var directory = DataDirectory.Open(configuration.DataDirectory);
        if (File.Exists(configuration.RootKeyFile))
        {
            return new Fault(
                ErrorCodes.RootKeyInvalid,
                $"{configuration.RootKeyFile} is there already: this node belongs to an install. Nothing was changed.");
        }
        var target = hint is null ? configuration : configuration with { Database = new DatabaseOptions(hint) };
        await using (var storage = await NodeStorage.OpenAsync(target, directory, time, logs, cancellationToken))
        {
            if (await RedeemAsync(storage, invitation, configuration.NodeName, cancellationToken) is { } refused)
                return refused;
        }
        if (!RootKeyFile.TryWrite(configuration.RootKeyFile, invitation.Root))
            return new Fault(ErrorCodes.RootKeyInvalid, $"{configuration.RootKeyFile} could not be written.");
        return new JoinedNode(
            configuration.RootKeyFile, hint is null ? null : Keep(directory, hint), invitation.Root.Fingerprint);
    }

    private static async Task<Fault?> RedeemAsync(
        IStorage storage, OpenedInvitation invitation, string node, CancellationToken cancellationToken)
    {
        var knows = await storage.ReadAsync(
            session => MigrationStore.Seen(session).ContainsKey("security"), cancellationToken);
        // Another database, by a mistake of the configuration: nothing may be made there.
        if (!knows) return new Fault(ErrorCodes.InvitationInvalid, "The database is not that of the inviting node.");
        return await NodeInvitation.RedeemAsync(storage, invitation.Id, node, cancellationToken);
    }

    private static string Keep(DataDirectory directory, string connectionString)
    {
        var path = directory.Combine(DatabaseFileName);
        File.Delete(path); // Of an attempt before, which got no further than this.
        if (!SecretFile.TryCreate(path, connectionString + "\n"))
            throw new IOException($"{path} could not be written.");
        return path;
    }
}
