using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>
/// The one program that asks a Subversion repository. What it brings is exported to a folder, read like any other, and
/// kept for a restart; externals are left out, and links are no files.
/// </summary>
internal sealed class SvnClient(ConfigSourceSpec spec, string? password, string directory, SourceGround ground)
{
    /// <summary>Bytes of names of branches and tags.</summary>
    private const int MaxListing = 1024 * 1024;

    private readonly string address = spec.Svn!.TrimEnd('/'); // The kind holds it to one place, and this is it.

    /// <summary>Null when the repository may be called; else why not.</summary>
    public async Task<Fault?> ExplainAsync(CancellationToken cancellationToken)
    {
        foreach (var folder in new[] { directory, Home, Trees })
            Directory.CreateDirectory(
                folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return (await ground.ResolveAsync(address, cancellationToken)).Fault;
    }

    /// <summary>The newest revision of the repository.</summary>
    public async Task<Outcome<long>> NewestAsync(CancellationToken cancellationToken)
    {
        var said = await RunAsync(["info", "--show-item", "revision", "--", address + "@"], cancellationToken);
        if (!said.TryGet(out var text, out var fault)) return fault;
        return long.TryParse(Encoding.ASCII.GetString(text), NumberStyles.AllowTrailingWhite
            | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var revision)
            ? revision
            : new Fault(ErrorCodes.SourceUnavailable, "svn says no revision.");
    }

    /// <summary>What is in <c>branches</c> or <c>tags</c>; nothing where the repository has no such folder.</summary>
    public async Task<Outcome<HashSet<string>>> ListAsync(
        string folder, long revision, CancellationToken cancellationToken)
    {
        var top = await NamesAsync(address, revision, cancellationToken);
        if (!top.TryGet(out var names, out var fault)) return fault;
        return names.Contains(folder)
            ? await NamesAsync($"{address}/{folder}", revision, cancellationToken)
            : new HashSet<string>(StringComparer.Ordinal);
    }

    /// <summary>The revision that last changed a folder.</summary>
    public async Task<Outcome<string>> VersionAsync(string folder, long revision, CancellationToken cancellationToken)
    {
        var said = await RunAsync(
            ["info", "--show-item", "last-changed-revision", "--", At(folder, revision)], cancellationToken);
        return said.TryGet(out var text, out var fault) ? Encoding.ASCII.GetString(text).Trim() : fault;
    }

    /// <summary>All files of a folder.</summary>
    public async Task<Outcome<SourceTree>> ReadAsync(
        string folder, string label, string version, long revision, CancellationToken cancellationToken)
    {
        var place = PlaceOf(label);
        var next = place + ".next";
        Remove(next);
        var exported = await RunAsync(
            ["export", "--quiet", "--ignore-externals", "--ignore-keywords", "--", At(folder, revision), next + "@"],
            cancellationToken, () => ExplainSize(next));
        var read = exported.Fault is { } fault ? fault : FolderScan.Read(RealPath.Of(next) ?? next, cancellationToken);
        if (!read.TryGet(out var files, out fault))
        {
            Remove(next);
            return fault;
        }
        Remove(place);
        Directory.Move(next, place);
        await File.WriteAllTextAsync(place + ".version", $"{label}\n{version}", cancellationToken);
        return new SourceTree(version, label, files);
    }

    /// <summary>What was kept of labels before a restart.</summary>
    public async Task<List<SourceTree>> RestoreAsync(CancellationToken cancellationToken)
    {
        var trees = new List<SourceTree>();
        if (!Directory.Exists(Trees)) return trees;
        foreach (var file in Directory.EnumerateFiles(Trees, "*.version"))
        {
            var kept = (await File.ReadAllTextAsync(file, cancellationToken)).Split('\n');
            var place = file[..^".version".Length];
            if (kept is not [var label, var version] || PlaceOf(label) != place || RealPath.Of(place) is not { } real)
                continue;
            if (FolderScan.Read(real, cancellationToken).TryGet(out var files, out _))
                trees.Add(new SourceTree(version, label, files));
        }
        return trees;
    }

    /// <summary>Forgets what is no longer there.</summary>
    public void Forget(string label)
    {
        File.Delete(PlaceOf(label) + ".version");
        Remove(PlaceOf(label));
    }

    private string Home => Path.Combine(directory, "home");

    private string Trees => Path.Combine(directory, "trees");

    private string PlaceOf(string label) => Path.Combine(
        Trees, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(label)))[..32]);

    // What follows the last @ is a revision, so that one in a name is none.
    private string At(string folder, long revision) => string.Create(
        CultureInfo.InvariantCulture,
        $"{address}/{string.Join('/', folder.Split('/').Select(Uri.EscapeDataString))}@{revision}");

    private async Task<Outcome<HashSet<string>>> NamesAsync(
        string folder, long revision, CancellationToken cancellationToken)
    {
        var said = await RunAsync(
            ["ls", "--", string.Create(CultureInfo.InvariantCulture, $"{folder}@{revision}")], cancellationToken);
        if (!said.TryGet(out var text, out var fault)) return fault;
        return Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(name => name.EndsWith('/')).Select(name => name[..^1]).ToHashSet(StringComparer.Ordinal);
    }

    private Task<Outcome<byte[]>> RunAsync(
        string[] arguments, CancellationToken cancellationToken, Func<string?>? watch = null)
    {
        var settings = new List<string>
        {
            arguments[0], "--non-interactive", "--no-auth-cache", "--config-dir", Path.Combine(Home, "subversion"),
            "--config-option", "servers:global:store-plaintext-passwords=no",
            "--config-option", "config:auth:password-stores=",
        };
        if (spec.Username is { } user) settings.AddRange(["--username", user]);
        byte[]? input = null;
        if (password is not null)
        {
            settings.Add("--password-from-stdin");
            input = Encoding.UTF8.GetBytes(password + "\n");
        }
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["HOME"] = Home };
        return new ToolCall(
            "svn", [.. settings, .. arguments.Skip(1)], environment, TimeSpan.FromSeconds(spec.TimeoutSeconds), input)
        {
            MaxOutputBytes = MaxListing, Secret = password, Watch = watch,
        }.RunAsync(ground.Time, cancellationToken);
    }

    private string? ExplainSize(string folder)
    {
        if (!Directory.Exists(folder)) return null;
        var bytes = 0L;
        try
        {
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories))
                bytes += file.Length;
        }
        catch (IOException)
        {
            return null; // A file that svn has just put in its place; the next look counts again.
        }
        return bytes > spec.MaxMegabytes * 1024L * 1024
            ? $"was ended: the folder is larger than {spec.MaxMegabytes} MiB, and what was there before stays"
            : null;
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
