using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Cluster;

/// <summary>A store that nodes share, with the cluster's tables; one class per engine runs each contract.</summary>
public abstract class ClusterContract : IAsyncLifetime
{
    private readonly ITestDatabase database;
    private IStorage? storage;

    private protected ClusterContract(ITestDatabase database) => this.database = database;

    /// <summary>The store, as all nodes of a test use it.</summary>
    private protected IStorage Storage => storage ?? throw new InvalidOperationException("The test has not started.");

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        storage = await database.OpenAsync(TimeProvider.System);
        await storage.MigrateAsync(
            [
                .. NodeLeases.Migrations,
                new("sample", 1, "CREATE TABLE sample_work (position {id} PRIMARY KEY, worker TEXT NOT NULL)"),
            ],
            Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (storage is not null) await storage.DisposeAsync();
        database.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected Task<NodeLeases> JoinAsync(string name, TimeProvider time) =>
        NodeLeases.StartAsync(Storage, name, "{}", time, NullLoggerFactory.Instance, Cancel);

    /// <summary>What the passing of time on the database's clock does to leases.</summary>
    private protected Task AgeAsync(TimeSpan by) => Storage.WriteAsync(
        session => session.Execute(
                "UPDATE cluster_nodes SET lease_until = lease_until - $1", (long)by.TotalMilliseconds)
            + session.Execute(
                "UPDATE cluster_leases SET lease_until = lease_until - $1", (long)by.TotalMilliseconds)
            + session.Execute("UPDATE cluster_counters SET at = at - $1", (long)by.TotalMilliseconds),
        Cancel);

    private protected Task<long> CountAsync(string table) => Storage.ReadAsync(
        session => session.One($"SELECT count(*) FROM {table}", row => row.Int64(0)), Cancel);
}
