using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>
/// A bare copy of a git repository, and the one program that reads and fills it. Nothing is ever checked out: links,
/// hooks, filters and submodules of the repository are only entries of a tree here.
/// </summary>
internal sealed class GitMirror(ConfigSourceSpec spec, string? password, string directory, SourceGround ground)
{
    private const string PasswordVariable = "GROUNDWORK_SOURCE_PASSWORD";
    private const string UserVariable = "GROUNDWORK_SOURCE_USERNAME";

    /// <summary>Local reading of the copy; a disk that takes longer is broken.</summary>
    private static readonly TimeSpan LocalLimit = TimeSpan.FromSeconds(20);

    /// <summary>Bytes of names of a tree or of all branches.</summary>
    private const int MaxListing = 8 * 1024 * 1024;

    /// <summary>Packs after which they are made one, which also drops what no branch has any more.</summary>
    private const int MaxPacks = 20;

    private readonly string repository = Path.Combine(directory, "repository.git");
    private readonly string home = Path.Combine(directory, "home");
    private readonly string address = spec.Git!; // The kind holds it to one place, and this is it.

    private string KnownRefs => Path.Combine(directory, "known-refs");

    private string Packs => Path.Combine(repository, "objects", "pack");

    /// <summary>The branches and tags of the last good fetch, from the disk; null when there was none.</summary>
    public async Task<GitRefs?> RestoreAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(repository)) return null;
        var known = File.Exists(KnownRefs)
            ? GitRefs.Parse(await File.ReadAllTextAsync(KnownRefs, cancellationToken))
            : null;
        TakeBack(known, PacksNow()); // Of a fetch that a stop has cut off.
        return known;
    }

    /// <summary>Fetches all branches and tags; or why not, and then all is as it was.</summary>
    public async Task<Outcome<GitRefs>> FetchAsync(GitRefs? known, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var resolved = await ground.ResolveAsync(address, cancellationToken);
        if (resolved.Fault is { } fault) return fault;
        var places = resolved.Value;
        if (!Directory.Exists(repository))
        {
            var made = await RunAsync(
                ["init", "--quiet", "--bare", "--template=", "--", repository], LocalLimit, cancellationToken);
            if (made.Fault is { } unmade) return unmade;
        }
        WriteAskPass();
        var before = PacksNow();
        var fetched = await RunAsync(
            [
                .. Settings(places), "fetch", "--quiet", "--prune", "--force", "--no-tags", "--no-write-fetch-head",
                "--no-recurse-submodules", "--", address, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
            ],
            TimeSpan.FromSeconds(spec.TimeoutSeconds), cancellationToken, watch: ExplainSize, fetches: true);
        var refs = fetched.Fault is { } failed ? failed : await ReadRefsAsync(cancellationToken);
        if (refs.TryGet(out var now, out fault)) return now;
        TakeBack(known, before);
        return fault;
    }

    /// <summary>Makes what was fetched what counts after a restart.</summary>
    public async Task KeepAsync(GitRefs refs, CancellationToken cancellationToken)
    {
        var next = KnownRefs + ".next";
        await File.WriteAllTextAsync(next, refs.ToText(), cancellationToken);
        File.Move(next, KnownRefs, overwrite: true);
        if (PacksNow().Count <= MaxPacks) return;
        await RunAsync([.. Settings(), "repack", "-a", "-d", "-q"], LocalLimit, cancellationToken);
        // One that was ended leaves its half behind.
        foreach (var file in Directory.EnumerateFiles(Packs))
            if (!Path.GetFileName(file).StartsWith("pack-", StringComparison.Ordinal)) File.Delete(file);
    }

    /// <summary>The full name of a commit that a branch or a tag has; null when none has it.</summary>
    /// <param name="name">7 to 64 hexadecimal digits.</param>
    public async Task<string?> FindCommitAsync(string name, CancellationToken cancellationToken)
    {
        var found = await RunAsync(
            [.. Settings(), "rev-parse", "--verify", "--quiet", "--end-of-options", $"{name}^{{commit}}"],
            LocalLimit, cancellationToken);
        if (!found.TryGet(out var text, out _)) return null;
        var commit = Encoding.ASCII.GetString(text).Trim();
        if (!GitRefs.IsCommit(commit) || !commit.StartsWith(name, StringComparison.OrdinalIgnoreCase)) return null;
        var holders = await RunAsync(
            [.. Settings(), "for-each-ref", "--count=1", $"--contains={commit}", "refs/heads", "refs/tags"],
            LocalLimit, cancellationToken);
        return holders.TryGet(out var lines, out _) && lines.Length > 0 ? commit : null;
    }

    /// <summary>All files of a commit.</summary>
    public async Task<Outcome<SourceTree>> ReadTreeAsync(
        string commit, string label, CancellationToken cancellationToken)
    {
        var listed = await RunAsync(
            [.. Settings(), "ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", commit], LocalLimit,
            cancellationToken);
        if (!listed.TryGet(out var listing, out var fault)) return fault;
        var entries = GitTree.Parse(listing);
        if (!entries.TryGet(out var files, out fault)) return fault;
        var wanted = string.Join(
            '\n', files.Where(one => one.Bytes <= SourceTree.MaxFileBytes).Select(one => one.Object));
        var read = wanted.Length == 0
            ? (Outcome<byte[]>)Array.Empty<byte>()
            : await RunAsync(
                [.. Settings(), "cat-file", "--batch"], LocalLimit, cancellationToken,
                Encoding.ASCII.GetBytes(wanted + "\n"), SourceTree.MaxBytes + MaxListing);
        return read.TryGet(out var contents, out fault) ? GitTree.Read(commit, label, files, contents) : fault;
    }

    private async Task<Outcome<GitRefs>> ReadRefsAsync(CancellationToken cancellationToken)
    {
        var listed = await RunAsync(
            [.. Settings(), "for-each-ref", $"--format={GitRefs.Format}", "refs/heads", "refs/tags"], LocalLimit,
            cancellationToken);
        if (!listed.TryGet(out var text, out var fault)) return fault;
        return GitRefs.Parse(Encoding.UTF8.GetString(text)) is { } refs
            ? refs
            : new Fault(
                ErrorCodes.SourceUnavailable, $"The repository has more than {GitRefs.MaxRefs} branches and tags.");
    }

    private string[] Settings(params ReadOnlySpan<IPAddress> places)
    {
        var url = new Uri(address);
        var scheme = url.Scheme;
        var settings = new List<string>
        {
            "--git-dir", repository,
            "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.symlinks=false",
            "-c", "protocol.allow=never", "-c", $"protocol.{scheme}.allow=always",
            "-c", "fetch.recurseSubmodules=false", "-c", "submodule.recurse=false", "-c", "credential.helper=",
            "-c", "http.followRedirects=false", "-c", "fetch.unpackLimit=1", "-c", "gc.auto=0",
            "-c", "maintenance.auto=false", "-c", "fetch.writeCommitGraph=false",
            // Where the node was killed, nobody else ends a transport that hangs.
            "-c", "http.lowSpeedLimit=1", "-c",
            string.Create(CultureInfo.InvariantCulture, $"http.lowSpeedTime={spec.TimeoutSeconds}"),
        };
        // The very addresses that the guard has seen: git would resolve the name a second time.
        if (places.Length > 0 && scheme is ("https" or "http") && url.HostNameType == UriHostNameType.Dns)
        {
            var at = string.Join(',', places.ToArray().Select(
                place => place.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{place}]" : $"{place}"));
            var port = SourceGround.PortOf(url).ToString(CultureInfo.InvariantCulture);
            settings.AddRange(["-c", $"http.curloptResolve={url.IdnHost}:{port}:{at}"]);
        }
        return [.. settings];
    }

    private Task<Outcome<byte[]>> RunAsync(
        string[] arguments, TimeSpan limit, CancellationToken cancellationToken, byte[]? input = null,
        int maxOutput = MaxListing, Func<string?>? watch = null, bool fetches = false)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["HOME"] = home,
            ["XDG_CONFIG_HOME"] = home,
            ["GIT_CONFIG_NOSYSTEM"] = "1",
            ["GIT_CONFIG_SYSTEM"] = "/dev/null",
            ["GIT_CONFIG_GLOBAL"] = "/dev/null",
            ["GIT_ATTR_NOSYSTEM"] = "1",
            ["GIT_TERMINAL_PROMPT"] = "0",
            ["GIT_ALLOW_PROTOCOL"] = new Uri(address).Scheme,
            ["GIT_PROTOCOL_FROM_USER"] = "0",
            ["GIT_OPTIONAL_LOCKS"] = "0",
            ["GIT_NO_REPLACE_OBJECTS"] = "1",
            ["GIT_NO_LAZY_FETCH"] = "1",
            ["GIT_SSH_COMMAND"] = "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes"
                + " -o ClearAllForwardings=yes -o PermitLocalCommand=no -o ConnectTimeout=10 -o ServerAliveInterval=15",
        };
        if (fetches)
        {
            environment["GIT_ASKPASS"] = AskPass;
            environment[UserVariable] = spec.Username ?? "";
            environment[PasswordVariable] = password ?? "";
        }
        return new ToolCall("git", arguments, environment, limit, input)
        {
            MaxOutputBytes = maxOutput, Watch = watch, Secret = password,
        }.RunAsync(ground.Time, cancellationToken);
    }

    private string AskPass => Path.Combine(directory, "askpass");

    // It holds no secret: those are in the environment of the one program that asks it.
    private void WriteAskPass()
    {
        if (File.Exists(AskPass)) return;
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
        };
        using var file = new StreamWriter(AskPass, new UTF8Encoding(false), options);
        file.Write($"#!/bin/sh\ncase \"$1\" in\n  Username*) printf '%s\\n' \"${UserVariable}\" ;;\n");
        file.Write($"  *) printf '%s\\n' \"${PasswordVariable}\" ;;\nesac\n");
    }

    private string? ExplainSize()
    {
        var bytes = 0L;
        try
        {
            foreach (var file in new DirectoryInfo(repository).EnumerateFiles("*", SearchOption.AllDirectories))
                bytes += file.Length;
        }
        catch (IOException)
        {
            return null; // A file that git has just put away; the next look counts again.
        }
        return bytes > spec.MaxMegabytes * 1024L * 1024
            ? $"was ended: the repository is larger than {spec.MaxMegabytes} MiB, and what was there before stays"
            : null;
    }

    private HashSet<string> PacksNow() => Directory.Exists(Packs)
        ? [.. Directory.EnumerateFiles(Packs, "pack-*.pack").Select(path => Path.GetFileNameWithoutExtension(path))]
        : [];

    // A fetch that failed may have moved branches already, or left packs that are too large.
    private void TakeBack(GitRefs? known, HashSet<string> before)
    {
        if (Directory.Exists(Packs))
        {
            foreach (var file in Directory.EnumerateFiles(Packs))
                if (!before.Contains(Path.GetFileNameWithoutExtension(file))) File.Delete(file);
        }
        foreach (var kind in new[] { "heads", "tags" })
        {
            var folder = Path.Combine(repository, "refs", kind);
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            Directory.CreateDirectory(folder);
        }
        foreach (var left in Directory.EnumerateFiles(repository, "*.lock")) File.Delete(left);
        File.WriteAllText(Path.Combine(repository, "packed-refs"), known?.Packed() ?? "");
    }
}
