using System.Collections.Frozen;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>A folder of this machine. Its label is the default one, or every folder that a path with
/// <c>{label}</c> leads to.</summary>
internal sealed class FolderOrigin(ConfigSourceSpec spec, IReadOnlyCollection<string> roots) : ConfigOrigin
{
    private const string LabelPlace = "{label}";

    private readonly string folder = spec.Folder!; // The kind holds it to one place, and this is it.
    private FrozenDictionary<string, SourceFile>? seen;

    public override Task<Fault?> RefreshAsync(CancellationToken cancellationToken)
    {
        Fault? fault;
        try
        {
            if (SourceAddress.ExplainFolder(folder, roots) is { } forbidden)
                return Task.FromResult<Fault?>(Unavailable($"{folder} cannot be read: {forbidden}."));
            var read = FolderScan.Read(RealPath.Of(folder) ?? folder, cancellationToken);
            if (read.TryGet(out var files, out fault)) Volatile.Write(ref seen, files);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            fault = Unavailable($"{folder} cannot be read: {failure.Message}");
        }
        return Task.FromResult(fault);
    }

    public override ValueTask<Outcome<SourceTree?>> FindAsync(string? label, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Find(label));

    public override string NameOf(SourceTree tree, string path) => $"file:{folder.TrimEnd('/')}/{path}";

    private Outcome<SourceTree?> Find(string? label)
    {
        if (Volatile.Read(ref seen) is not { } files) return Unavailable($"{folder} was not read yet.");
        var wanted = label ?? spec.Label ?? "";
        var tree = new SourceTree(null, wanted, files);
        if (wanted == (spec.Label ?? "")) return tree;
        // Another label is known where a path has a folder for it.
        return (spec.Paths ?? []).Any(path => path.Contains(LabelPlace, StringComparison.Ordinal)
                && HasFolder(tree, Stem(path).Replace(LabelPlace, wanted, StringComparison.Ordinal)))
            ? tree
            : null;
    }

    // As far as the label: what comes after may be for one application.
    private static string Stem(string path) =>
        path[..(path.IndexOf(LabelPlace, StringComparison.Ordinal) + LabelPlace.Length)];

    private static bool HasFolder(SourceTree tree, string stem)
    {
        if (!stem.Contains('{', StringComparison.Ordinal)) return tree.Folders.Contains(stem);
        var wanted = stem.Split('/');
        return tree.Folders.Any(folder => folder.Split('/') is var parts && parts.Length == wanted.Length
            && parts.Zip(wanted).All(pair => Fits(pair.First, pair.Second)));
    }

    // What stands for an application or a profile may be anything here; the request fills it in later.
    private static bool Fits(string part, string wanted)
    {
        var place = wanted.IndexOf('{', StringComparison.Ordinal);
        return place < 0 ? part == wanted : part.StartsWith(wanted.AsSpan(0, place), StringComparison.Ordinal);
    }
}
