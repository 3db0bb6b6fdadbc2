using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Leases;
using Groundwork.Services.Registry.Storing;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry;

/// <summary>A node's registry over a real store, its loops moved by hand.</summary>
internal sealed class StoredNode
{
    private readonly InstanceRules rules;

    private StoredNode(
        string name,
        InstanceRegistry registry,
        IStorage storage,
        RegistryStore store,
        ManualTimeProvider time,
        ISet<string> live)
    {
        Name = name;
        Storage = storage;
        Registry = registry;
        Store = store;
        Time = time;
        Sync = new StoreSync(registry, store, time, NullLogger.Instance);
        Expiry = new LeaseExpiry(registry, time, () => live.ToHashSet(), NullLogger.Instance);
        Registrations = new Registrations(registry, store, Sync, time, () => live.ToHashSet());
        rules = new InstanceRules(new TextPool(), time);
    }

    public string Name { get; }

    public IStorage Storage { get; }

    public InstanceRegistry Registry { get; }

    public RegistryStore Store { get; }

    public StoreSync Sync { get; }

    public LeaseExpiry Expiry { get; }

    public Registrations Registrations { get; }

    public ManualTimeProvider Time { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static Task<SqliteStorage> OpenSqliteAsync(TemporaryDirectory directory) => SqliteStorage.OpenAsync(
        new SqliteOptions { Path = directory.Combine(
            "store.db") }, TimeProvider.System, NullLoggerFactory.Instance, Cancel);

    /// <summary>Starts a node, as the module does.</summary>
    /// <param name="live">The nodes whose leases are good; shared by the nodes of a test. Null: it is alone.</param>
    public static async Task<StoredNode> StartAsync(
        IStorage storage, ManualTimeProvider time, string name = "a", ISet<string>? live = null,
        RegistryOptions? options = null, long epoch = 0)
    {
        await storage.MigrateAsync(RegistryStore.Migrations, Cancel);
        var store = new RegistryStore(storage, name, isShared: live is not null);
        var numbers = new Numbers();
        numbers.Raise(await store.BeginAsync(epoch, Cancel));
        var registry = new InstanceRegistry(
            options ?? new RegistryOptions(), name, "store", time, NullLogger.Instance, numbers);
        var node = new StoredNode(name, registry, storage, store, time, live ?? new HashSet<string> { name });
        await node.Sync.LoadAsync(Cancel);
        return node;
    }

    public RegistrationAnswer Register(InstanceDocument document) =>
        Registry.Register(rules.Read(document, "test").Value, "test").Value;

    public RegistrationAnswer Register(string id) => Register(LeasedRegistry.Document(id));

    /// <summary>One round of the loop between memory and store.</summary>
    public async Task SyncAsync() => Assert.True(await Sync.RoundAsync(Cancel), "The store is away.");

    public ServiceView View() => Registry.FindFresh(LeasedRegistry.Orders)
        ?? throw new InvalidOperationException("The service is not known.");

    public string[] Ids() => Registry.FindFresh(LeasedRegistry.Orders) is { } view
        ? [.. view.Instances.Select(instance => instance.Key.Id)]
        : [];

    public Health HealthOf(string id) => View().Instances.Single(instance => instance.Key.Id == id).Health;
}
