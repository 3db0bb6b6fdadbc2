using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>The sources in force: those that the resources name, each as of its newest version.</summary>
internal sealed partial class ConfigSources : IAsyncDisposable
{
    private const string FolderName = "config-sources";

    private readonly Node node;
    private readonly SourceGround ground;
    private readonly ILogger logger;
    private readonly Func<ConfigSourceSpec?, IConfigBackend> settings;
    private readonly IDisposable subscription;
    private readonly Dictionary<string, Task> endings = new(StringComparer.Ordinal); // The publisher's thread alone.
    private IReadOnlyList<ConfigSource> sources = [];
    private IReadOnlyList<IConfigBackend> backends;

    /// <param name="settings">Makes the backend of our settings, as a source says that they count.</param>
    public ConfigSources(Node node, Func<ConfigSourceSpec?, IConfigBackend> settings)
    {
        this.node = node;
        this.settings = settings;
        logger = node.Logs.CreateLogger<ConfigSources>();
        ground = new SourceGround(
            Path.Combine(node.DataDirectory.Path, FolderName),
            node.Configuration.FileRoots,
            new AddressGuard(
                () => node.Listeners.Addresses.Values.SelectMany(addresses => addresses),
                node.Configuration.LinkLocalUpstreams),
            node.Time);
        backends = [settings(null)];
        node.Health.Add("config-sources", Explain);
        subscription = node.Snapshots.Subscribe(Apply);
    }

    /// <summary>All, in order of what counts first.</summary>
    public IReadOnlyList<IConfigBackend> Backends => Volatile.Read(ref backends);

    public IReadOnlyList<ConfigSource> Sources => Volatile.Read(ref sources);

    public async ValueTask DisposeAsync()
    {
        subscription.Dispose();
        foreach (var source in Sources) await source.DisposeAsync();
        await Task.WhenAll(endings.Values);
    }

    private void Apply(SnapshotChange change)
    {
        if (!change.Touches(ConfigSourceKind.Name)) return;
        var before = Sources.ToDictionary(source => source.Name, StringComparer.Ordinal);
        var next = new List<ConfigSource>();
        ConfigSourceSpec? own = null;
        var wanted = change.After.Of(ConfigSourceKind.Name).OrderBy(one => one.Key.Name, StringComparer.Ordinal);
        foreach (var (key, resource) in wanted)
        {
            if (before.Remove(key.Name, out var running) && running.Revision == resource.Revision)
            {
                next.Add(running);
                continue;
            }
            var spec = resource.As<ConfigSourceSpec>();
            if (running is not null) End(running, DirectoryOf(key.Name, spec));
            if (spec.Settings) own = spec;
            else next.Add(Start(key.Name, resource, spec));
        }
        foreach (var gone in before.Values) End(gone, kept: null);
        Volatile.Write(ref sources, next);
        Volatile.Write(ref backends, [
            .. next.Select(source => (IConfigBackend)new SourceBackend(source, node.Authorizer)).Prepend(settings(own))
                .OrderBy(backend => backend.Order),
        ]);
    }

    private ConfigSource Start(string name, Resource resource, ConfigSourceSpec spec) => new(
        name, resource.Revision, spec, OriginOf(name, resource, spec),
        endings.GetValueOrDefault(name, Task.CompletedTask), node.Time, logger)
    {
        WebhookSecret = SecretOf(resource, "webhookSecret"),
    };

    /// <param name="kept">The copy that the one in its place goes on with; any other is of no use now.</param>
    private void End(ConfigSource source, string? kept) => endings[source.Name] = Task.WhenAll(
        endings.GetValueOrDefault(source.Name, Task.CompletedTask),
        Task.Run(async () =>
        {
            await source.DisposeAsync();
            var copy = DirectoryOf(source.Name, source.Spec);
            if (copy != kept && Directory.Exists(copy)) Directory.Delete(copy, recursive: true);
        }));

    private string DirectoryOf(string name, ConfigSourceSpec spec) => Path.Combine(
        ground.Directory,
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\n{spec.Git ?? spec.Svn}")))[..32]);

    private ConfigOrigin OriginOf(string name, Resource resource, ConfigSourceSpec spec)
    {
        if (spec.Folder is not null) return new FolderOrigin(spec, ground.FileRoots);
        var password = SecretOf(resource, "password");
        var directory = DirectoryOf(name, spec);
        if (spec.Svn is not null)
            return new SvnOrigin(spec, new SvnClient(spec, password, directory, ground), node.Time);
        return new GitOrigin(spec, new GitMirror(spec, password, directory, ground));
    }

    /// <summary>A secret of a source in clear; null where it has none.</summary>
    private string? SecretOf(Resource resource, string field)
    {
        if (node.OpenSecrets is not { } open) return null;
        try
        {
            using var document = JsonDocument.Parse(open(resource));
            return document.RootElement.TryGetProperty(field, out var secret)
                && secret.ValueKind == JsonValueKind.String ? secret.GetString() : null;
        }
        catch (Exception failure) when (failure is FormatException or JsonException or CryptographicException)
        {
            LogNotUnderstood(resource.Key.Name, failure.Message); // It goes on without, and says what is refused to it.
            return null;
        }
    }

    private string? Explain()
    {
        var failing = Sources.Where(source => source.Failure is not null).ToList();
        return failing.Count == 0 ? null : string.Join("; ", failing.Select(one => $"{one.Name}: {one.Failure}"));
    }

    [LoggerMessage(1, LogLevel.Error, "The secrets of the source of configuration {Source} cannot be opened: {Why}")]
    private partial void LogNotUnderstood(string source, string why);
}
