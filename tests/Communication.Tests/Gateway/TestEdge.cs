using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>A gateway on its real listener, with routes and instances that the test sets.</summary>
internal sealed class TestEdge : IAsyncDisposable
{
    private readonly GatewayModule module;
    private readonly Listeners listeners;
    private readonly (Authorizer Authorizer, Authenticator Authenticator, IDisposable Following) keys;

    private TestEdge(
        GatewayOptions options, TlsOptions? tls, TimeProvider time, Kernel.Cluster.SharedCounters? shared)
    {
        module = new GatewayModule(() => Registry, options);
        keys = NodeSecurity.ForFollower(Snapshots, AppContext.BaseDirectory, time);
        listeners = new Listeners(
            [
                new ListenerDefinition(
                    ListenerDefinition.Gateway, ListenerProtocol.Proxy, "127.0.0.1:0", MayBindPlain: true),
                new ListenerDefinition(
                    ListenerDefinition.GatewayHttps, ListenerProtocol.Proxy, "127.0.0.1:0", IsSecure: true),
            ],
            new ListenersOptions
            {
                ByName = ImmutableDictionary<string, ListenerOptions>.Empty.Add(
                    ListenerDefinition.Gateway, new ListenerOptions { Tls = tls }),
            },
            new RequestGuards(
                _ =>
                    ValueTask.FromResult<Outcome<Principal>>(Principal.Anonymous), (_, _, _) =>
                        null, _ => { }, () => 0),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        var server = module.Build(
            new GatewayGround(listeners, Snapshots, time, TimeProvider.System, NullLoggerFactory.Instance)
            {
                // Secrets are in clear where a test sets them.
                Authenticate = keys.Authenticator.AuthenticateKey,
                Counters = shared,
            });
        listeners.Serve(ListenerDefinition.Gateway, server.ServeAsync, server.ServeAsync);
        listeners.Serve(ListenerDefinition.GatewayHttps, server.ServeAsync, server.ServeAsync);
    }

    public HeldSnapshots Snapshots { get; } = new();

    public HeldServices Registry { get; } = new();

    public GatewayModule Module => module;

    public IPEndPoint Address => listeners.AddressesOf(ListenerDefinition.Gateway)[0];

    /// <summary>The listener that always speaks TLS, with the certificates that there are as resources.</summary>
    public IPEndPoint SecureAddress => listeners.AddressesOf(ListenerDefinition.GatewayHttps)[0];

    /// <summary>What goes with it.</summary>
    public List<IAsyncDisposable> Owned { get; } = [];

    public HttpClient Client { get; private set; } = new();

    /// <param name="time">The clock by which instances are waited for; clients are by the real one.</param>
    public static async Task<TestEdge> StartAsync(
        GatewayOptions? options = null, TlsOptions? tls = null, TimeProvider? time = null,
        Kernel.Cluster.SharedCounters? shared = null)
    {
        var edge = new TestEdge(options ?? new GatewayOptions(), tls, time ?? TimeProvider.System, shared);
        await edge.listeners.StartAsync(CancellationToken.None);
        edge.Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri($"http://{edge.Address}"), // With TLS a test makes a client of its own.
        };
        return edge;
    }

    /// <summary>
    /// Routes everything to the service <c>service</c>, with time-outs that a loaded machine does not reach.
    /// </summary>
    public TestEdge RouteAll(Func<RouteSpec, RouteSpec>? change = null)
    {
        var spec = new RouteSpec(
            new MatchSpec(["127.0.0.1", "localhost"], "/**"), "service", Timeouts: new RouteTimeouts(20_000, 20_000));
        Snapshots.Put(Routes.Resource("all", change?.Invoke(spec) ?? spec));
        return this;
    }

    /// <summary>Puts a resource of whatever kind, in the namespace <c>default</c>.</summary>
    public TestEdge Put<TSpec>(Kind<TSpec> kind, string name, TSpec spec)
        where TSpec : class
    {
        Snapshots.Put(new Resource
        {
            Key = new ResourceKey(kind.Name, kind.Namespaced ? "default" : "", name),
            Version = kind.Version,
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            Spec = JsonSerializer.SerializeToUtf8Bytes(spec, kind.SpecTypeInfo),
            SpecHash = default,
            Revision = Snapshots.Current.Revision + 1,
            ChangedBy = "system:test",
            ChangedAt = DateTimeOffset.UnixEpoch,
            Kind = kind,
        });
        return this;
    }

    public TestEdge Instances(params IPEndPoint[] addresses)
    {
        Registry.Set("service", [.. addresses.Select(address => (address.Address.ToString(), address.Port, 100))]);
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        foreach (var one in Owned) await one.DisposeAsync();
        await listeners.DisposeAsync();
        await module.StopAsync(CancellationToken.None);
        keys.Following.Dispose();
    }
}

/// <summary>Snapshots that a test makes.</summary>
internal sealed class HeldSnapshots : ISnapshotSource
{
    private readonly List<Action<SnapshotChange>> subscribers = [];

    public Snapshot Current { get; private set; } = Snapshot.Empty("store", 7);

    public TimeSpan Staleness => TimeSpan.Zero;

    public void Put(Resource resource) =>
        Publish(new AppliedChange(
            Current.Revision + 1, 0, resource.Key, Current.Find(resource.Key), resource, EndsChangeset: true));

    public void Delete(ResourceKey key) =>
        Publish(new AppliedChange(Current.Revision + 1, 0, key, Current.Find(key), null, EndsChangeset: true));

    /// <summary>What a source says when it was without its origin for too long: these are all.</summary>
    public void Reload(params IReadOnlyList<Resource> all)
    {
        var revision = Current.Revision + 1;
        Current = Snapshot.Empty("store", revision).With(
            revision,
            [.. all.Select((one, at) => new AppliedChange(revision, at, one.Key, null, one, EndsChangeset: true))]);
        foreach (var subscriber in subscribers.ToArray()) subscriber(new SnapshotChange(null, [], Current));
    }

    public IDisposable Subscribe(Action<SnapshotChange> changed)
    {
        subscribers.Add(changed);
        changed(new SnapshotChange(null, [], Current));
        return new Subscription(() => subscribers.Remove(changed));
    }

    public ValueTask<Outcome<Snapshot>> ReachAsync(
        long revision, TimeSpan patience, CancellationToken cancellationToken) =>
        ValueTask.FromResult<Outcome<Snapshot>>(Current);

    private void Publish(AppliedChange change)
    {
        var before = Current;
        Current = before.With(change.Revision, [change]);
        foreach (var subscriber in subscribers.ToArray()) subscriber(new SnapshotChange(before, [change], Current));
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}

/// <summary>Services that a test makes.</summary>
internal sealed class HeldServices : IRegistryView
{
    private ImmutableDictionary<ServiceKey, ServiceView> services = ImmutableDictionary<ServiceKey, ServiceView>.Empty;
    private ImmutableList<(InstanceKey Instance, CallOutcome Outcome)> outcomes = [];
    private long index;

    public TimeSpan Staleness => TimeSpan.Zero;

    public IEnumerable<ServiceView> Views => services.Values;

    public ServiceNames ByName { get; }

    public ProtocolSights Sights { get; } = new();

    public HeldServices() => ByName = new ServiceNames(() => services.Keys);

    public ImmutableList<(InstanceKey Instance, CallOutcome Outcome)> Outcomes => Volatile.Read(ref outcomes);

    /// <summary>Sets a service as a whole, whatever its instances say of themselves.</summary>
    public void Put(ServiceKey key, params ImmutableArray<Instance> instances)
    {
        services = services.SetItem(
            key,
            new ServiceView(
                key, ++index, instances,
                [.. instances.Where(one => one is { Status: InstanceStatus.Up, Weight: > 0 }
                    && one.Health.State != HealthState.Unhealthy)],
                Protection: false));
        ByName.Add(key);
    }

    public static ServiceKey Key(string service) => new("default", ServiceKey.DefaultGroup, service);

    public void Set(string service, params ImmutableArray<(string Host, int Port, int Weight)> instances)
    {
        var key = Key(service);
        ImmutableArray<Instance> all =
        [
            .. instances.Select(instance => new Instance(
                new InstanceKey(key, $"{instance.Host}:{instance.Port}"), instance.Host, instance.Port) { Weight =
                    instance.Weight }),
        ];
        services = services.SetItem(key, new ServiceView(key, ++index, all, all, Protection: false));
        ByName.Add(key);
    }

    /// <summary>Says more of an instance that is there.</summary>
    public void Describe(
        string service, string id, string? version = null, params (string Key, string Value)[] metadata)
    {
        var key = Key(service);
        ImmutableArray<Instance> all =
        [
            .. services[key].Instances.Select(instance => instance.Key.Id != id ? instance : instance with
            {
                Version = version,
                Metadata = TextMap.Of(metadata.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))),
            }),
        ];
        services = services.SetItem(key, new ServiceView(key, ++index, all, all, Protection: false));
        ByName.Add(key);
    }

    public ServiceView? Find(ServiceKey key) => services.GetValueOrDefault(key);

    /// <summary>False where memory is measured: what is kept of a call would be counted as the gateway's.</summary>
    public bool Keeps { get; set; } = true;

    public void ReportOutcome(InstanceKey instance, CallOutcome outcome)
    {
        if (Keeps) ImmutableInterlocked.Update(ref outcomes, list => list.Add((instance, outcome)));
    }
}
