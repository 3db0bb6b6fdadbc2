using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Microsoft.Extensions.Logging;

namespace Groundwork.Tests.Support;

/// <summary>
/// A whole node on a temporary directory: SQLite, real listeners on free ports, the modules that a test gives it. Its
/// clients call as the local user, who administers the node, or with an access key.
/// </summary>
public sealed class RunningNode : IAsyncDisposable
{
    private readonly TemporaryDirectory? own;
    private readonly List<HttpClient> clients = [];
    private readonly ConsoleLogs logs;

    private RunningNode(NodeHost host, TemporaryDirectory? own, ConsoleLogs logs, StringWriter log)
    {
        Host = host;
        this.own = own;
        this.logs = logs;
        Log = log;
        Local = Keep(UnixSocketClient.Over(host.Node.DataDirectory.ApiSocket));
    }

    public NodeHost Host { get; }

    public Node Node => Host.Node;

    /// <summary>The API over the Unix socket: everything is allowed.</summary>
    public HttpClient Local { get; }

    /// <summary>Every line that the node has logged so far.</summary>
    public StringWriter Log { get; }

    /// <param name="modules">In any order; their names need not be in the module table.</param>
    /// <param name="configure">Changes the configuration, such as the database; ports are free ones already.</param>
    /// <param name="directory">A data directory to start on again; null: a new one, deleted at the end.</param>
    public static async Task<RunningNode> StartAsync(
        IReadOnlyCollection<IModule>? modules = null,
        Func<ProcessConfiguration, ProcessConfiguration>? configure = null,
        string? directory = null,
        TimeProvider? time = null,
        LogLevel level = LogLevel.Information)
    {
        modules ??= [];
        var temporary = directory is null ? new TemporaryDirectory() : null;
        directory ??= temporary!.Combine("data"); // Made on the line above when there is none.
        var configuration = Configure(modules, directory);
        var log = new StringWriter();
        var console = new ConsoleLogs(TextWriter.Synchronized(log), time ?? TimeProvider.System, level);
        try
        {
            var parts = new NodeHostParts(
                configure?.Invoke(configuration) ?? configuration, modules, time ?? TimeProvider.System, console)
            {
                Revision = console.Revision,
            };
            return new RunningNode(await NodeHost.StartAsync(parts, CancellationToken.None), temporary, console, log);
        }
        catch
        {
            await console.DisposeAsync();
            temporary?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The configuration of a node for tests: a directory, and every listener on a free port of loopback.
    /// </summary>
    public static ProcessConfiguration Configure(IReadOnlyCollection<IModule> modules, string directory)
    {
        var declaration = new ModuleDeclaration();
        foreach (var module in modules) module.Declare(declaration);
        var anywhere = new ListenerOptions { Address = ListenAddress.Parse("127.0.0.1:0", "The test's address") };
        return new ProcessConfiguration
        {
            DataDirectory = directory,
            NodeName = "test",
            RootKeyFile = Path.Combine(directory, "root.key"),
            Modules = new ModuleSelection([.. modules.Select(DefinitionOf)], IsEdge: false),
            Listeners = declaration.Listeners
                .Where(listener => listener.SharedWith is null)
                .Select(listener => listener.Name)
                .Append(ListenerDefinition.Api)
                .ToImmutableDictionary(name => name, _ => anywhere, StringComparer.Ordinal),
        };
    }

    /// <summary>A client over TCP; without a key it is anonymous.</summary>
    public HttpClient Client(string? accessKey = null, string listener = ListenerDefinition.Api)
    {
        var client = Keep(new HttpClient { BaseAddress = Node.Listeners.UrlOf(listener) });
        if (accessKey is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", accessKey);
        return client;
    }

    /// <summary>A new access key with these roles and grants.</summary>
    public async Task<string> MintAsync(string name, IReadOnlyList<string> roles, IReadOnlyList<Grant>? grants = null)
    {
        var (secret, hash) = AccessKeys.Mint();
        var changes = Node.Changes ?? throw new InvalidOperationException("A follower mints no keys.");
        var commit = await changes.CommitAsync(
            new Changeset(
                Principal.System("test"),
                [Change.Put(SecurityKinds.AccessKey, "", name, new AccessKeySpec(hash, roles) { Grants = grants })]),
            CancellationToken.None);
        return commit.TryGet(out _, out var fault) ? secret : throw new InvalidOperationException(fault.ToString());
    }

    public Task StopAsync() => Host.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients) client.Dispose();
        await Host.DisposeAsync();
        await logs.DisposeAsync();
        own?.Dispose();
    }

    private static ModuleDefinition DefinitionOf(IModule module) =>
        Modules.Table.FirstOrDefault(
            definition => definition.Name == module.Name) ?? new ModuleDefinition(module.Name, Layer.Services);

    private HttpClient Keep(HttpClient client)
    {
        clients.Add(client);
        return client;
    }
}
