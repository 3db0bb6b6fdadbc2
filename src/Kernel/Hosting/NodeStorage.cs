using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Postgres;
using Groundwork.Kernel.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// Opens the store that a configuration names: for a node, and for the few verbs that open the data directory
/// themselves.
/// </summary>
public static class NodeStorage
{
    /// <summary>Of the embedded database, in the data directory.</summary>
    public const string SqliteFile = "groundwork.db";

    /// <exception cref="StorageException">The database cannot be reached or opened.</exception>
    public static async Task<IStorage> OpenAsync(
        ProcessConfiguration configuration,
        DataDirectory directory,
        TimeProvider time,
        ILoggerFactory logs,
        CancellationToken cancellationToken) =>
        configuration.Database.ConnectionString is { } connectionString
            ? await PostgresStorage.OpenAsync(
                new PostgresOptions { ConnectionString = connectionString }, time, logs, cancellationToken)
            : await SqliteStorage.OpenAsync(
                new SqliteOptions { Path = directory.Combine(SqliteFile) }, time, logs, cancellationToken);

    /// <summary>All schema steps, the kernel's before the modules'.</summary>
    public static IReadOnlyList<Migration> MigrationsOf(ModuleDeclaration declared) =>
        [.. ChangeLog.Migrations, .. SecuritySchema.Migrations, .. NodeLeases.Migrations, .. declared.Migrations];
}
