using System.Security.Cryptography;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Hosting.Running;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting;

/// <summary>What a node is made of.</summary>
/// <param name="Modules">
/// Those that the configuration selects and what they need, in any order. On a node that follows another, what is
/// needed and not selected reads from that node.
/// </param>
public sealed record NodeHostParts(
    ProcessConfiguration Configuration, IReadOnlyCollection<IModule> Modules, TimeProvider Time, ILoggerFactory Logs)
{
    /// <summary>Told when the snapshot is loaded, so that the log can stamp the revision.</summary>
    public RevisionInForce? Revision { get; init; }

    /// <summary>Sockets that are open already.</summary>
    public InheritedSockets Inherited { get; init; } = InheritedSockets.None;

    /// <summary>Maps pages for people beside the API; only where there is a store to sign in to.</summary>
    public Action<IEndpointRouteBuilder>? Pages { get; init; }
}

/// <summary>
/// The composition root of the kernel: starts a node step by step and stops it in reverse. A step that fails closes
/// what the steps before it have opened.
/// </summary>
public sealed partial class NodeHost : IAsyncDisposable
{
    /// <summary>
    /// For what follows the drain: modules write what is not written, the audit its last checkpoint. A database that is
    /// away must not keep a process for ever.
    /// </summary>
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(15);

    private static readonly ListenerDefinition ApiListener =
        new(ListenerDefinition.Api, ListenerProtocol.Http, "127.0.0.1:7400");

    private readonly NodeHostParts parts;
    private readonly IReadOnlyList<IModule> modules;
    private readonly OpenParts open;
    private readonly ILogger logger;
    private readonly DateTimeOffset startedAt;
    private readonly SemaphoreSlim stopping = new(1, 1);
    private Node? node;
    private bool stopped;

    private NodeHost(NodeHostParts parts)
    {
        this.parts = parts;
        modules = InStartOrder(parts);
        logger = parts.Logs.CreateLogger<NodeHost>();
        open = new OpenParts(logger);
        startedAt = parts.Time.GetUtcNow();
    }

    /// <summary>The running node.</summary>
    public Node Node => node ?? throw new InvalidOperationException("The node has not started.");

    /// <summary>The first operator's password, when this start made it; null otherwise.</summary>
    public FirstPassword? FirstPassword { get; private set; }

    /// <summary>Starts everything; when it returns, the listeners are open and the node is ready.</summary>
    /// <exception cref="StartupException">Something that the operator can mend is in the way; nothing is left
    /// open.</exception>
    public static async Task<NodeHost> StartAsync(NodeHostParts parts, CancellationToken cancellationToken)
    {
        var host = new NodeHost(parts);
        try
        {
            await host.StartAsync(cancellationToken);
            return host;
        }
        catch (Exception failure)
        {
            await host.AbandonAsync();
            if (failure is StorageException storage) throw new StartupException(storage.Fault, storage);
            throw;
        }
    }

    /// <summary>
    /// Stops in reverse: not ready, modules finish what is under way while the listeners are still open, listeners
    /// close, modules stop, the audit writes its checkpoint, the store closes.
    /// </summary>
    /// <param name="hurry">Cuts the drain short; what is acknowledged is still written.</param>
    public async Task StopAsync(CancellationToken hurry)
    {
        await stopping.WaitAsync(CancellationToken.None);
        try
        {
            if (stopped) return;
            stopped = true;
            await DrainAsync(hurry);
            using var patience = new CancellationTokenSource(ClosePatience, parts.Time);
            if (await open.CloseAsync(patience.Token) is { } failure)
                throw new InvalidOperationException(
                    "The node stopped, and a part of it failed to close; the log says which.", failure);
            LogStopped(parts.Configuration.NodeName);
        }
        finally
        {
            stopping.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        stopping.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var configuration = parts.Configuration;
        var declared = Declare();
        var kinds = new KindCatalog(declared.Kinds);
        var directory = DataDirectory.Open(configuration.DataDirectory);
        open.Add("data directory", directory);
        var core = configuration.Follow is { } follow
            ? await Following.OpenAsync(parts, follow, directory, kinds, open, cancellationToken)
            : await StoreOpening.OpenAsync(parts, directory, declared, kinds, open, cancellationToken);
        FirstPassword = core.FirstPassword;
        parts.Revision?.Follow(() => core.Snapshots.Current.Revision);
        node = Compose(directory, declared, kinds, core);
        MapKernel(node, core);
        await StartModulesAsync(node, cancellationToken);
        await node.Listeners.StartAsync(cancellationToken);
        Announce(node, directory);
        node.Health.Open();
        LogReady(node.Name, node.Snapshots.Current.Revision, parts.Time.GetUtcNow() - startedAt);
    }

    private ModuleDeclaration Declare()
    {
        var declaration = new ModuleDeclaration();
        declaration.Add(ApiListener);
        foreach (var kind in ChangeLog.OwnKinds.Concat(SecurityKinds.All)) declaration.Add(kind);
        foreach (var module in modules) module.Declare(declaration);
        return declaration;
    }

    private Node Compose(DataDirectory directory, ModuleDeclaration declared, KindCatalog kinds, NodeCore core)
    {
        var configuration = parts.Configuration;
        var listeners = new Listeners(
            declared.Listeners,
            new ListenersOptions
            {
                ByName = configuration.Listeners,
                WellKnownPorts = configuration.WellKnownPorts,
                ApiSocket = directory.PrepareApiSocket(),
                NextFreePort = configuration.NextFreePort,
                InlineScheduling = configuration.IsEdge,
                Inherited = parts.Inherited,
            },
            new RequestGuards(
                core.Authenticator.AuthenticateAsync,
                core.Authorizer.Authorize,
                core.Store is { } store ? store.Security.Audit.Append : LogRefused,
                () => core.Snapshots.Current.Revision),
            parts.Time,
            parts.Logs);
        open.Add("listeners", listeners);
        var readings = new MeterReadings();
        open.Add("readings of meters", readings);
        var health = new NodeHealth(() => core.Snapshots);
        if (core.Store is { Cluster: var cluster })
            health.Add("store",
                () => cluster.Nodes.IsCutOff ? "cannot be reached; reads are from memory, writes are refused" : null);
        return new Node
        {
            Name = configuration.NodeName,
            Configuration = configuration,
            DataDirectory = directory,
            Time = parts.Time,
            Logs = parts.Logs,
            Kinds = kinds,
            SessionKey = core.Store?.Security.SessionKey ?? RandomNumberGenerator.GetBytes(RootKey.KeyBytes),
            Storage = core.Store?.Storage,
            Snapshots = core.Snapshots,
            OpenSecrets = core.Store is { Security.Secrets: var secrets }
                ? resource => resource.Kind is { } kind
                    ? secrets.Open(kind, resource.Key, resource.Spec)
                    : resource.Spec
                : null,
            Changes = core.Store?.Changes,
            Authorizer = core.Authorizer,
            Authenticator = core.Authenticator,
            Audit = core.Store?.Security.Audit,
            Sealing = core.Store?.Security.Sealing,
            Listeners = listeners,
            Cluster = core.Store?.Cluster,
            Followed = core.Followed,
            Health = health,
            Events = [],
            Metrics = [new ProcessFigures(startedAt, NodeApi.Version), readings],
        };
    }

    private void MapKernel(Node running, NodeCore core)
    {
        var listeners = running.Listeners;
        listeners.Map(ListenerDefinition.Api, new NodeApi(running, startedAt).Map);
        listeners.Map(ListenerDefinition.Api, new MetricsApi(running).Map);
        var access = new AccessApi(core.Authorizer, parts.Time);
        listeners.Map(ListenerDefinition.Api, access.MapWhoAmI);
        if (core.Store is not { } store) return;
        listeners.Map(ListenerDefinition.Api, access.MapAccess);
        var security = new SecurityApi(
            store.Security, store.Changes, parts.Time, HintsForInvited(running.Configuration));
        listeners.Map(ListenerDefinition.Api, security.Map);
        listeners.Map(ListenerDefinition.Api, new AuditApi(store.Security).Map);
        listeners.Map(
            ListenerDefinition.Api, new BrowserSignInApi(store.Security, store.Changes.Snapshots.Current.StoreId).Map);
        var resources = new ResourcesApi(store.Changes, store.Security.Audit);
        if (parts.Pages is { } pages) listeners.Map(ListenerDefinition.Api, pages);
        listeners.Map(ListenerDefinition.Api, resources.Map);
        listeners.Map(ListenerDefinition.Api, new HistoryApi(store.Changes).Map);
        listeners.Map(ListenerDefinition.Api, new ApprovalsApi(store.Changes).Map);
        listeners.Map(ListenerDefinition.Api, new BackupApi(running, store.Storage).Map);
        var changes = new ChangeEvents(store.Changes, parts.Time);
        running.Events.Add(changes);
        running.Events.Add(new AccessEvents(store.Changes.Feed, core.Authorizer, parts.Time));
        listeners.Map(
            ListenerDefinition.Api, new WatchApi(store.Changes, changes, parts.Time, listeners.Stopping).Map);
        listeners.Map(
            ListenerDefinition.Api,
            new EventsApi(running.Events, store.Changes.Authorizer, parts.Time, listeners.Stopping).Map);
    }

    /// <summary>What an invitation tells another node, sealed: the database that both are to share.</summary>
    private static Dictionary<string, string> HintsForInvited(ProcessConfiguration configuration)
    {
        var hints = new Dictionary<string, string>(StringComparer.Ordinal);
        if (configuration.Database.ConnectionString is { } database) hints["database"] = database;
        return hints;
    }

    private async Task StartModulesAsync(Node running, CancellationToken cancellationToken)
    {
        foreach (var module in modules)
        {
            // Before it starts, because a start that fails half way has loops to end too.
            open.Add($"module {module.Name}", token => new ValueTask(module.StopAsync(token)));
            await module.StartAsync(running, cancellationToken);
            LogModuleStarted(module.Name);
        }
    }

    private void Announce(Node running, DataDirectory directory)
    {
        var listeners = running.Listeners;
        var api = listeners.UrlOf(ListenerDefinition.Api).GetLeftPart(UriPartial.Authority);
        running.Cluster?.Nodes.Describe(new NodeAbout(api, NodeApi.Version, [.. modules.Select(module => module.Name)])
            .ToJson());
        open.Add("node file", _ =>
        {
            directory.RemoveNodeFile();
            return ValueTask.CompletedTask;
        });
        directory.Write(new NodeFile(
            running.Name,
            Environment.ProcessId,
            api,
            directory.ApiSocket,
            listeners.Addresses.ToDictionary(
                pair =>
                    pair.Key, pair =>
                        listeners.UrlOf(pair.Key).GetLeftPart(UriPartial.Authority), StringComparer.Ordinal),
            running.Snapshots.Current.StoreId,
            NodeApi.Version,
            startedAt));
    }

    private async Task DrainAsync(CancellationToken hurry)
    {
        if (node is not { } running) return;
        running.Health.Drain();
        LogDraining(running.Name, parts.Configuration.Drain);
        using var bound = new CancellationTokenSource(parts.Configuration.Drain, parts.Time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, hurry);
        foreach (var module in modules.Reverse()) await DrainAsync(module, patience.Token);
        await running.Listeners.StopAsync(patience.Token);
    }

    private async Task DrainAsync(IModule module, CancellationToken patience)
    {
        try
        {
            await module.DrainAsync(patience);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            LogNotDrained(module.Name);
        }
        catch (Exception failure)
        {
            LogDrainFailed(failure, module.Name);
        }
    }

    private async Task AbandonAsync()
    {
        stopped = true;
        using var patience = new CancellationTokenSource(ClosePatience, parts.Time);
        // A failure to close is logged part by part; what kept the node from starting is the news.
        await open.CloseAsync(patience.Token);
    }

    private static IReadOnlyList<IModule> InStartOrder(NodeHostParts parts)
    {
        var wanted = parts.Configuration.Modules.InStartOrder
            .SelectMany(definition => definition.Needs.Append(definition.Name))
            .Distinct()
            .ToArray();
        var given = parts.Modules.ToDictionary(module => module.Name, StringComparer.Ordinal);
        if (given.Count != wanted.Length || !wanted.All(given.ContainsKey))
        {
            throw new ArgumentException(
                $"The configuration involves {string.Join(", ", wanted)}; given are {string.Join(", ", given.Keys)}.",
                nameof(parts));
        }
        return [.. wanted.Select(name => given[name])];
    }

    // A follower has no audit trail to write to.
    private void LogRefused(AuditEvent refused) =>
        LogRefused(refused.Principal, refused.Target, refused.Outcome, refused.Address);

    [LoggerMessage(1, LogLevel.Information, "Node {Name} is ready at revision {Revision} after {Elapsed}")]
    private partial void LogReady(string name, long revision, TimeSpan elapsed);

    [LoggerMessage(2, LogLevel.Information, "Module {Module} has started")]
    private partial void LogModuleStarted(string module);

    [LoggerMessage(3, LogLevel.Information, "Node {Name} drains for at most {Bound}")]
    private partial void LogDraining(string name, TimeSpan bound);

    [LoggerMessage(4, LogLevel.Warning, "Module {Module} did not drain in time; what is under way is cut")]
    private partial void LogNotDrained(string module);

    [LoggerMessage(5, LogLevel.Error, "Module {Module} failed to drain")]
    private partial void LogDrainFailed(Exception failure, string module);

    [LoggerMessage(6, LogLevel.Information, "Node {Name} has stopped")]
    private partial void LogStopped(string name);

    [LoggerMessage(7, LogLevel.Warning, "{Principal} was refused {Target} ({Code}) from {Address}")]
    private partial void LogRefused(string principal, string target, string code, string? address);
}
