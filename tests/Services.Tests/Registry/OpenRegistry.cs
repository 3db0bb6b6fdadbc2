using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Services.Registry.Explaining;
using Groundwork.Services.Registry.Leases;
using Groundwork.Services.Registry.Protocols.Sights;
using Groundwork.Services.Registry.Storing;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry;

/// <summary>
/// The registry with its store, its loops and its API on a free port, with real time. The bearer token names what the
/// caller may do, such as <c>register,renew</c>, in the namespace <c>default</c>.
/// </summary>
internal sealed class OpenRegistry : IAsyncDisposable
{
    public const string All = "register,renew,discover,operate";

    private readonly TemporaryDirectory directory;
    private readonly CancellationTokenSource ending = new();
    private readonly SqliteStorage storage;
    private readonly Task[] loops;
    private Snapshot said = Snapshot.Empty("store", 0);

    private OpenRegistry(
        TemporaryDirectory directory, SqliteStorage storage, InstanceRegistry registry, StoreSync sync,
            RegistryStore store, int port)
    {
        this.directory = directory;
        this.storage = storage;
        Registry = registry;
        Listeners = new Listeners(
            [new ListenerDefinition(ListenerDefinition.Api, ListenerProtocol.Http, $"127.0.0.1:{port}")],
            new ListenersOptions(),
            new RequestGuards(AuthenticateAsync, Authorize, Audit.Add, () => 1),
            TimeProvider.System,
            NullLoggerFactory.Instance);
        IReadOnlySet<string> live = new HashSet<string> { registry.NodeName };
        var registrations = new Registrations(registry, store, sync, TimeProvider.System, () => live);
        var access = new RegistryAccess(
            Authorize,
            (principal, verb, target) => Authorize(principal, verb, target) is null,
            context => () => ValueTask.FromResult(
                context.Principal().Name == Revoked ? null : context.Principal()),
            Audit.Add);
        var consumers = new ConsumerBook(
            new ConsumerStore(storage), registry.NodeName, TimeProvider.System, NullLogger.Instance);
        var refused = new RefusedClaims(TimeProvider.System);
        var rules = new InstanceRules(new TextPool(), TimeProvider.System);
        Listeners.Map(
            ListenerDefinition.Api,
            new RegistryApi(registry, registrations, rules, access, consumers, refused).Map);
        var history = new ServiceHistory(registry, new EventStore(storage), sync, TimeProvider.System);
        Listeners.Map(
            ListenerDefinition.Api, new RegistryOperationsApi(
                registry, registrations, history, consumers, new InstanceExplainer(registry, history, refused),
                new ProtocolDocuments(registry), access).Map);
        Listeners.Map(
            ListenerDefinition.Api,
            new RegistryWatchApi(
                registry, registrations, access, consumers, TimeProvider.System, Listeners.Stopping).Map);
        var expiry = new LeaseExpiry(registry, TimeProvider.System, () => live, NullLogger.Instance);
        loops =
        [
            Task.Run(() => expiry.RunAsync(ending.Token)),
            Task.Run(() => registry.Publisher.RunAsync(ending.Token)),
            Task.Run(() => sync.RunAsync(ending.Token)),
        ];
    }

    public InstanceRegistry Registry { get; }

    public Listeners Listeners { get; }

    public List<AuditEvent> Audit { get; } = [];

    /// <summary>A principal that is none any more.</summary>
    public string? Revoked { get; set; }

    public Uri Address => Listeners.UrlOf(ListenerDefinition.Api);

    public static async Task<OpenRegistry> StartAsync(RegistryOptions? options = null, int port = 0)
    {
        var place = new TemporaryDirectory();
        var engine = await SqliteStorage.OpenAsync(
            new SqliteOptions { Path = place.Combine(
                "store.db") }, TimeProvider.System, NullLoggerFactory.Instance, default);
        await engine.MigrateAsync(RegistryStore.Migrations, default);
        var store = new RegistryStore(engine, "a", isShared: false);
        var numbers = new Numbers();
        numbers.Raise(await store.BeginAsync(0, default));
        var registry = new InstanceRegistry(
            options ?? new RegistryOptions(), "a", "store", TimeProvider.System, NullLogger.Instance, numbers);
        var sync = new StoreSync(registry, store, TimeProvider.System, NullLogger.Instance);
        await sync.LoadAsync(default);
        var open = new OpenRegistry(place, engine, registry, sync, store, port);
        await open.Listeners.StartAsync(default);
        return open;
    }

    public HttpClient Client(string may = All)
    {
        var client = new HttpClient { BaseAddress = Address, Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", may);
        return client;
    }

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? body = null, string? may = All)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(
            method, new Uri(Address, "/groundwork/v1/registry/" + path)) { Content = body };
        if (may is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", may);
        return await client.SendAsync(request);
    }

    public async Task<RegistrationAnswer> RegisterAsync(InstanceDocument document)
    {
        using var answer = await SendAsync(
            HttpMethod.Put, "instances", JsonContent.Create(document, WireJson.Strict.InstanceDocument));
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync(WireJson.Strict.RegistrationAnswer))!; // A success has a body.
    }

    public async Task<ServiceDocument> GetAsync(string path)
    {
        using var answer = await SendAsync(HttpMethod.Get, path);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync(WireJson.Strict.ServiceDocument))!; // A success has a body.
    }

    /// <summary>An operator has written a resource.</summary>
    public void Say<TSpec>(Kind<TSpec> kind, string name, TSpec spec)
        where TSpec : class
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(spec, (JsonTypeInfo<TSpec>)kind.SpecTypeInfo);
        var before = said;
        var key = new ResourceKey(kind.Name, "default", name);
        var change = new AppliedChange(before.Revision + 1, 0, key, before.Find(key), new Resource
        {
            Key = key,
            Version = 1,
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            Spec = text,
            SpecHash = SHA256.HashData(text),
            Revision = before.Revision + 1,
            ChangedBy = "olga",
            ChangedAt = DateTimeOffset.UnixEpoch,
            Kind = kind,
        }, EndsChangeset: true);
        said = before.With(change.Revision, [change]);
        Registry.TakePolicies(new SnapshotChange(before, [change], said), record: true);
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
        await Listeners.StopAsync(patience.Token);
        await Listeners.DisposeAsync();
        await ending.CancelAsync();
        foreach (var loop in loops)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        await storage.DisposeAsync();
        ending.Dispose();
        directory.Dispose();
    }

    private static ValueTask<Outcome<Principal>> AuthenticateAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        return ValueTask.FromResult<Outcome<Principal>>(
            header.Length == 0 ? Principal.Anonymous : new Principal(header["Bearer ".Length..], []));
    }

    private static Fault? Authorize(Principal principal, Verb verb, ResourceKey target) =>
        target.Namespace == "default" && principal.Name.Split(',').Contains(verb.ToString().ToLowerInvariant())
            ? null
            : new Fault(ErrorCodes.Forbidden, $"{principal.Name} may not {verb} {target}.");
}
