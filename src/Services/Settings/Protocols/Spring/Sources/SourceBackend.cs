using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>
/// The files of a source for requests. Who may read the setting <c>application/file</c> of the source's namespace may
/// read the file; a plain file of a folder that is of no application takes the right to all of the namespace.
/// </summary>
internal sealed class SourceBackend(ConfigSource source, Authorizer authorizer) : IConfigBackend
{
    /// <summary>Folders that one request may come to, with all that stands in for placeholders.</summary>
    public const int MaxFolders = 64;

    /// <summary>What only a right to all settings of a namespace covers.</summary>
    private const string All = "*";

    public int Order => source.Spec.Order;

    public string Name => source.Name;

    public async ValueTask<Outcome<ConfigFiles?>> OpenAsync(
        SpringQuery query, SettingCaller caller, CancellationToken cancellationToken)
    {
        if (!query.Applications.Any(source.Spec.IsFor)) return (ConfigFiles?)null;
        var found = await source.FindAsync(query.Label, cancellationToken);
        if (found.Fault is { } fault) return fault;
        if (found.Value is not { } tree) return (ConfigFiles?)null;
        var folders = FoldersOf(query, tree);
        return folders.Count > MaxFolders
            ? new Fault(ErrorCodes.BadRequest, $"The request comes to more than {MaxFolders} folders of {Name}.")
            : new Files(this, tree, folders, caller);
    }

    /// <summary>The folders that are there, each with the application that alone it is of.</summary>
    private List<(string Folder, string? Application)> FoldersOf(SpringQuery query, SourceTree tree)
    {
        var folders = new List<(string, string?)>();
        foreach (var path in source.Spec.Paths is { Count: > 0 } paths ? paths : ["/"])
        {
            var labelled = (path == "/" ? "" : path.Trim('/'))
                .Replace("{label}", tree.Label, StringComparison.Ordinal);
            var isOfOne = labelled.Contains("{application}", StringComparison.Ordinal);
            foreach (var application in isOfOne ? query.Applications.Reverse() : [""])
            {
                var owned = labelled.Replace("{application}", application, StringComparison.Ordinal);
                var isOfProfile = owned.Contains("{profile}", StringComparison.Ordinal);
                foreach (var profile in isOfProfile ? query.Profiles.Reverse() : [""])
                {
                    var folder = owned.Replace("{profile}", profile, StringComparison.Ordinal);
                    if (tree.Folders.Contains(folder) && !folders.Exists(one => one.Item1 == folder))
                        folders.Add((folder, isOfOne ? application : null));
                }
            }
        }
        return folders;
    }

    private sealed class Files(
        SourceBackend backend, SourceTree tree, List<(string Folder, string? Application)> folders,
        SettingCaller caller) : ConfigFiles
    {
        public override string? Version => tree.Version;

        public override string? Label => tree.Label.Length == 0 ? null : tree.Label;

        public override IReadOnlyList<string> Folders { get; } = [.. folders.Select(one => one.Folder)];

        public override ValueTask<Outcome<ConfigFile?>> ReadAsync(
            string path, string? application, CancellationToken cancellationToken) =>
            ValueTask.FromResult(Read(path, application));

        private Outcome<ConfigFile?> Read(string path, string? application)
        {
            if (!tree.Files.TryGetValue(path, out var file)) return (ConfigFile?)null;
            var target = TargetOf(path, application);
            if (!backend.MayRead(caller, target)) return (ConfigFile?)null;
            var name = backend.NameOf(tree, path);
            if (file.Text() is not { } text)
                return new Fault(
                    ErrorCodes.SourceUnavailable,
                    $"{name} is no text in UTF-8 of at most {SourceTree.MaxFileBytes} bytes.");
            return new ConfigFile(name, text, null, file.Version, target);
        }

        private ResourceKey TargetOf(string path, string? application)
        {
            // The longest folder that it is in: / has all of them.
            var (folder, owner) = folders
                .Where(one => one.Folder.Length == 0 || path.StartsWith(one.Folder + "/", StringComparison.Ordinal))
                .MaxBy(one => one.Folder.Length);
            var below = folder.Length == 0 ? path : path[(folder.Length + 1)..];
            if (owner is null && application is null) return backend.Target(All);
            return backend.Target(
                $"{owner ?? (application == SpringQuery.Everybody ? SettingsBackend.Shared : application)}/{below}");
        }
    }

    private ResourceKey Target(string name) => new(SettingKind.Name, source.Spec.Namespace, name);

    private bool MayRead(SettingCaller caller, ResourceKey target) =>
        authorizer.Allows(caller.Principal, Verb.Read, target);

    private string NameOf(SourceTree tree, string path) => source.Origin.NameOf(tree, path);
}
