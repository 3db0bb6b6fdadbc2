using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Services.Registry.Explaining;
using Groundwork.Services.Registry.Following;
using Groundwork.Services.Registry.Leases;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Probing;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Protocols.Consul;
using Groundwork.Services.Registry.Protocols.Etcd;
using Groundwork.Services.Registry.Protocols.Eureka;
using Groundwork.Services.Registry.Protocols.Nacos;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Services.Registry.Storing;
using Groundwork.Services.Registry.Watching;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Registry;

/// <summary>
/// The registry: which instances of which services there are. Instances register and renew, callers list and watch;
/// other modules read <see cref="View"/>. On a node that follows another, the view is of that node's registry.
/// </summary>
public sealed partial class RegistryModule : IModule
{
    public const string ModuleName = "registry";

    /// <summary>The copy of a followed registry, in the data directory.</summary>
    private const string FollowedFile = "followed-registry.json";

    /// <summary>Silence of the followed registry that is worth telling.</summary>
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(10);

    private readonly RegistryOptions options;
    private readonly Func<IReadOnlySet<string>>? liveNodes;
    private readonly CancellationTokenSource ending = new();
    private readonly List<Task> loops = [];
    private ILogger? logger;
    private StoreSync? sync;
    private ConsumerBook? consumers;
    private IDisposable? policies;
    private ProbeCall? probes;
    private NacosPush? nacos;
    private IRegistryView? view;
    private RegistryFollower? follower;

    /// <param name="liveNodes">
    /// Names of the nodes whose leases are good, this one included; null: as the node's cluster knows them. Called once
    /// a second.
    /// </param>
    public RegistryModule(RegistryOptions? options = null, Func<IReadOnlySet<string>>? liveNodes = null)
    {
        this.options = options ?? new RegistryOptions();
        this.liveNodes = liveNodes;
        if (this.options.Validate() is { Count: > 0 } faults)
            throw new ArgumentException(
                string.Join("; ", faults.Select(fault => $"{fault.Path} {fault.Message}")), nameof(options));
    }

    public string Name => ModuleName;

    /// <summary>
    /// The instances as keys of etcd's naming, once this one has started; null on a node that follows another.
    /// </summary>
    public NamingKeys? Naming { get; private set; }

    /// <summary>Where other modules read services from, once this one has started.</summary>
    public IRegistryView View => view ?? throw new InvalidOperationException("The registry has not started.");

    public void Declare(ModuleDeclaration declaration)
    {
        foreach (var migration in RegistryStore.Migrations) declaration.Add(migration);
        declaration.Add(InstanceOverrideKind.Kind).Add(ServicePolicyKind.Kind);
        declaration.Add(ProtocolListeners.Nacos).Add(ProtocolListeners.Eureka).Add(ProtocolListeners.Consul);
    }

    public async Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        logger = node.Logs.CreateLogger<RegistryModule>();
        if (node.Storage is { } storage) await StartAsync(node, storage, cancellationToken);
        else await FollowAsync(node, cancellationToken);
    }

    /// <summary>Nothing to finish: whoever registers now is written when the module stops.</summary>
    public Task DrainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        policies?.Dispose();
        await ending.CancelAsync();
        await Task.WhenAll(loops);
        nacos?.Dispose();
        probes?.Dispose();
        if (follower is not null) await follower.DisposeAsync();
        if (sync is not null && !await sync.RoundAsync(cancellationToken)) LogUnwritten();
        if (consumers is not null) await consumers.RoundAsync(cancellationToken);
        ending.Dispose();
    }

    private async Task FollowAsync(Node node, CancellationToken cancellationToken)
    {
        var api = node.Followed ?? throw new InvalidOperationException("A node without a store follows another.");
        follower = new RegistryFollower(
            api, node.DataDirectory.Combine(FollowedFile), node.Time, node.Logs.CreateLogger<RegistryFollower>());
        view = follower;
        node.Health.Add("registry", () => follower.Staleness is var age && age > StaleAfter
            ? $"no news of instances for {age.TotalSeconds:0} s; those known then are used"
            : null);
        await follower.StartAsync(cancellationToken);
    }

    private async Task StartAsync(Node node, IStorage storage, CancellationToken cancellationToken)
    {
        var live = liveNodes
            ?? (node.Cluster is { } cluster ? () => cluster.Nodes.Live : () => new HashSet<string>(
                StringComparer.Ordinal) { node.Name });
        var snapshot = node.Snapshots.Current;
        var isShared = !storage.Engine.StartsWith("sqlite", StringComparison.OrdinalIgnoreCase);
        var store = new RegistryStore(storage, node.Name, isShared);
        var numbers = new Numbers();
        // A restore continues the revisions at a multiple of 2^32: its upper half tells that there was one.
        // Above 0, which some clients take for no index at all: the first service must differ from none.
        numbers.Raise(Math.Max(1, await store.BeginAsync(snapshot.Revision >> 32, cancellationToken)));
        var log = node.Logs.CreateLogger<InstanceRegistry>();
        var registry = new InstanceRegistry(options, node.Name, snapshot.StoreId, node.Time, log, numbers);
        sync = new StoreSync(registry, store, node.Time, node.Logs.CreateLogger<StoreSync>());
        // Before the instances, so that no view is made without what operators have said.
        policies = node.Snapshots.Subscribe(change => registry.TakePolicies(
            change, record: live().Min(StringComparer.Ordinal) == node.Name));
        await sync.LoadAsync(cancellationToken);
        view = registry;
        consumers = new ConsumerBook(
            new ConsumerStore(storage), node.Name, node.Time, node.Logs.CreateLogger<ConsumerBook>());
        registry.CalledByGateway = consumers.NoteGateway;
        nacos = new NacosPush(registry, node.Time, node.Logs.CreateLogger<NacosPush>());
        var parts = Map(
            node, registry, consumers, new Registrations(registry, store, sync, node.Time, live),
            new ServiceHistory(registry, new EventStore(storage), sync, node.Time), sync, live);
        var expiry = new LeaseExpiry(registry, node.Time, live, node.Logs.CreateLogger<LeaseExpiry>());
        loops.Add(RunAsync("lease expiry", expiry.RunAsync));
        loops.Add(RunAsync("view publisher", registry.Publisher.RunAsync));
        loops.Add(RunAsync("store", sync.RunAsync));
        loops.Add(RunAsync("consumers", consumers.RunAsync));
        loops.Add(RunAsync("pushes of Nacos", nacos.RunAsync));
        var guard = new AddressGuard(
            () => node.Listeners.Addresses.Values.SelectMany(addresses => addresses),
            node.Configuration.LinkLocalUpstreams);
        probes = new ProbeCall(guard, node.Time);
        if (node.Cluster is { } shared)
            loops.Add(RunAsync("prober", Prober(node, registry, storage, shared, probes).RunAsync));
        Naming = new NamingKeys(parts, store);
        Show(node, registry, ProtocolListeners.Etcd, new EtcdSight(registry, Naming));
        loops.Add(RunAsync("keys of etcd's naming", Naming.RunAsync));
        loops.Add(RunAsync("checks of Consul's services", Consul(node, parts, probes).RunAsync));
    }

    private static Prober Prober(
        Node node, InstanceRegistry registry, IStorage storage, NodeCluster cluster, ProbeCall call) => new(
        registry,
        new ProbeStore(storage),
        token => cluster.Leases.TryAcquireAsync(Probing.Prober.LeaseName, Probing.Prober.LeaseLength, token),
        () => new ProbeRounds(registry, call.MakeAsync, node.Time, Random.Shared),
        node.Time,
        node.Logs.CreateLogger<Prober>());

    private ProtocolParts Map(
        Node node,
        InstanceRegistry registry,
        ConsumerBook consumers,
        Registrations registrations,
        ServiceHistory history,
        StoreSync sync,
        Func<IReadOnlySet<string>> live)
    {
        var access = new RegistryAccess(
            node.Authorizer.Authorize,
            node.Authorizer.Allows,
            context =>
            {
                var caller = LastingCaller.Of(context, node.Authorizer, node.Time);
                return async () => (await caller.AskAsync()).TryGet(out var now, out _) ? now : null;
            },
            happened => node.Audit?.Append(happened));
        var rules = new InstanceRules(new TextPool(), node.Time);
        var refused = new RefusedClaims(node.Time);
        var api = new RegistryApi(registry, registrations, rules, access, consumers, refused);
        var operations = new RegistryOperationsApi(
            registry, registrations, history, consumers, new InstanceExplainer(registry, history, refused),
            new ProtocolDocuments(registry), access);
        var watch = new RegistryWatchApi(
            registry, registrations, access, consumers, node.Time, node.Listeners.Stopping);
        node.Events.Add(new ServiceEvents(registry, access, node.Time));
        node.Listeners.Map(ListenerDefinition.Api, api.Map);
        node.Listeners.Map(ListenerDefinition.Api, watch.Map);
        node.Listeners.Map(ListenerDefinition.Api, operations.Map);
        if (nacos is not null)
        {
            NacosNamingApi.Serve(node, registry, registrations, rules, access, consumers, nacos);
            Show(node, registry, ProtocolListeners.Nacos, new NacosSight(registry, nacos, node.Time));
        }
        var callers = new ProtocolCallers(
            node.Authenticator, node.Authorizer, happened => node.Audit?.Append(happened));
        var parts = new ProtocolParts(
            registry, registrations, rules, access, refused, sync, callers,
            live, node.Time, node.Logs, node.Listeners.Stopping);
        var eureka = new EurekaApi(parts);
        node.Listeners.MapProtocol(ProtocolListeners.Eureka.Name, eureka.Map);
        node.Listeners.WordFaults(ProtocolListeners.Eureka.Name, EurekaApi.Prefix, EurekaAnswers.WriteAsync);
        Show(node, registry, ProtocolListeners.Eureka, eureka.Sight);
        Show(node, registry, ProtocolListeners.Consul, new ConsulSight(registry));
        return parts;
    }

    private static void Show(
        Node node, InstanceRegistry registry, ListenerDefinition listener, IProtocolSight sight)
    {
        if (node.Listeners.Speaks(listener.Name)) registry.Sights.Add(sight);
    }

    private static ConsulApi Consul(Node node, ProtocolParts parts, ProbeCall call)
    {
        var consul = new ConsulApi(
            parts, (check, token) => ConsulProbe.LookAsync(call, check, token),
            () => node.Listeners.AddressesOf(ListenerDefinition.Api)[0]);
        node.Listeners.MapProtocol(ProtocolListeners.Consul.Name, consul.Map);
        foreach (var family in ConsulApi.Families)
            node.Listeners.WordFaults(ProtocolListeners.Consul.Name, family, ConsulCall.WriteAsync);
        return consul;
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

    private void LogUnwritten()
    {
        if (logger is not null) LogUnwritten(logger);
    }

    private void LogLoopEnded(string loop, Exception failure)
    {
        if (logger is not null) LogLoopEnded(logger, loop, failure);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The store is away at the stop; the last changes are not written")]
    private static partial void LogUnwritten(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Critical, Message = "The registry's loop for {Loop} ended by itself; restart the node")]
    private static partial void LogLoopEnded(ILogger logger, string loop, Exception failure);
}
