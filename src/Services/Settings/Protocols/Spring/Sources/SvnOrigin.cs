using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>
/// A Subversion repository with <c>trunk</c>, <c>branches</c> and <c>tags</c>. The default label and those that were
/// asked for are brought by the loop; the first request for a label waits for the look that brings it.
/// </summary>
internal sealed class SvnOrigin(ConfigSourceSpec spec, SvnClient client, TimeProvider time) : ConfigOrigin
{
    private const string Trunk = "trunk";

    /// <summary>Labels that are kept up to date; of more, the one that was asked for first is left out.</summary>
    private const int MaxLabels = 8;

    /// <summary>What a request waits for a label that was never asked for.</summary>
    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new(); // Guards what is below.
    private readonly List<string> wanted = [];
    private readonly Dictionary<string, SourceTree> trees = new(StringComparer.Ordinal);
    private HashSet<string>? branches;
    private HashSet<string>? tags;

    /// <summary>Looks now.</summary>
    public Func<Task>? Look { get; set; }

    private string Default => spec.Label ?? Trunk;

    public override async Task<bool> RestoreAsync(CancellationToken cancellationToken)
    {
        var kept = await client.RestoreAsync(cancellationToken);
        lock (gate)
        {
            foreach (var tree in kept)
            {
                trees[tree.Label] = tree;
                if (tree.Label != Default && wanted.Count < MaxLabels) wanted.Add(tree.Label);
            }
            return trees.ContainsKey(Default);
        }
    }

    public override async Task<Fault?> RefreshAsync(CancellationToken cancellationToken)
    {
        if (await client.ExplainAsync(cancellationToken) is { } forbidden) return forbidden;
        var newest = await client.NewestAsync(cancellationToken);
        if (!newest.TryGet(out var revision, out var fault)) return fault;
        var listedBranches = await client.ListAsync("branches", revision, cancellationToken);
        if (!listedBranches.TryGet(out var someBranches, out fault)) return fault;
        var listedTags = await client.ListAsync("tags", revision, cancellationToken);
        if (!listedTags.TryGet(out var someTags, out fault)) return fault;
        List<string> labels;
        lock (gate)
        {
            (branches, tags) = (someBranches, someTags);
            labels = [.. wanted.Prepend(Default).Distinct(StringComparer.Ordinal)];
        }
        Fault? first = null;
        foreach (var label in labels)
            first ??= await BringAsync(label, revision, cancellationToken);
        return first;
    }

    public override async ValueTask<Outcome<SourceTree?>> FindAsync(string? label, CancellationToken cancellationToken)
    {
        var name = label ?? Default;
        var isKnown = false;
        lock (gate)
        {
            if (trees.TryGetValue(name, out var tree)) return tree;
            if (branches is null) return Unavailable($"{spec.Svn} was not read yet.");
            isKnown = FolderOf(name) is not null;
            if (isKnown && !wanted.Contains(name))
            {
                if (wanted.Count >= MaxLabels) wanted.RemoveAt(0);
                wanted.Add(name);
            }
        }
        if (!isKnown) return label is null ? Unavailable($"{spec.Svn} has no {name}.") : (SourceTree?)null;
        try
        {
            if (Look is { } look) await look().WaitAsync(FirstPatience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It goes on being brought.
        }
        lock (gate)
        {
            return trees.TryGetValue(name, out var tree)
                ? tree
                : Unavailable($"{name} of {spec.Svn} was not read yet.");
        }
    }

    public override string NameOf(SourceTree tree, string path)
    {
        var root = spec.Svn!.TrimEnd('/'); // It has an address, as in the client.
        lock (gate) return $"{root}/{FolderOf(tree.Label) ?? tree.Label}/{path}";
    }

    // Under the lock. Only what was listed is ever asked for, so that no label leads elsewhere in the repository.
    private string? FolderOf(string label) => label == Trunk ? Trunk
        : branches?.Contains(label) == true ? $"branches/{label}"
        : tags?.Contains(label) == true ? $"tags/{label}"
        : null;

    private async Task<Fault?> BringAsync(string label, long revision, CancellationToken cancellationToken)
    {
        string? folder;
        SourceTree? known;
        lock (gate) (folder, known) = (FolderOf(label), trees.GetValueOrDefault(label));
        if (folder is null)
        {
            lock (gate)
            {
                trees.Remove(label);
                wanted.Remove(label);
            }
            client.Forget(label);
            return label == Default ? Unavailable($"{spec.Svn} has no {label}.") : null;
        }
        var version = await client.VersionAsync(folder, revision, cancellationToken);
        if (!version.TryGet(out var changed, out var fault)) return fault;
        if (known?.Version == changed) return null;
        var read = await client.ReadAsync(folder, label, changed, revision, cancellationToken);
        if (!read.TryGet(out var tree, out fault)) return fault;
        lock (gate) trees[label] = tree;
        return null;
    }
}
