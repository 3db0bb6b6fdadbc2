using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>
/// A git repository. A label is a branch, a tag or a commit that one of them has, as of the last fetch that went well.
/// </summary>
internal sealed class GitOrigin(ConfigSourceSpec spec, GitMirror mirror) : ConfigOrigin, IDisposable
{
    /// <summary>Commits whose files are kept in memory.</summary>
    private const int MaxTrees = 8;

    /// <summary>Hexadecimal digits of the shortest name of a commit that is taken for one.</summary>
    private const int MinCommitLength = 7;

    private readonly SemaphoreSlim reading = new(1, 1); // One local git at a time; guards what is below.
    private readonly List<SourceTree> trees = []; // The one used last at the end.
    private GitRefs? refs;

    public override async Task<bool> RestoreAsync(CancellationToken cancellationToken)
    {
        var known = await mirror.RestoreAsync(cancellationToken);
        Volatile.Write(ref refs, known);
        return known is not null;
    }

    public override async Task<Fault?> RefreshAsync(CancellationToken cancellationToken)
    {
        var known = Volatile.Read(ref refs);
        var fetched = await mirror.FetchAsync(known, cancellationToken);
        if (!fetched.TryGet(out var now, out var fault)) return fault;
        // What most ask for is read before it counts: a commit that is beyond the bounds never does.
        if (Default(now) is { } commit)
        {
            var read = await ReadAsync(commit, commit, cancellationToken);
            if (!read.TryGet(out _, out fault)) return fault;
        }
        await mirror.KeepAsync(now, cancellationToken);
        Volatile.Write(ref refs, now);
        return Default(now) is null ? Unavailable($"{spec.Git} has no {spec.Label ?? "main or master"}.") : null;
    }

    public override async ValueTask<Outcome<SourceTree?>> FindAsync(string? label, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref refs) is not { } now) return Unavailable($"{spec.Git} was not fetched yet.");
        var name = label ?? spec.Label
            ?? (now.Find("main") is null && now.Find("master") is not null ? "master" : "main");
        if (now.Find(name) is { } commit) return await ReadForAsync(commit, name, cancellationToken);
        if (label is null) return Unavailable($"{spec.Git} has no {name}.");
        if (name.Length is < MinCommitLength or > 64 || !name.All(char.IsAsciiHexDigit)) return (SourceTree?)null;
        await reading.WaitAsync(cancellationToken);
        try
        {
            commit = await mirror.FindCommitAsync(name.ToLowerInvariant(), cancellationToken);
        }
        finally
        {
            reading.Release();
        }
        return commit is null ? (SourceTree?)null : await ReadForAsync(commit, name, cancellationToken);
    }

    // It has an address, as in the mirror.
    public override string NameOf(SourceTree tree, string path) => $"{spec.Git!.TrimEnd('/')}/{path}";

    public void Dispose() => reading.Dispose();

    private string? Default(GitRefs now) =>
        spec.Label is { } label ? now.Find(label) : now.Find("main") ?? now.Find("master");

    private async ValueTask<Outcome<SourceTree?>> ReadForAsync(
        string commit, string label, CancellationToken cancellationToken)
    {
        var read = await ReadAsync(commit, label, cancellationToken);
        return read.TryGet(out var tree, out var fault) ? tree with { Label = label } : fault;
    }

    private async Task<Outcome<SourceTree>> ReadAsync(string commit, string label, CancellationToken cancellationToken)
    {
        await reading.WaitAsync(cancellationToken);
        try
        {
            if (trees.Find(one => one.Version == commit) is { } known)
            {
                trees.Remove(known);
                trees.Add(known);
                return known;
            }
            var read = await mirror.ReadTreeAsync(commit, label, cancellationToken);
            if (!read.TryGet(out var tree, out _)) return read;
            if (trees.Count >= MaxTrees) trees.RemoveAt(0);
            trees.Add(tree);
            return tree;
        }
        finally
        {
            reading.Release();
        }
    }
}
